import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import { FailingWrites } from '../../nodes/outbox/failing-writes.js';
import { Listeners } from '../../nodes/outbox/listeners.js';
import { RejectionCounts } from '../../nodes/outbox/rejection-counts.js';
import { isWriteRejected, Rejections } from '../../nodes/outbox/rejections.js';
import {
  type Entry,
  type RejectedEntry,
  type Stored,
  unreadableEntry,
} from '../../nodes/outbox/store/entries.js';

const failure = new IonError('ION_SERVER', 'a fault');
const rejection = new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });

describe('outbox: rejections', () => {
  /** Numbers of the pending entries. */
  let pending: Set<number>;
  let calls: string[];
  let changes: number;
  let reported: [number, IonError][];
  let unreadable: string[];
  let failing: FailingWrites;
  let rejections: Rejections;
  let isDiskBroken: boolean;

  const stored = (sequence: number, more: Partial<Entry> = {}): Stored => {
    pending.add(sequence);
    const entry = { sender: 'node', context: sequence, acceptedAt: 1, ...more };
    return { key: String(sequence), sequence, entry, bytes: 1 };
  };
  const fail = (entry: Stored, partition = 'run 1') => failing.failed(partition, entry, failure);

  beforeEach(async () => {
    pending = new Set();
    calls = [];
    changes = 0;
    reported = [];
    unreadable = [];
    isDiskBroken = false;
    failing = new FailingWrites();
    const remove = (call: string, { sequence }: Stored) => {
      if (isDiskBroken) throw new IonError('ION_CONFIG', 'the disk is full');
      calls.push(`${call} ${sequence}`);
      return pending.delete(sequence);
    };
    const listener = {
      delivered: () => assert.fail('nothing is delivered'),
      rejected: (entry: Entry, error: IonError) =>
        void reported.push([entry.context as number, error]),
      failed: (thrown: unknown) => assert.fail(String(thrown)),
      changed() {},
    };
    rejections = new Rejections({
      store: {
        reject: async (entry) => remove('reject', entry),
        drop: async (entry) => remove('drop', entry),
        has: async ({ sequence }) => {
          if (isDiskBroken) throw new IonError('ION_CONFIG', 'the disk is full');
          return pending.has(sequence);
        },
      },
      failing,
      counts: await RejectionCounts.read({ firstRejected: async () => [], lastSequence: 0 }),
      listeners: new Listeners(new Map([['node', listener]])),
      onChange: () => changes++,
      onUnreadable: ({ message }) => unreadable.push(message),
    });
  });

  const counted = () => rejections.state.rejections.get('node');

  it('are counted and reported with their reason, once the disk has them', async () => {
    assert.equal(await rejections.reject(stored(1), rejection), true);
    assert.deepEqual([calls, changes, reported], [['reject 1'], 1, [[1, rejection]]]);
    assert.deepEqual([counted()?.count, counted()?.reason], [1, rejection]);
  });

  it('say nothing of an entry that is gone, such as for a newer value', async () => {
    const gone = stored(1);
    pending.clear();
    assert.equal(await rejections.reject(gone, rejection), false);
    assert.deepEqual([reported, counted(), changes], [[], undefined, 1]);
  });

  it('say nothing if the disk refuses them, so that the entry is still pending', async () => {
    isDiskBroken = true;
    await assert.rejects(rejections.reject(stored(1), rejection), /disk is full/);
    assert.deepEqual([reported, counted(), changes], [[], undefined, 0]);
  });

  it('of an entry that cannot be read are reported without a reason in the status', async () => {
    const damaged = { ...stored(1), unreadable: Buffer.from('?') };
    damaged.entry = { ...unreadableEntry(new Error('bad bytes'), undefined), sender: 'node' };
    await rejections.rejectUnreadable(damaged);
    assert.deepEqual([counted()?.count, counted()?.reason], [1, undefined]);
    assert.match(String(unreadable), /cannot be read \(bad bytes\)/);
    assert.equal(reported[0]?.[1].code, 'ION_CONFIG');
    await rejections.rejectUnreadable(damaged);
    assert.equal(unreadable.length, 1);
  });

  it('are no longer counted when somebody has decided on them', async () => {
    const entry = stored(1);
    await rejections.reject(entry, rejection);
    rejections.forget(entry as Stored<RejectedEntry>);
    assert.equal(counted(), undefined);
  });

  for (const [decision, call, count] of [
    ['skip', 'reject 1', 1],
    ['discard', 'drop 1', undefined],
  ] as const) {
    it(`end a failing write with its last failure: ${decision}`, async () => {
      const entry = stored(1);
      fail(entry);
      await rejections.end('run 1', entry, decision);
      assert.deepEqual([calls, reported], [[call], [[1, failure]]]);
      assert.deepEqual([failing.in('run 1'), counted()?.count], [undefined, count]);
      assert.equal(changes, 1);
    });

    it(`end a failing write that a newer value has replaced without a report: ${decision}`, async () => {
      const entry = stored(1);
      fail(entry);
      pending.clear();
      await rejections.end('run 1', entry, decision);
      assert.deepEqual([reported, failing.in('run 1'), changes], [[], undefined, 1]);
    });
  }

  it('end a write with the reason that is given, also if it has not failed', async () => {
    await rejections.end('run 1', stored(1), 'skip', rejection);
    await rejections.end('run 1', stored(2), 'skip');
    assert.deepEqual(
      reported.map(([context, { code }]) => [context, code]),
      [
        [1, 'ION_GRAPHQL'],
        [2, 'ION_CLOSED'],
      ],
    );
  });

  describe('of a failing write that a newer value may have replaced', () => {
    it('forget it if it is gone', async () => {
      fail(stored(1, { replaces: 'field' }));
      pending.clear();
      await rejections.forgetReplaced('run 1');
      assert.deepEqual([failing.in('run 1'), changes], [undefined, 1]);
    });

    it('keep it if it is still pending, or if nobody knows', async () => {
      fail(stored(1, { replaces: 'field' }));
      await rejections.forgetReplaced('run 1');
      pending.clear();
      isDiskBroken = true;
      await rejections.forgetReplaced('run 1');
      assert.deepEqual([failing.in('run 1')?.sequence, changes], [1, 0]);
    });

    it('keep one that no newer value replaces, without a look at the disk', async () => {
      fail(stored(1));
      pending.clear();
      await rejections.forgetReplaced('run 1');
      await rejections.forgetReplaced('run 2');
      assert.deepEqual([failing.in('run 1')?.sequence, changes], [1, 0]);
    });

    it('keep the next one, which has begun to fail by then', async () => {
      fail(stored(1, { replaces: 'field' }));
      pending.clear();
      const forgetting = rejections.forgetReplaced('run 1');
      fail(stored(2, { replaces: 'field' }));
      await forgetting;
      assert.deepEqual([failing.in('run 1')?.sequence, changes], [2, 0]);
    });
  });

  it('need all fields of a write to be rejected', () => {
    const of = (...parts: IonError[]) => isWriteRejected(rejection.with({ parts }));
    assert.deepEqual([isWriteRejected(rejection), isWriteRejected(failure)], [true, false]);
    assert.deepEqual([of(rejection, rejection), of(rejection, failure)], [true, false]);
  });
});
