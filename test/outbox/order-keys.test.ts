import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import type { Target } from '../../nodes/client/steps/target.js';
import { GraphqlWrites, graphqlEntry } from '../../nodes/outbox/graphql-writes.js';
import { StepWrites } from '../../nodes/outbox/step-writes.js';
import type { NewEntry } from '../../nodes/outbox/store/entries.js';
import { inputs } from '../support/length.js';
import { FakeIon, fault, useOutbox, write } from '../support/outbox.js';

const RUNS = ['1', '2'];
/** The first two are IDs of runs; the others look like them in the names of queues. */
const KEYS = [...RUNS, '1!', 'line 1', '1%21'];

const oneWrite = fc.record({
  key: fc.oneof(fc.constantFrom(...RUNS), fc.constantFrom(...KEYS)),
  by: fc.constantFrom('run', 'step', 'field', 'mutation'),
  isRejected: fc.nat(4).map((number) => number === 0),
  isRestartedAfter: fc.nat(9).map((number) => number === 0),
});
/** Outcomes of the calls, one after the other; later calls succeed. */
const outcomes = fc.array(
  fc.record({
    is: fc.constantFrom('well', 'faulty', 'down'),
    calls: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 12 },
);

describe('outbox: writes of several kinds with the same order key', () => {
  let ion: FakeIon;
  const outboxes = useOutbox(() => ({ writer: ion, listeners: new Map() }));
  const client = {
    async request(_operation: Operation, { variables = {}, signal }: RequestOptions) {
      const { key, value } = variables as { key: string; value: number };
      const result = await ion.write({ run: key }, value, { signal });
      return { data: result.payload, attempts: 1 } as IonResponse;
    },
  };
  const open = async () => {
    const kinds = [new StepWrites(ion), new GraphqlWrites(client, () => assert.fail())];
    const outbox = await outboxes.open({ kinds, pauseMs: 0 });
    outbox.start();
    return outbox;
  };

  it('arrive in the order of acceptance, through outages, faults, rejections and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneWrite, { minLength: 1, maxLength: 60 }),
        outcomes,
        async (writes, times) => {
          ion = new FakeIon();
          // Some calls take longer than others.
          ion.before = async () => {
            for (let left = ion.calls % 4; left > 0; left--) await new Promise(setImmediate);
          };
          const states = times.flatMap(({ is, calls }) => Array<string>(calls).fill(is));
          ion.isDownAt = (call) => states[call] === 'down';
          ion.fail = (value, call) => {
            if (states[call] === 'faulty') return fault();
            if (!writes[value as number]?.isRejected) return undefined;
            return new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
          };
          await rm(outboxes.folder, { recursive: true });
          let outbox = await open();
          let adding: Promise<void>[] = [];
          for (const [value, { key, by, isRestartedAfter }] of writes.entries()) {
            adding.push(outbox.add('node', entryOf(key, by, value), {}));
            if (!isRestartedAfter) continue;
            await Promise.all(adding);
            adding = [];
            await outboxes.close(outbox);
            outbox = await open();
          }
          await Promise.all(adding);
          await outboxes.empty(outbox);
          const { rejected } = outbox.state;
          await outboxes.close(outbox);
          assert.equal(rejected, writes.filter(({ isRejected }) => isRejected).length);
          for (const key of KEYS) {
            const expected = writes.flatMap((each, value) =>
              each.key === key && !each.isRejected ? [value] : [],
            );
            // If a restart hides a response, a value is written twice in a row.
            const found = ion.written
              .filter(({ run }) => run === key)
              .map(({ value }) => value)
              .filter((value, index, all) => value !== all[index - 1]);
            assert.deepEqual(found, expected, `key ${key}`);
          }
        },
      ),
      { numRuns: inputs(100), seed: 9 },
    );
  });
});

function entryOf(key: string, by: string, value: number): NewEntry {
  const id = Number(key) * 10;
  const targets: Record<string, Target> = {
    run: { run: key },
    step: { step: id },
    field: { field: id },
  };
  const target = targets[by];
  if (target && RUNS.includes(key)) return write(target, value);
  return graphqlEntry({
    query: 'mutation ($key: ID!, $value: Int!) { write(key: $key, value: $value) }',
    variables: { key, value },
    orderKey: key,
    keepForMs: 0,
    ...{ operationName: '', prepare: '', prepareVariables: '', alreadyDone: '' },
  });
}
