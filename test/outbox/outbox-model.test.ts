import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { IonError } from '../../nodes/client/errors.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import type { Entry, NewEntry } from '../../nodes/outbox/store/entries.js';
import { decode } from '../../nodes/outbox/store/entry-codec.js';
import { inputs } from '../support/length.js';
import { FakeIon, fault, inStore, mutation, useOutbox, valueIn, write } from '../support/outbox.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

/** The ways to name what is written, all of them for the same order key. */
const ENTRIES: ((run: number, value: number) => NewEntry)[] = [
  (run, value) => write({ run }, value),
  (run, value) => write({ step: run * 10 }, value),
  (run, value) => write({ run, field: 'Torque' }, value, { latestOnly: true }),
  mutation,
];
const LATEST = 2;

const commands = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        entry: fc.nat(ENTRIES.length - 1),
        run: fc.integer({ min: 1, max: 3 }),
        keepForMs: fc.constantFrom(undefined, HOUR_MS, 10 * HOUR_MS),
        outcome: fc.constantFrom('well', 'well', 'well', 'rejected', 'faulty'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('restart', 'recount', 'expire', 'outage', 'return', 'heal'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('decide' as const),
        decision: fc.constantFrom('retry', 'discard', 'skip'),
        which: fc.constantFrom('rejected', 'failing'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

describe('outbox: any sequence of writes, failures, restarts and decisions', () => {
  const { now } = Date;
  let ion: FakeIon;
  let delivered: number[];
  let rejected: Set<number>;
  const listeners = new Map<string, OutboxListener>();
  listeners.set('node', {
    delivered: (entry) => void delivered.push(Number(valueIn(entry))),
    rejected: (entry) => void rejected.add(Number(valueIn(entry))),
    failed: (thrown) => assert.fail(String(thrown)),
    changed() {},
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners, pauseMs: 0 }));
  afterEach(() => {
    Date.now = now;
  });
  const start = async () => {
    const outbox = await outboxes.open();
    outbox.start();
    return outbox;
  };

  /** The counts on the disk of a closed outbox are those of its entries, as the outbox said. */
  const checkDisk = async ({ state }: Outbox) => {
    const counted = { waiting: 0, givenUp: 0, bytes: 0 };
    const times = new Map<string, string>();
    const expected: [string, string][] = [];
    let counts: Record<string, unknown> = {};
    await inStore(outboxes.folder, async (level) => {
      for await (const [key, value] of level.iterator()) {
        if (key === 'm') counts = JSON.parse(String(value));
        if (key.startsWith('x!')) times.set(key, String(value));
        if (!/^[qug]!/.test(key)) continue;
        counted[key.startsWith('g!') ? 'givenUp' : 'waiting']++;
        counted.bytes += value.length;
        const { keepUntil } = decode(value) as Entry;
        if (keepUntil !== undefined && !key.startsWith('g!')) {
          expected.push([`x!${String(keepUntil).padStart(15, '0')}!${key.slice(-15)}`, key]);
        }
      }
    });
    const { sequence, ...stored } = counts;
    assert.deepEqual(stored, counted);
    assert.deepEqual([state.pending, state.rejected], [counted.waiting, counted.givenUp]);
    for (const [record, key] of expected) assert.equal(times.get(record), key, record);
  };

  it('ends each write once, in the order of its key, and counts what is on the disk', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (all) => {
        ion = new FakeIon();
        delivered = [];
        rejected = new Set();
        let clock = 0;
        Date.now = () => now() + clock;
        const outcomes = new Map<unknown, string>();
        ion.fail = (value) => {
          const outcome = outcomes.get(value);
          if (outcome === 'faulty') return fault();
          return outcome === 'rejected' ? new IonError('ION_GRAPHQL', 'no') : undefined;
        };
        /** Run and way of each accepted write, by its value. */
        const accepted: { run: number; entry: number }[] = [];
        const discarded = new Set<number>();
        await rm(outboxes.folder, { recursive: true });
        let outbox = await start();
        const restart = async (between = async () => {}) => {
          await outboxes.close(outbox);
          await checkDisk(outbox);
          await between();
          outbox = await start();
        };
        const decide = async (decision: 'retry' | 'discard' | 'skip', isFailing: boolean) => {
          const chosen = isFailing
            ? outbox.state.failing.map(({ stored }) => stored)
            : await outbox.rejected(1000);
          if (decision === 'discard') {
            for (const { entry } of chosen) discarded.add(Number(valueIn(entry)));
          }
          await outbox.decide(
            decision,
            chosen.map(({ sequence }) => sequence),
          );
        };
        /** Until nothing happens any more without a decision. */
        const settle = () =>
          until(() => {
            const { pending, failing, unreachableSince } = outbox.state;
            return pending === 0 || failing.length > 0 || unreachableSince !== undefined;
          });
        for (const command of all) {
          if (command.do === 'add') {
            const value = accepted.length;
            outcomes.set(value, command.outcome);
            const { own } = (ENTRIES[command.entry] ?? assert.fail())(command.run, value);
            accepted.push(command);
            const { keepForMs } = command;
            await outbox.add('node', { own: { ...own, ...(keepForMs && { keepForMs }) } }, {});
          } else if (command.do === 'decide') {
            await decide(command.decision, command.which === 'failing');
          } else if (command.do === 'restart') await restart();
          else if (command.do === 'recount') {
            await restart(() => inStore(outboxes.folder, (level) => level.del('m')));
          } else if (command.do === 'expire') {
            clock += 2 * HOUR_MS;
            await restart();
          } else if (command.do === 'settle') await settle();
          else if (command.do === 'heal') outcomes.clear();
          else ion.isDown = command.do === 'outage';
        }
        ion.isDown = false;
        outcomes.clear();
        // One too few are counted while a delivered value is removed that a newer one replaced.
        const drain = async () => {
          do {
            await until(() => outbox.state.pending === 0);
            await restart();
          } while (outbox.state.pending > 0);
        };
        await drain();
        await outbox.decide('retry');
        await drain();
        assert.equal(outbox.state.rejected, 0);
        await outboxes.close(outbox);

        assert.equal(new Set(delivered).size, delivered.length, `twice: ${delivered}`);
        for (const [value, { run, entry }] of accepted.entries()) {
          const isReplaced = accepted.some(
            (other, index) =>
              index > value && entry === LATEST && other.entry === entry && other.run === run,
          );
          if (isReplaced) continue;
          const isDelivered = delivered.includes(value);
          assert.ok(isDelivered || discarded.has(value), `${value} is lost`);
          assert.ok(!isDelivered || !discarded.has(value), `${value} is discarded and delivered`);
        }
        for (const run of ['1', '2', '3']) {
          const found = ion.written.flatMap((each) =>
            each.run === run ? [Number(each.value)] : [],
          );
          const inOrder = [...new Set(found)].filter((value) => !rejected.has(value));
          assert.deepEqual(
            inOrder,
            inOrder.toSorted((a, b) => a - b),
            `run ${run}`,
          );
        }
      }),
      { numRuns: inputs(100) },
    );
  });
});
