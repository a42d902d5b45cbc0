// node scripts/release-notes.mjs <tag>: prints the changelog's section for a version, and fails
// if tag, package.json and changelog do not match.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const [tag] = process.argv.slice(2);
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
if (tag !== `v${version}`) fail(`The tag is ${tag}, the version in package.json ${version}.`);

const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
const sections = changelog.split(/^## /m).slice(1);
const section = sections.find((text) => text.startsWith(`${version} `));
if (!section) fail(`CHANGELOG.md has no section "## ${version} – <date>".`);
console.log(section.slice(section.indexOf('\n')).trim());

function fail(text) {
  console.error(text);
  process.exit(1);
}
