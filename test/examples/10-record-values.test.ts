import assert from 'node:assert/strict';
import { RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { useSandbox } from '../support/sandbox.js';

describe('example 10, records values', () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  after(() => example?.stop());

  it('immediately and through the outbox, and shows rejected writes', async () => {
    example = await RunningExample.start('10-record-values.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
    });
    for (const name of ['inject', 'later', 'text']) await example.inject(name);
    assert.match(await example.shown('written'), /325\.5/);
    assert.match(await example.shown('delivered'), /325\.5/);
    assert.match(await example.shown('refused'), /325,5/);
  });
});
