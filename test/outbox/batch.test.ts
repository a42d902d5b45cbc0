import assert from 'node:assert/strict';
import { Batch, type Encoded } from '../../nodes/outbox/store/batch.js';
import { Counters } from '../../nodes/outbox/store/counters.js';
import {
  type Entry,
  isEntry,
  isRejectedEntry,
  type RejectedEntry,
  type Stored,
} from '../../nodes/outbox/store/entries.js';
import {
  expiryKey,
  latestKey,
  MAX_IN_KEY,
  partitionOf,
  pendingKey,
  rejectedKey,
  unresolvedKey,
} from '../../nodes/outbox/store/keys.js';
import type { Latest } from '../../nodes/outbox/store/latest-index.js';
import { thrown } from '../support/errors.js';

const A = partitionOf('a');
const COUNTS = { pending: 5, rejected: 2, bytes: 1000 };

const encoded = (key: string, bytes: number, keepUntil?: number): Encoded => ({
  ...{ key, bytes, keepUntil },
  value: Buffer.from('new'),
});
const stored = (key: string, sequence: number, bytes: number, entry: Partial<Entry> = {}) =>
  ({ key, sequence, bytes, entry }) as Stored;
const rejected = (sequence: number, bytes: number) =>
  stored(rejectedKey(sequence), sequence, bytes) as Stored<RejectedEntry>;

describe('outbox: the changes of one write to the disk', () => {
  const batchOf = (latest: Record<string, Latest> = {}, ...present: string[]) =>
    new Batch(COUNTS, { latest: new Map(Object.entries(latest)), present: new Set(present) });
  /** The keys that it writes, and those that it deletes. */
  const changes = ({ operations }: Batch) =>
    operations.map(({ type, key }) => `${type} ${key}`).sort();

  it('count a new entry, which takes the place of the older one for its target', () => {
    const older = { key: pendingKey(A, 1), bytes: 100 };
    const batch = batchOf({ torque: older }, older.key);
    batch.add(encoded(pendingKey(A, 2), 30, 77), 'torque');
    assert.deepEqual(batch.counts, { pending: 5, rejected: 2, bytes: 930 });
    assert.deepEqual(batch.replaced, [older.key]);
    assert.deepEqual(changes(batch), [
      `del ${older.key}`,
      `put ${latestKey('torque')}`,
      `put ${pendingKey(A, 2)}`,
      `put ${expiryKey(77, 2)}`,
    ]);
  });

  it('leave alone an older one that is gone, and that of another target or of none', () => {
    for (const [target, latest] of [
      ['torque', { torque: { key: pendingKey(A, 1), bytes: 100 } }],
      ['torque', {}],
      [undefined, { undefined: { key: pendingKey(A, 9), bytes: 100 } }],
    ] as const) {
      const batch = batchOf(latest, pendingKey(A, 9));
      batch.add(encoded(pendingKey(A, 2), 30), target);
      assert.deepEqual(batch.counts, { pending: 6, rejected: 2, bytes: 1030 });
      assert.deepEqual(batch.replaced, []);
    }
  });

  it('count the new size of a moved or updated entry, unless it is gone', () => {
    const from = stored(unresolvedKey(3), 3, 100, { replaces: 'torque' });
    const moved = batchOf({}, from.key);
    moved.move(from, encoded(pendingKey(A, 3), 130));
    assert.deepEqual(moved.counts, { pending: 5, rejected: 2, bytes: 1030 });
    assert.equal(moved.update(from, encoded(from.key, 10)), false);
    const updated = batchOf({}, from.key);
    assert.equal(updated.update(from, encoded(from.key, 60)), true);
    assert.deepEqual(updated.counts, { pending: 5, rejected: 2, bytes: 960 });
    const gone = batchOf();
    gone.move(from, encoded(pendingKey(A, 3), 130));
    assert.equal(gone.update(from, encoded(from.key, 60)), false);
    assert.equal(gone.remove(from), false);
    assert.equal(gone.reject(from, Buffer.from('x')), false);
    assert.deepEqual([gone.operations, gone.counts], [[], COUNTS]);
  });

  it('remove an entry with its time, and the index if it names this entry', () => {
    const entry = { replaces: 'torque', keepUntil: 77 };
    const one = stored(pendingKey(A, 1), 1, 100, entry);
    const latest = { torque: { key: one.key, bytes: 100 } };
    const batch = batchOf(latest, one.key);
    assert.equal(batch.remove(one), true);
    assert.deepEqual(batch.counts, { pending: 4, rejected: 2, bytes: 900 });
    assert.deepEqual(changes(batch), [
      `del ${latestKey('torque')}`,
      `del ${one.key}`,
      `del ${expiryKey(77, 1)}`,
    ]);
    // The next one for the target replaces nothing.
    batch.add(encoded(pendingKey(A, 2), 30), 'torque');
    assert.deepEqual(batch.replaced, []);
    const newer = batchOf({ torque: { key: pendingKey(A, 2), bytes: 1 } }, one.key);
    newer.remove(one);
    assert.deepEqual(changes(newer), [`del ${one.key}`, `del ${expiryKey(77, 1)}`]);
    const plain = batchOf({ undefined: { key: one.key, bytes: 1 } });
    plain.remove(stored(one.key, 1, 100));
    assert.deepEqual(changes(plain), [`del ${one.key}`]);
  });

  it('count a rejected entry with its file, and one that is restored or discarded', () => {
    const one = stored(pendingKey(A, 1), 1, 100, { fileSize: 50 });
    const batch = batchOf();
    assert.equal(batch.reject(one, Buffer.from('12345')), true);
    assert.deepEqual(batch.counts, { pending: 4, rejected: 3, bytes: 955 });
    assert.deepEqual(changes(batch), [`del ${one.key}`, `put ${rejectedKey(1)}`].sort());
    const restored = batchOf();
    restored.restore(rejected(1, 100), encoded(pendingKey(A, 8), 70));
    assert.deepEqual(restored.counts, { pending: 6, rejected: 1, bytes: 970 });
    const discarded = batchOf();
    discarded.discard(rejected(1, 100));
    assert.deepEqual(discarded.counts, { pending: 5, rejected: 1, bytes: 900 });
    assert.deepEqual(changes(discarded), [`del ${rejectedKey(1)}`]);
  });
});

describe('outbox: the counts of entries', () => {
  const MIB = 1024 * 1024;

  it('are at their limit with all pending, rejected and arriving entries', () => {
    const counters = new Counters({ entries: 6, bytes: MIB });
    counters.load({ sequence: 9, pending: 3, rejected: 2, bytes: 0 });
    assert.equal(counters.lastSequence, 8);
    counters.reserve(1);
    const { message } = thrown(() => counters.reserve(1), 'ION_OVERLOADED');
    assert.equal(
      message,
      'The outbox holds 6 writes, which is its limit. Send fewer, raise the limit in the ION config node, or check it for rejected writes.',
    );
    counters.release(1);
    counters.reserve(1);
  });

  it('are at their limit with the last byte, also of arriving entries', () => {
    const counters = new Counters({ entries: 100, bytes: 3 * MIB });
    counters.load({ sequence: 1, pending: 1, rejected: 0, bytes: MIB });
    counters.reserve(MIB);
    counters.reserve(MIB);
    const { message } = thrown(() => counters.reserve(1), 'ION_OVERLOADED');
    assert.match(message, /^The outbox is full \(3 MiB\)\. Send less, raise the limit /);
  });
});

describe('outbox: the common part of an entry', () => {
  const ENTRY = { sender: 'node', context: 1, acceptedAt: 5 };

  it('is an object with numbers that fit into a key', () => {
    assert.equal(isEntry(ENTRY), true);
    for (const keepUntil of [0, MAX_IN_KEY]) assert.equal(isEntry({ ...ENTRY, keepUntil }), true);
    for (const keepUntil of [-1, MAX_IN_KEY + 1, 0.5, '1', null]) {
      assert.equal(isEntry({ ...ENTRY, keepUntil }), false);
    }
    for (const other of [null, undefined, 'text', [ENTRY], Object.assign([], ENTRY)]) {
      assert.equal(isEntry(other), false);
    }
  });

  it('is that of a rejected entry only with a code, a text and a time', () => {
    const error = { code: 'ION_SERVER', message: 'No' };
    const isRejected = (more: object) => isRejectedEntry({ ...ENTRY, ...more } as Entry);
    assert.equal(isRejected({ error, givenUpAt: 5 }), true);
    assert.equal(isRejected({ error }), false);
    assert.equal(isRejected({ givenUpAt: 5 }), false);
    assert.equal(isRejected({ error: { code: 'ION_SERVER' }, givenUpAt: 5 }), false);
    assert.equal(isRejected({ error: { message: 'No' }, givenUpAt: 5 }), false);
  });
});
