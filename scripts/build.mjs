// Builds dist/: the runtime, the dialogs' scripts, and next to them the files that Node-RED expects
// next to a node's file: its HTML, locales/ and icons/.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...parts) => join(root, ...parts);
const dist = inRoot('dist');

for (const folder of [dist, inRoot('resources')]) {
  await rm(folder, { recursive: true, force: true });
}
const { version, 'node-red': nodeRed } = JSON.parse(await readFile(inRoot('package.json'), 'utf8'));
await writeVersion();
const names = Object.keys(nodeRed.nodes);
// One file, because loading hundreds of them would double the time of the start.
await build({
  stdin: {
    contents: names
      .map((name) => `export { default as '${name}' } from './nodes/${name}.js';`)
      .join('\n'),
    resolveDir: root,
  },
  bundle: true,
  outfile: join(dist, 'nodes.js'),
  format: 'cjs',
  platform: 'node',
  packages: 'external',
  charset: 'utf8',
  target: 'node20',
});
for (const name of names) {
  await writeFile(join(dist, `${name}.js`), `module.exports = require('./nodes.js')['${name}'];\n`);
}
for (const name of names) {
  const { outputFiles } = await build({
    entryPoints: [inRoot('nodes', 'editor', `${name}.ts`)],
    bundle: true,
    write: false,
    format: 'iife',
    // The flow library reads the registerType call, whose literals stay unchanged.
    minify: true,
    charset: 'utf8',
    target: 'es2020',
  });
  const markup = await markupOf(`${name}.html`);
  const script = `<script type="text/javascript">\n${outputFiles[0].text.trim()}\n</script>\n`;
  await writeFile(join(dist, `${name}.html`), script + withCompactStyle(markup));
}
// Large, and needed only to edit a query: the editor fetches it then.
const { metafile } = await build({
  entryPoints: [inRoot('nodes', 'editor', 'graphql', 'bundle.ts')],
  bundle: true,
  outfile: inRoot('resources', 'graphql-language.js'),
  format: 'iife',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  target: 'es2020',
});
// Needed only in an open dialog, or in an open tab of the sidebar.
const bundles = {
  'check.js': 'config/check.ts',
  'lookup-trial.js': 'lookup/try-panel.ts',
  'runs-preview.js': 'runs/bundle.ts',
  'sidebar.js': 'sidebar/bundle.ts',
  'target-picker.js': 'step/target-picker.ts',
};
for (const [file, source] of Object.entries(bundles)) {
  await build({
    entryPoints: [inRoot('nodes', 'editor', source)],
    bundle: true,
    outfile: inRoot('resources', file),
    format: 'iife',
    minify: true,
    charset: 'utf8',
    target: 'es2020',
  });
}
await writeFile(inRoot('resources', 'graphql-language.LICENSES.txt'), await licences(metafile));
// Texts of these bundles are part of them.
const bundled = ['check.json', 'graphql-expanded.json', 'lookup-trial.json', 'sidebar.json'];
const isInDist = (path) => !bundled.includes(basename(path));
await cp(inRoot('nodes', 'locales'), join(dist, 'locales'), { recursive: true, filter: isInDist });
await compactCatalogues(join(dist, 'locales'));
await cp(inRoot('icons'), join(dist, 'icons'), { recursive: true });

/** A file in nodes/ without indentation, with the files that its comments include. */
async function markupOf(path) {
  const markup = (await readFile(inRoot('nodes', path), 'utf8')).replace(/^ +/gm, '');
  const include = /(?:<!--|\/\*) include (\S+) (?:-->|\*\/)\n/g;
  const paths = [...markup.matchAll(include)].map(([, part]) => part);
  const parts = new Map();
  for (const part of paths) parts.set(part, await markupOf(part));
  return markup.replace(include, (_comment, part) => parts.get(part));
}

function withCompactStyle(markup) {
  const options = { loader: 'css', minify: true, charset: 'utf8' };
  return markup.replace(
    /(?<=<style>)[^<]*(?=<\/style>)/g,
    (style) => transformSync(style, options).code,
  );
}

/** Removes the indentation of the catalogues, a sixth of their size. */
async function compactCatalogues(folder) {
  const files = await readdir(folder, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    const catalogue = JSON.parse(await readFile(join(folder, file), 'utf8'));
    await writeFile(join(folder, file), JSON.stringify(catalogue));
  }
}

/** Inlined into the sources, so that no file is read for it at run time. */
async function writeVersion() {
  const file = inRoot('nodes', 'client', 'version.ts');
  const present = await readFile(file, 'utf8');
  const text = present.replace(/(VERSION = )'.*'/, `$1'${version}'`);
  if (text !== present) await writeFile(file, text);
}

/** Licenses of the packages in a bundle. */
async function licences({ inputs }) {
  const inModules = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;
  const packages = new Set(Object.keys(inputs).flatMap((path) => inModules.exec(path)?.[1] ?? []));
  const texts = [...packages].sort().map(async (name) => {
    const folder = inRoot('node_modules', name);
    const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
    const text = file ? await readFile(join(folder, file), 'utf8') : 'No licence file.\n';
    return `${name}\n${'='.repeat(name.length)}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join('\n\n');
}
