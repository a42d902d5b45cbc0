import assert from 'node:assert/strict';
import type { IonClient } from '../../nodes/client/client.js';
import { ownOperation } from '../../nodes/client/graphql/own-operation.js';
import { fileOf } from '../../nodes/client/steps/attachment-file.js';
import { StepWriter } from '../../nodes/client/steps/step-writer.js';
import { useOutbox, write } from '../support/outbox.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

const KEYS = ownOperation('query ($id: ID!) { runStep(id: $id) { fileAttachments { s3Key } } }');

describe('a file in the outbox, whose attachment is created without a response', () => {
  const ion = useSandbox({ runs: 5 });
  let client: IonClient;
  beforeEach(() => {
    client = ion.client({ retries: 0 });
  });
  const writer = () => new StepWriter(client);
  const { open, close, empty } = useOutbox(() => ({ writer: writer(), listeners: new Map() }));

  /** For each attachment of the step, whether its bytes have arrived. */
  async function attach({ lost = 'createFileAttachment', isRestarted = false }) {
    const { step } = await makeStep(client, []);
    const { control, uploads } = ion.sandbox;
    client = ion.client({ retries: 0 });
    let outbox = await open();
    control.fault({ target: 'api', match: lost, kind: 'reset', execute: true, times: 3 });
    const attached = { action: 'file', filename: 'a.csv', file: fileOf('a.csv', 'x') } as const;
    await outbox.add('node', write({ step }, undefined, attached), {});
    outbox.start();
    if (isRestarted) {
      await until(() => control.counters().executed.createFileAttachment === 1);
      await close(outbox);
      client = ion.client({ retries: 0 });
      outbox = await open();
      outbox.start();
    }
    await empty(outbox);
    assert.equal(outbox.state.rejected, 0);
    const { signal } = new AbortController();
    const { data } = await client.request(KEYS, { variables: { id: step }, signal });
    const { fileAttachments } = data.runStep as { fileAttachments: { s3Key: string }[] };
    return fileAttachments.map(({ s3Key }) => uploads.file(s3Key) !== undefined);
  }

  for (const unknown of [[], ['FileAttachment.downloadUrl']]) {
    for (const isRestarted of [false, true]) {
      const when = `${unknown.join() ? 'without downloadUrl' : 'with downloadUrl'}${isRestarted ? ', after a restart' : ''}`;

      it(`is attached once, ${when}`, async () => {
        ion.sandbox.control.set({ unknown });
        assert.deepEqual(await attach({ isRestarted }), [true]);
      });
    }
  }

  it('is attached once if ION is not reached before, without downloadUrl', async () => {
    ion.sandbox.control.set({ unknown: ['FileAttachment.downloadUrl'] });
    ion.sandbox.control.fault({
      target: 'api',
      match: 'createFileAttachment',
      kind: 'reset',
      times: 2,
    });
    assert.deepEqual(await attach({ lost: 'requestFileUploadUrl' }), [true]);
  });

  for (const unknown of [[], ['FileAttachment.downloadUrl']]) {
    it(`arrives the older way, ${unknown.join() ? 'without' : 'with'} downloadUrl`, async () => {
      ion.sandbox.control.set({ unknown, uploadFlow: 'two-calls' });
      const attached = await attach({});
      assert.deepEqual([attached.length, attached.at(-1)], [4, true]);
    });
  }
});
