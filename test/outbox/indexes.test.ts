import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { Entry, RejectedEntry, Stored } from '../../nodes/outbox/store/entries.js';
import { encode } from '../../nodes/outbox/store/entry-codec.js';
import { EntryFiles } from '../../nodes/outbox/store/entry-files.js';
import { EntryReader } from '../../nodes/outbox/store/entry-reader.js';
import { readExpired, readNextExpiry } from '../../nodes/outbox/store/expiry-index.js';
import {
  expiryKey,
  latestKey,
  MAX_IN_KEY,
  META,
  partitionOf,
  pendingKey,
  rejectedKey,
  unresolvedKey,
} from '../../nodes/outbox/store/keys.js';
import {
  encodeLatest,
  type IndexPart,
  mayBeGone,
  readIndex,
  targetOf,
} from '../../nodes/outbox/store/latest-index.js';
import { recount } from '../../nodes/outbox/store/recount.js';
import type { Level } from '../../nodes/storage/open-level.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { write } from '../support/outbox.js';

const A = partitionOf('a');
const B = partitionOf('b!b');
const GARBAGE = Buffer.from('not an entry');

const pending = (more: Partial<Entry> = {}): Buffer => {
  const { own } = write({ field: 1 }, 1);
  return encode({ ...own, sender: 'node', context: 'context', acceptedAt: 1, ...more });
};
const rejected = (more: Partial<RejectedEntry> = {}): Buffer =>
  pending({
    error: { code: 'ION_SERVER', message: 'No' },
    givenUpAt: 2,
    ...more,
  } as Partial<Entry>);
const latest = (key: string, bytes: number) => encodeLatest({ key, bytes });

describe('outbox: the indexes on the disk', () => {
  const temporary = useTemporaryFolder();
  let level: Level;
  let reader: EntryReader;
  let count = 0;

  beforeEach(async () => {
    const folder = join(temporary.path, `level ${++count}`);
    level = new ClassicLevel(folder, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    await level.open();
    reader = new EntryReader(new EntryFiles(folder), () => true);
  });
  afterEach(() => level.close());

  const put = async (records: Record<string, Buffer>) => {
    for (const [key, value] of Object.entries(records)) await level.put(key, value);
  };
  /** The records of the indexes, as texts. */
  const indexes = async () => {
    const found: Record<string, string> = {};
    for await (const [key, value] of level.iterator()) {
      if (/^[lx]!/.test(key)) found[key] = value.toString();
    }
    return found;
  };

  describe('after damage', () => {
    it('are all gone without entries, and numbers begin at 1', async () => {
      await put({
        [META]: Buffer.from('{}'),
        [latestKey('torque')]: GARBAGE,
        [expiryKey(5, 1)]: Buffer.from(pendingKey(A, 1)),
        other: GARBAGE,
      });
      const counts = { sequence: 1, pending: 0, rejected: 0, bytes: 0 };
      assert.deepEqual(await recount(level, reader), counts);
      assert.deepEqual(await indexes(), {});
      assert.deepEqual(await level.keys().all(), [META, 'other']);
    });

    it('count all entries, with the bytes of their files, and the highest number', async () => {
      const records = {
        [pendingKey(A, 3)]: pending(),
        [pendingKey(B, 12)]: pending({ fileSize: 1000 }),
        [unresolvedKey(4)]: pending(),
        [rejectedKey(40)]: rejected({ fileSize: 500 }),
        [rejectedKey(5)]: rejected(),
        [pendingKey(A, 7)]: GARBAGE,
      };
      await put({ ...records, [META]: Buffer.from('x'), other: pending() });
      const bytes = Object.values(records).reduce((sum, { length }) => sum + length, 1500);
      assert.deepEqual(await recount(level, reader), {
        sequence: 41,
        pending: 4,
        rejected: 2,
        bytes,
      });
    });

    it('name the newest pending entry of each target, whichever order key it has', async () => {
      const value = pending({ replaces: 'torque' });
      await put({
        [pendingKey(A, 9)]: value,
        [pendingKey(B, 10)]: value,
        [unresolvedKey(8)]: value,
        [unresolvedKey(11)]: pending({ replaces: 'gap' }),
        [pendingKey(A, 12)]: pending(),
        [rejectedKey(20)]: rejected({ replaces: 'torque' }),
        [latestKey('old')]: latest(pendingKey(A, 1), 5),
      });
      await recount(level, reader);
      assert.deepEqual(await indexes(), {
        [latestKey('torque')]: latest(pendingKey(B, 10), value.length).toString(),
        [latestKey('gap')]: latest(
          unresolvedKey(11),
          pending({ replaces: 'gap' }).length,
        ).toString(),
      });
    });

    it('name the time of each pending entry that expires', async () => {
      await put({
        [pendingKey(A, 1)]: pending({ keepUntil: 50 }),
        [unresolvedKey(2)]: pending({ keepUntil: 7 }),
        [pendingKey(B, 3)]: pending(),
        [rejectedKey(4)]: rejected({ keepUntil: 60 }),
        [expiryKey(70, 1)]: Buffer.from(pendingKey(A, 1)),
      });
      await recount(level, reader);
      assert.deepEqual(await indexes(), {
        [expiryKey(7, 2)]: unresolvedKey(2),
        [expiryKey(50, 1)]: pendingKey(A, 1),
      });
    });
  });

  describe('of latest values', () => {
    const plain = ({ latest: found, present }: IndexPart) => ({
      latest: [...found],
      present: [...present].sort(),
    });

    it('are read for all queries of a batch at once', async () => {
      const [one, two] = [pendingKey(A, 1), pendingKey(A, 2)];
      await put({
        [latestKey('torque')]: latest(one, 10),
        [latestKey('gap')]: latest(pendingKey(A, 5), 20),
        [latestKey('damaged')]: GARBAGE,
        [latestKey('no number')]: Buffer.from(JSON.stringify({ key: one, bytes: '10' })),
        [latestKey('no key')]: Buffer.from(JSON.stringify({ key: 1, bytes: 10 })),
        [one]: pending(),
        [two]: pending(),
      });
      const targets = ['torque', 'gap', 'torque', 'none', 'damaged', 'no number', 'no key'];
      const queries = [
        ...targets.map((target) => ({ target })),
        { key: two },
        { key: pendingKey(A, 3) },
        {},
      ];
      assert.deepEqual(plain(await readIndex(level, queries)), {
        latest: [
          ['torque', { key: one, bytes: 10 }],
          ['gap', { key: pendingKey(A, 5), bytes: 20 }],
          ['none', undefined],
          ['damaged', undefined],
          ['no number', undefined],
          ['no key', undefined],
        ],
        present: [one, two],
      });
    });

    it('are not read without queries', async () => {
      const refused = () => assert.fail('reads the disk');
      Object.assign(level, { getMany: refused, hasMany: refused });
      assert.deepEqual(plain(await readIndex(level, [{}, {}])), { latest: [], present: [] });
    });

    it('name the target of an entry that cannot be read', async () => {
      await put({
        [latestKey('damaged')]: GARBAGE,
        [latestKey('gap')]: latest(pendingKey(A, 5), 20),
        [latestKey('torque')]: latest(pendingKey(A, 1), 10),
      });
      assert.equal(await targetOf(level, pendingKey(A, 1)), 'torque');
      assert.equal(await targetOf(level, pendingKey(A, 2)), undefined);
    });

    it('matter only to entries that may be gone', () => {
      const gone = (entry: Partial<Entry>, unreadable?: Buffer) =>
        mayBeGone({ entry, unreadable } as Stored);
      assert.equal(gone({}), false);
      assert.equal(gone({ replaces: 'torque' }), true);
      assert.equal(gone({ replaces: '' }), true);
      assert.equal(gone({ keepUntil: 0 }), true);
      assert.equal(gone({}, GARBAGE), true);
    });
  });

  describe('of times', () => {
    const none = () => false;
    const read = async (
      now: number,
      limit = 100,
      isDelivered = none as (key: string) => boolean,
    ) => {
      const { entries, wrong } = await readExpired(level, reader, { now, limit }, isDelivered);
      return { sequences: entries.map(({ sequence }) => sequence), wrong };
    };
    const putEntry = (
      key: string,
      sequence: number,
      more: Partial<Entry> & { keepUntil: number },
    ) => put({ [key]: pending(more), [expiryKey(more.keepUntil, sequence)]: Buffer.from(key) });

    it('yield the entries whose time has come, the earliest first', async () => {
      await putEntry(pendingKey(A, 1), 1, { keepUntil: 100 });
      await putEntry(unresolvedKey(2), 2, { keepUntil: 20 });
      await putEntry(pendingKey(B, 3), 3, { keepUntil: 101 });
      assert.deepEqual(await read(100), { sequences: [2, 1], wrong: [] });
      assert.deepEqual(await read(19), { sequences: [], wrong: [] });
      assert.deepEqual(await read(100, 1), { sequences: [2], wrong: [] });
      assert.deepEqual(await read(MAX_IN_KEY), { sequences: [2, 1, 3], wrong: [] });
      assert.equal(await readNextExpiry(level), 20);
    });

    it('leave out delivered entries', async () => {
      await putEntry(pendingKey(A, 1), 1, { keepUntil: 10 });
      await putEntry(pendingKey(A, 2), 2, { keepUntil: 10 });
      const isDelivered = (key: string) => key === pendingKey(A, 1);
      assert.deepEqual(await read(10, 1, isDelivered), { sequences: [2], wrong: [] });
    });

    it('are wrong if they belong to no entry, to another one or to another time', async () => {
      const key = pendingKey(A, 1);
      await put({
        [key]: pending({ keepUntil: 5 }),
        [rejectedKey(6)]: rejected({ keepUntil: 6 }),
        [expiryKey(4, 1)]: Buffer.from(key),
        [expiryKey(5, 2)]: Buffer.from(key),
        [expiryKey(5, 3)]: Buffer.from(pendingKey(A, 3)),
        [expiryKey(6, 6)]: Buffer.from(rejectedKey(6)),
        'x!1!1': Buffer.from(key),
      });
      const { sequences, wrong } = await read(100);
      assert.deepEqual(sequences, []);
      const all = [expiryKey(4, 1), expiryKey(5, 2), expiryKey(5, 3), expiryKey(6, 6)];
      assert.deepEqual(wrong.filter((each) => each !== 'x!1!1').sort(), all);
    });

    it('yield an entry that cannot be read by its number', async () => {
      const key = pendingKey(A, 1);
      await put({ [key]: GARBAGE, [expiryKey(5, 1)]: Buffer.from(key) });
      assert.deepEqual(await read(5), { sequences: [1], wrong: [] });
    });

    it('are read until the entries have 8 MiB, without their files', async () => {
      const context = 'x'.repeat(5 * 1024 * 1024);
      for (const number of [1, 2, 3]) {
        await putEntry(pendingKey(A, number), number, { keepUntil: number, context });
      }
      assert.deepEqual(await read(10), { sequences: [1, 2], wrong: [] });
      for (const number of [1, 2, 3]) {
        await putEntry(pendingKey(A, number), number, { keepUntil: number, fileSize: 5e9 });
      }
      assert.deepEqual(await read(10), { sequences: [1, 2, 3], wrong: [] });
    });

    it('do not end the search for the next one if they are damaged', async () => {
      assert.equal(await readNextExpiry(level), undefined);
      await put({ 'x!0': GARBAGE, [expiryKey(30, 1)]: Buffer.from('x') });
      assert.equal(await readNextExpiry(level), 30);
    });
  });
});
