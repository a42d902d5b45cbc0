import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Packed, pack, root, useTemporaryFolder } from '../../tools/package.js';

const NODES = ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'];

describe('the packed package', () => {
  const folder = useTemporaryFolder();
  let packed: Packed;

  before(async () => {
    packed = await pack(folder.path);
  });

  const paths = () => packed.files.map(({ path }) => path);

  it('contains the files that Node-RED and a reader need', () => {
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      ...NODES.flatMap((name) => [
        `dist/${name}.js`,
        `dist/${name}.html`,
        `dist/locales/en-US/${name}.json`,
        `dist/locales/en-US/${name}.html`,
      ]),
      'dist/icons/ion-events.svg',
      'dist/icons/ion-graphql.svg',
      'dist/icons/ion-lookup.svg',
      'dist/icons/ion-runs.svg',
      'dist/icons/ion-step.svg',
    ]) {
      assert.ok(paths().includes(file), `${file} is missing`);
    }
    assert.ok(paths().some((file) => /^examples\/.*\.json$/.test(file)));
  });

  it('contains nothing else: no sources, tests or sandbox', () => {
    const allowed =
      /^(dist\/|resources\/|examples\/|README\.md$|LICENSE$|SECURITY\.md$|CHANGELOG\.md$|package\.json$)/;
    assert.deepEqual(
      paths().filter((file) => !allowed.test(file) || /\.(ts|map)$/.test(file)),
      [],
    );
  });

  it('is under 1,320 kB unpacked, without the examples and the files that the query editor loads when it opens', () => {
    const { files } = packed;
    const size = files
      .filter(({ path }) => !/^(resources|examples)\//.test(path))
      .reduce((sum, { size }) => sum + size, 0);
    assert.ok(size < 1_320_000, `${size} bytes`);
  });

  it('makes the editor load at most 78 kB at its start, and 250 kB for queries, compressed', async () => {
    const compressed = async (...path: string[]) =>
      gzipSync(await readFile(join(root, ...path))).length;
    const dialogs = await Promise.all(
      NODES.flatMap((node) => [
        compressed('dist', `${node}.html`),
        compressed('dist', 'locales', 'en-US', `${node}.html`),
        compressed('dist', 'locales', 'en-US', `${node}.json`),
      ]),
    );
    const start = dialogs.reduce((sum, size) => sum + size, 0);
    assert.ok(start <= 78 * 1024, `${start} bytes`);
    const language = await compressed('resources', 'graphql-language.js');
    assert.ok(language <= 250 * 1024, `${language} bytes`);
  });

  it('has dialogs without the GraphQL parser, which the editor loads only for queries', async () => {
    for (const { path: file } of packed.files) {
      if (!/^dist\/[^/]+\.html$/.test(file)) continue;
      assert.doesNotMatch(await readFile(join(root, file), 'utf8'), /GraphQLError/, file);
    }
  });

  it('loads no dependency until its nodes are used', async () => {
    const script = `
      require('./test/support/register-nodes.cjs');
      console.log(JSON.stringify(Object.keys(require.cache)));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: root });
    const files: string[] = JSON.parse(stdout);
    assert.ok(files.some((file) => file.endsWith('ion-config.js')));
    assert.deepEqual(
      files.filter((file) => file.includes('node_modules')),
      [],
    );
  });
});
