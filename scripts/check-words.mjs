// Part of `npm run lint`: texts for people and comments in plain English. Prints the file and line of
// each expression that has a plainer one. Arguments: files or folders to check instead of all.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Expressions, and what to write instead. */
const WORDS = [
  [/\b(tells?|told|telling)\b/i, 'say, report, show, list'],
  [/\banew\b/i, 'again'],
  [/\ball the same\b/i, 'still, anyway'],
  [/\bmeanwhile\b/i, 'in the meantime, or name what happened'],
  [/\bby (itself|themselves)\b/i, 'automatically, alone'],
  [/\bwhat (there is|becomes of|is there)\b/i, 'name the thing'],
  [/\b(gives?|given|gave|giving) up\b/i, 'reject, stop trying'],
  [/\b(go|goes|going|went) on\b/i, 'continue'],
  [/\b(stands?|stood) (in|there|here)\b/i, 'is in'],
  [/\bon (its|their|the) way\b/i, 'pending, in flight'],
  [/\bfor good\b/i, 'permanently'],
  [/\bwords of\b/i, 'text, message'],
  [/\bbears?\b/i, 'has, carries'],
  [/\b(is|are|was|were) to be\b/i, 'must be, will be'],
  [/\bin full length\b/i, 'in full'],
  [/\b(nobody|no one|none) but\b/i, 'only'],
  [/\b(lanes?|whoever|whatever is|wherever)\b/i, 'the noun'],
  [/\bwhere (there (is|are|was|were)|none|nobody|nothing|no )/i, 'if, when'],
  [/@(throws|returns?|param) [^.]*\bwhere\b/, 'if, when'],
  [/`undefined` where\b/, 'if, when'],
];

/** A comment that begins with one of these has no subject. */
const HEADLESS =
  /^(What|Whatever|Whoever|Whose|Of|Who|How|One (who|that)|Those|Nothing (that|is)|Else|Where|With which|Which|By which|So (is|are|does|do|was)|Nor|As (it|they) )\b/;

const DOCUMENTS = /\.md$|^nodes\/locales\/en-US\//;
const SOURCES = /^(nodes|sandbox|demo|tools|bench|scripts|test)\/.*\.([mc]?ts|[mc]js|html)$/;

/** The pieces of a file that people read, each with its line number. */
function readable(file, text) {
  const lines = text.split('\n').map((line, at) => ({ line, number: at + 1 }));
  if (DOCUMENTS.test(file)) return lines.map((each) => ({ ...each, isComment: false }));
  return lines.flatMap(({ line, number }) => {
    const pieces = [];
    const comment = /(?:^|\s)(?:\/\/|\/\*\*?|\*)\s(.*?)(?:\*\/)?$/.exec(line);
    if (comment) pieces.push({ line: comment[1], number, isComment: true });
    const code = comment ? line.slice(0, comment.index) : line;
    for (const [, , content] of code.matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)) {
      // Names of files, keys and properties have no blanks.
      if (content.includes(' ')) pieces.push({ line: content, number, isComment: false });
    }
    return pieces;
  });
}

/** The beginnings of comments, and of each sentence in them. */
function isHeadless(lines, at) {
  const { line, isComment } = lines[at];
  if (!isComment || /^@|^[-|]/.test(line) || line.endsWith('?')) return false;
  const before = lines[at - 1];
  const isContinued =
    before?.isComment &&
    before.number === lines[at].number - 1 &&
    !/[.:!?]$/.test(before.line.trim());
  return !isContinued && HEADLESS.test(line);
}

const args = process.argv.slice(2);
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...args], {
  cwd: root,
  encoding: 'utf8',
});
let problems = 0;
for (const file of tracked.trim().split('\n')) {
  if (!DOCUMENTS.test(file) && !SOURCES.test(file)) continue;
  if (file.startsWith('test/palettes/') || file === 'scripts/check-words.mjs') continue;
  if (/^nodes\/locales\/(?!en-US)/.test(file) || !existsSync(join(root, file))) continue;
  const lines = readable(file, readFileSync(join(root, file), 'utf8'));
  lines.forEach(({ line, number }, at) => {
    const report = (found, advice) => {
      problems++;
      console.log(`${file}:${number} "${found}": ${advice}`);
    };
    for (const [pattern, advice] of WORDS) {
      const found = pattern.exec(line);
      if (found) report(found[0], advice);
    }
    if (isHeadless(lines, at)) report(line.slice(0, 30), 'begin with the noun it is about');
  });
}
if (problems > 0) console.log(`${problems} expressions have a plainer one.`);
process.exitCode = problems > 0 ? 1 : 0;
