import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { evaluateJsonata } from '../../nodes/config/evaluate-jsonata.js';
import {
  type GraphqlEntry,
  GraphqlWrites,
  graphqlEntry,
  type NewGraphqlWrite,
} from '../../nodes/outbox/graphql-writes.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import { StepWrites, stepEntry } from '../../nodes/outbox/step-writes.js';
import { damage, FakeIon, outage, useOutbox, write } from '../support/outbox.js';
import { until } from '../support/until.js';

const RED = { util } as unknown as NodeAPI;
const node = { id: 'node', _flow: { getSetting: () => undefined } } as unknown as Node;

describe('outbox: corrections of rejected writes', () => {
  let ion: FakeIon;
  /** Variables of the mutations. */
  let sent: unknown[];
  let respond: (operation: Operation) => unknown;
  let found: unknown[];
  const listeners = new Map<string, OutboxListener>();
  const client = {
    async request(operation: Operation, { variables }: RequestOptions): Promise<IonResponse> {
      if (operation.kind === 'mutation') sent.push(variables);
      return { data: respond(operation), attempts: 1, traceId: undefined } as IonResponse;
    },
  };
  const rejection = () => new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
  beforeEach(() => {
    ion = new FakeIon();
    ion.fail = () => rejection();
    sent = [];
    found = [];
    respond = ({ kind }) => {
      if (kind === 'mutation') throw rejection();
      return { things: [] };
    };
    listeners.set('node', {
      delivered: (_entry, { payload }) => void found.push(payload),
      rejected() {},
      failed: (thrown) => assert.fail(String(thrown)),
      changed() {},
    });
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners }));
  const { close, empty } = outboxes;
  const kinds = () => [
    new StepWrites(ion),
    new GraphqlWrites(client, (text, input) => evaluateJsonata(RED, node, text, input)),
  ];
  const open = (folder = outboxes.folder) => outboxes.open({ folder, kinds: kinds(), pauseMs: 5 });
  const mutation = (more: Partial<NewGraphqlWrite> = {}) =>
    graphqlEntry({
      query: 'mutation Create($title: String) { create(title: $title) { id } }',
      ...{ operationName: '', variables: { title: 'wrong' }, orderKey: 'line 4' },
      ...{ prepare: '', prepareVariables: '', alreadyDone: '', keepForMs: 0 },
      ...more,
    });
  /** Opens an outbox with rejected writes. */
  const rejected = async (...entries: ReturnType<typeof mutation>[]): Promise<Outbox> => {
    const outbox = await open();
    for (const entry of entries) await outbox.add('node', entry, {});
    outbox.start();
    await until(() => outbox.state.rejected === entries.length);
    sent = [];
    return outbox;
  };
  const sequenceOf = async (outbox: Outbox, at = 0): Promise<number> => {
    const stored = (await outbox.rejected(10))[at];
    assert.ok(stored);
    return stored.sequence;
  };
  const accept = () => {
    respond = ({ kind }) => (kind === 'mutation' ? { create: { id: 1 } } : { things: [] });
    ion.fail = () => undefined;
  };

  it('are sent instead of what the message sent, with the same key, query and expressions', async () => {
    const prepare = '{ things { id } }';
    const prepareVariables = '{ "title": variables.title & "!" }';
    const outbox = await rejected(mutation({ prepare, prepareVariables }));
    const sequence = await sequenceOf(outbox);
    assert.deepEqual((await outbox.editOf(sequence)).read(), { title: 'wrong' });
    await outbox.retryWith(sequence, { title: 'right' });
    await until(() => sent.length === 1 && outbox.state.rejected === 1);
    const [again] = await outbox.rejected(1);
    const { write, retries, tried } = (again?.entry ?? {}) as unknown as GraphqlEntry;
    assert.deepEqual(write.variables, { title: 'right' });
    assert.deepEqual([write.orderKey, write.prepare, retries], ['line 4', prepare, 1]);
    assert.deepEqual([sent, tried], [[{ title: 'right!' }], true]);
    accept();
    await outbox.retryWith(await sequenceOf(outbox), { title: 'right at last' });
    await empty(outbox);
    assert.deepEqual(sent.at(-1), { title: 'right at last!' });
    assert.deepEqual(found, [{ create: { id: 1 } }]);
  });

  it('are looked for before they are sent, because an earlier try may have been executed', async () => {
    const more = {
      prepare: '{ things { id } }',
      alreadyDone: 'data.things[title = $$.variables.title]',
    };
    const outbox = await rejected(mutation(more));
    respond = () => ({ things: [{ title: 'right' }] });
    await outbox.retryWith(await sequenceOf(outbox), { title: 'right' });
    await empty(outbox);
    assert.deepEqual([sent, found], [[], [{ title: 'right' }]]);
  });

  it('survive a restart', async () => {
    const outbox = await rejected(mutation());
    respond = () => {
      throw outage();
    };
    await outbox.retryWith(await sequenceOf(outbox), { title: 'right' });
    await close(outbox);
    sent = [];
    accept();
    const next = await open();
    assert.deepEqual([next.state.pending, next.state.rejected], [1, 0]);
    next.start();
    await empty(next);
    assert.deepEqual(sent, [{ title: 'right' }]);
  });

  it('are either stored or not, whenever the process ends', async () => {
    const COUNT = 20;
    const outbox = await rejected(...Array.from({ length: COUNT }, () => mutation()));
    const sequences = (await outbox.rejected(COUNT)).map(({ sequence }) => sequence);
    await close(outbox);
    const idle = await open();
    const folder = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
    /** The disk as a process that ends at such a moment leaves it. */
    const copies = sequences.map((sequence) => join(folder, String(sequence)));
    try {
      for (const [at, copy] of copies.entries()) {
        const retry = idle.retryWith(sequences[at] ?? 0, { title: 'right' });
        await cp(outboxes.folder, copy, { recursive: true });
        await retry;
      }
      accept();
      for (const copy of copies) {
        const after = await open(copy);
        const { pending } = after.state;
        const left = await after.rejected(COUNT);
        assert.equal(pending + left.length, COUNT);
        for (const { entry } of left) {
          assert.deepEqual((entry as unknown as GraphqlEntry).write.variables, { title: 'wrong' });
        }
        sent = [];
        after.start();
        await empty(after);
        assert.deepEqual(sent, Array(pending).fill({ title: 'right' }));
        await close(after);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const wrong: [string, unknown, RegExp][] = [
    ['a list', [1], /must be an object.*not a list/],
    ['null', null, /must be an object.*not null/],
    ['a text', '{}', /must be an object.*not the text "\{\}"/],
    ['too many values', { all: Array(300_001).fill(0) }, /more than 300000 values/],
    ['a value without a form in JSON', { at: [Number.NaN] }, /at "at\.0" are NaN/],
  ];
  for (const [what, variables, text] of wrong) {
    it(`are refused with ${what} as variables, and the write stays as it was`, async () => {
      const outbox = await rejected(mutation());
      accept();
      const sequence = await sequenceOf(outbox);
      await assert.rejects(outbox.retryWith(sequence, variables), (error: IonError) => {
        assert.equal(error.code, 'ION_VARIABLES');
        assert.match(error.message, text);
        return true;
      });
      assert.deepEqual([outbox.state.pending, outbox.state.rejected, sent], [0, 1, []]);
      assert.deepEqual((await outbox.editOf(sequence)).read(), { title: 'wrong' });
    });
  }

  const isGone = {
    code: 'ION_NOT_FOUND',
    message: /no longer rejected: it was retried or discarded/,
  };

  it('are carried out once if two people retry the same write', async () => {
    const outbox = await rejected(mutation());
    accept();
    const sequence = await sequenceOf(outbox);
    const titles = ['one', 'two'];
    const results = await Promise.allSettled(
      titles.map((title) => outbox.retryWith(sequence, { title })),
    );
    await empty(outbox);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.deepEqual(sent, [{ title: 'one' }]);
    await assert.rejects(outbox.retryWith(sequence, { title: 'late' }), isGone);
  });

  for (const decision of ['retry', 'discard'] as const) {
    it(`come too late after a ${decision}, and change nothing`, async () => {
      const outbox = await rejected(mutation());
      accept();
      const sequence = await sequenceOf(outbox);
      const first = outbox.decide(decision, [sequence]);
      await assert.rejects(outbox.retryWith(sequence, { title: 'late' }), isGone);
      await first;
      await empty(outbox);
      assert.deepEqual(sent, decision === 'retry' ? [{ title: 'wrong' }] : []);
      await assert.rejects(outbox.editOf(sequence), isGone);
    });
  }

  it('do not reach a write that is still tried', async () => {
    respond = () => {
      throw outage();
    };
    const outbox = await open();
    await outbox.add('node', mutation(), {});
    outbox.start();
    await until(() => sent.length > 0);
    await assert.rejects(outbox.retryWith(1, { title: 'x' }), { code: 'ION_NOT_FOUND' });
    assert.equal(outbox.state.pending, 1);
  });

  it('end with an outbox that closes, and leave the write rejected', async () => {
    const outbox = await rejected(mutation());
    const sequence = await sequenceOf(outbox);
    const closing = close(outbox);
    await assert.rejects(outbox.retryWith(sequence, { title: 'x' }), { code: 'ION_CLOSED' });
    await closing;
    assert.equal((await open()).state.rejected, 1);
  });

  it('replace the value of a field, and the status', async () => {
    const status = stepEntry({
      ...{ action: 'status', target: { run: 1, step: 10 }, value: 'DONE', onConflict: 'retry' },
    });
    const outbox = await rejected(write({ run: 1, field: 10 }, '12,5'), status);
    const shown = (await outbox.rejected(10)).map((stored) => outbox.summaryOf(stored));
    assert.deepEqual(
      shown.map(({ value, isEditable }) => [value, isEditable]),
      [
        ['"12,5"', true],
        ['"DONE"', true],
      ],
    );
    accept();
    await outbox.retryWith(await sequenceOf(outbox), 12.5);
    await outbox.retryWith(await sequenceOf(outbox), 'COMPLETE');
    await empty(outbox);
    assert.deepEqual(
      ion.written.map(({ value }) => value),
      [12.5, 'COMPLETE'],
    );
  });

  it('begin with the value as JSON, and with nothing for one that JSON does not know', async () => {
    const values = [Number.NaN, Buffer.from('x'), new Date(0), { a: 'x', b: null }];
    const outbox = await rejected(...values.map((value) => write({ run: 1, step: 10 }, value)));
    const read = [];
    for (const at of values.keys()) {
      read.push((await outbox.editOf(await sequenceOf(outbox, at))).read());
    }
    const date = '1970-01-01T00:00:00.000Z';
    assert.deepEqual(read, [undefined, undefined, date, { a: 'x', b: null }]);
    const sequence = await sequenceOf(outbox, 3);
    const fields = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`f${at}`, 1]));
    await assert.rejects(outbox.retryWith(sequence, fields), /more than 1000 fields/);
    await assert.rejects(outbox.retryWith(sequence, { ['x'.repeat(5001)]: 1 }), /is longer than/);
  });

  it('are not offered for a file, or for a write that cannot be read', async () => {
    const content = [Buffer.from('x')];
    const file = stepEntry({
      ...{ action: 'file', target: { run: 1, step: 10 }, filename: 'a.txt', onConflict: 'retry' },
      file: {
        size: 1,
        read: async function* () {
          yield* content;
        },
      },
    });
    const before = await open();
    await before.add('node', file, {});
    await before.add('node', write({ run: 2 }, 'damaged'), {});
    await close(before);
    await damage(outboxes.folder, ['damaged']);
    const outbox = await open();
    outbox.start();
    await until(() => outbox.state.rejected === 2);
    for (const stored of await outbox.rejected(2)) {
      assert.equal(outbox.summaryOf(stored).isEditable, undefined);
      const { sequence } = stored;
      const nothing = { code: 'ION_CONFIG', message: /nothing to correct/ };
      await assert.rejects(outbox.editOf(sequence), nothing);
      await assert.rejects(outbox.retryWith(sequence, 1), nothing);
    }
    assert.equal(outbox.state.rejected, 2);
  });
});
