import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { root } from '../../tools/package.js';

const FOLDERS = [
  'nodes',
  'sandbox',
  'demo',
  'tools',
  'scripts',
  'test',
  'bench',
  'docs',
  'examples',
];
const ENDINGS =
  'md|jsonc?|tsx?|mts|cts|mjs|cjs|js|html|graphql|ya?ml|sh|svg|png|txt|css|csv|pdf|docx?';
/** A path or a file name, except names of called functions. */
const FILE = new RegExp(`(?<![\\w@])[\\w@./{}<>~-]*[\\w}>]\\.(?:${ENDINGS})\\b(?![\\w(])`, 'g');
/** A path without an extension, below a folder of this repository. */
const PATH = new RegExp(`(?<![\\w./-])(?:${FOLDERS.join('|')})\\/[\\w.-]+(?:\\/[\\w.-]+)*`, 'g');
/** Third-party files, and names that only look like files. */
const OTHERS = new Set([
  'Node.js',
  // In Node-RED's user folder.
  '.config.runtime.json',
  'flows_cred.json',
  'settings.js',
  // Created by a release.
  'release/notes.md',
  // A file of the user.
  'image.png',
  'logo.png',
  'report.csv',
  'report.pdf',
  // A property of a message.
  'payload.graphql',
]);

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)) && !file.startsWith('test/palettes/'));

/** Comments and texts for people in a file; `undefined` if it has none. */
function saidIn(file: string, text: string): string[] | undefined {
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([found]) => found);
  if (file.endsWith('.md')) return [text];
  if (/^nodes\/locales\/.*\.(html|json)$/.test(file)) return [text];
  if (/\.([mc]?ts|[mc]js)$/.test(file)) return all(/\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm);
  if (file.endsWith('.html')) return all(/<!--[\s\S]*?-->/g);
  if (/\.(ya?ml|graphql|sh)$|^\.[\w/]*$/.test(file)) return all(/#.*$/gm);
  // Texts of comment nodes.
  if (/^(examples|demo)\/.*\.json$/.test(file)) return all(/"info": ".*"/g);
  return undefined;
}

/** Whether the repository has a file that a text names by its path or the end of it. */
function exists(name: string, from: string): boolean {
  const path = name.replace(/[.:]$/, '');
  // Compiled files are named by their later name.
  const paths = [path, path.replace(/^dist\//, 'nodes/').replace(/\.js$/, '.ts')];
  const isThere = (each: string) =>
    existsSync(join(root, each)) || existsSync(join(root, normalize(join(dirname(from), each))));
  if (paths.some(isThere)) return true;
  if (path.startsWith('.')) return false;
  return paths.some((each) => tracked.some((file) => file.endsWith(`/${each}`)));
}

/** Names in a text of files that do not exist. */
function missingIn(said: string, from: string): string[] {
  // Other tests check web links.
  const text = said.replace(/\w+:\/\/\S+/g, ' ').replace(/\\n/g, ' ');
  const found = [...text.matchAll(FILE), ...text.matchAll(PATH)].map(([name]) => name);
  const names = new Set(found.map((name) => name.replace(/\.$/, '')));
  return [...names].filter((name) => {
    // With a variable part, or on another machine.
    const isOther = /[{}<>~]|^\//.test(name);
    return !isOther && !OTHERS.has(basename(name)) && !OTHERS.has(name) && !exists(name, from);
  });
}

describe('the files named in comments and documents', () => {
  for (const folder of ['', ...FOLDERS]) {
    it(`all exist in the repository: those named in ${folder || 'its root'}`, () => {
      const problems: string[] = [];
      for (const file of tracked) {
        const [first = ''] = file.includes('/') ? file.split('/') : [''];
        const isOfRoot = folder === '' && (first === '' || first.startsWith('.'));
        if (!(isOfRoot || (folder !== '' && first === folder))) continue;
        const said = saidIn(file, readFileSync(join(root, file), 'utf8')) ?? [];
        for (const each of said) {
          problems.push(...missingIn(each, file).map((name) => `${file} names ${name}`));
        }
      }
      assert.deepEqual(problems, []);
    });
  }

  it('include every folder, in the table of CONTRIBUTING.md', () => {
    const guide = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)\/`/g)].map(([, name]) => name),
    );
    const folders = tracked.map(dirname).flatMap((path) => {
      const [first = '', second, third] = path.split('/');
      if (first === '.' || first.startsWith('.') || first === 'docs') return [];
      if (first !== 'nodes') return [first];
      if (second === undefined) return [first];
      if (second !== 'client' || third === undefined) return [`nodes/${second}`];
      return [`nodes/client/${third}`];
    });
    assert.deepEqual([...named].sort(), [...new Set(folders)].sort());
  });

  it('include every script that npm runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const problems: string[] = [];
    for (const file of tracked) {
      for (const said of saidIn(file, readFileSync(join(root, file), 'utf8')) ?? []) {
        for (const [, name = ''] of said.matchAll(/npm run ([\w-]+(?::[\w-]+)*)/g)) {
          if (!(name in scripts)) problems.push(`${file} names ${name}`);
        }
      }
    }
    assert.deepEqual(problems, []);
  });

  for (const [said, missing] of [
    [`/${'/'} Two ways (ion-api.md, 4.5): the newer one`, ['ion-api.md']],
    [`/** See ${'docs'}/none.md. */`, ['docs/none.md']],
    ['// As ../../outbox/none.ts does', ['../../outbox/none.ts']],
    ['// As in test/client/nothing', ['test/client/nothing']],
    ['// Apart from rows.ts, see docs/nodes.md. Node.js, ../errors.ts, https://x.org/a.md', []],
  ] as const) {
    it(`are found in a comment: ${said}`, () => {
      assert.deepEqual(missingIn(said, 'nodes/client/steps/attachments.ts'), missing);
    });
  }
});
