import assert from 'node:assert/strict';
import { RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { useSandbox } from '../support/sandbox.js';

describe('example 01, a first query', () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  after(() => example?.stop());

  it('shows ten runs', async () => {
    example = await RunningExample.start('01-first-query.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
    });
    await example.inject('inject');
    const edges = JSON.parse(await example.shown('debug')) as unknown[];
    assert.equal(edges.length, 10);
  });
});
