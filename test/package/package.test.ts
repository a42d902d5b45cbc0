import assert from 'node:assert/strict';
import { type Packed, pack, useTemporaryFolder } from '../support/package.js';

describe('the packed package', () => {
  const folder = useTemporaryFolder();
  let packed: Packed;

  before(async () => {
    packed = await pack(folder.path);
  });

  it('holds what Node-RED and a reader need', () => {
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      ...['ion-config', 'ion-graphql', 'ion-runs'].flatMap((name) => [
        `dist/${name}.js`,
        `dist/${name}.html`,
        `dist/locales/en-US/${name}.json`,
        `dist/locales/en-US/${name}.html`,
      ]),
      'dist/icons/ion-graphql.svg',
      'dist/icons/ion-runs.svg',
    ]) {
      assert.ok(packed.files.includes(file), `${file} is missing`);
    }
    assert.ok(packed.files.some((file) => /^examples\/.*\.json$/.test(file)));
  });

  it('holds nothing else: no sources, tests or sandbox', () => {
    const allowed = /^(dist\/|examples\/|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/;
    assert.deepEqual(
      packed.files.filter((file) => !allowed.test(file) || /\.(ts|map)$/.test(file)),
      [],
    );
  });

  it('is under 300 kB unpacked', () => {
    assert.ok(packed.unpackedSize < 300_000, `${packed.unpackedSize} bytes`);
  });
});
