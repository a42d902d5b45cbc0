import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { IonError } from '../../nodes/client/errors.js';
import type { Entry, Stored } from '../../nodes/outbox/store/entries.js';
import { partitionOf } from '../../nodes/outbox/store/keys.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';
import { failure } from '../support/errors.js';
import { mutation, valueIn, write } from '../support/outbox.js';

const A = partitionOf('a');
const LIMITS = { entries: 1000, bytes: 10_000_000 };

/** Entries with odd numbers are mutations. */
const entry = (value: unknown, more: Partial<Entry> = {}): Entry => {
  const isMutation = typeof value === 'number' && value % 2 === 1;
  const { own } = isMutation ? mutation(1, value) : write({ field: 1 }, value);
  return { ...own, sender: 'node', context: 'context', acceptedAt: 1, ...more };
};

describe('outbox: the store', () => {
  let folder: string;
  const opened = new Set<OutboxStore>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
  });
  afterEach(async () => {
    await Promise.all([...opened].map((store) => store.close()));
    opened.clear();
    await rm(folder, { recursive: true });
  });
  const open = async (limits = LIMITS) => {
    const store = await OutboxStore.open(folder, limits);
    opened.add(store);
    return store;
  };
  const close = async (store: OutboxStore) => {
    opened.delete(store);
    await store.close();
  };
  const written = (row: Stored | undefined) => valueIn(row?.entry);
  const values = (rows: Stored[]) => rows.map(written);
  const partitions = async (store: OutboxStore) => {
    const found: string[] = [];
    for (let head = await store.partitionAfter(''); head; ) {
      found.push(head.partition);
      head = await store.partitionAfter(head.partition);
    }
    return found;
  };
  const all = async (store: OutboxStore) => {
    const found = await partitions(store);
    const rows = await Promise.all(found.map((partition) => store.first(partition, 1000)));
    return rows.flat();
  };

  it('keeps entries through a restart, in order, by run', async () => {
    const store = await open();
    for (const [value, run] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
      [4, undefined],
      [5, 'a!b'],
      [6, 'a'],
    ] as const) {
      await store.add(entry(value), run && partitionOf(run));
    }
    await close(store);
    const again = await open();
    assert.equal(again.pending, 6);
    const [a, ab, b] = await partitions(again);
    assert.deepEqual(values(await again.first(String(a), 10)), [1, 3, 6]);
    assert.deepEqual(values(await again.first(String(ab), 10)), [5]);
    assert.deepEqual(values(await again.first(String(b), 10)), [2]);
    assert.deepEqual(values(await again.firstUnresolved(10)), [4]);
    const next = await again.add(entry(7), A);
    assert.equal(next.sequence, 7);
  });

  it('keeps values of any type, also those that JSON cannot express', async () => {
    const value = { at: new Date(5), bytes: Buffer.from([0, 255]), nothing: undefined, big: 7n };
    const store = await open();
    await store.add(entry(value), A);
    await close(store);
    const [row] = await all(await open());
    const found = written(row) as typeof value;
    assert.deepEqual([found.at, [...found.bytes], found.big], [value.at, [0, 255], 7n]);
    assert.equal(String(row?.entry.context), 'context');
  });

  it('assigns an entry to its run by its age', async () => {
    const store = await open();
    const early = await store.add(entry('early'), undefined);
    await store.add(entry('late'), A);
    await store.resolve(early, A);
    assert.deepEqual(values(await all(store)), ['early', 'late']);
    assert.deepEqual(await store.firstUnresolved(10), []);
    assert.equal(store.pending, 2);
  });

  it('keeps only the latest value if configured', async () => {
    const store = await open();
    const latest = (value: number, replaces = 'torque') => entry(value, { replaces });
    const first = await store.add(latest(1), A);
    await store.add(entry('other'), A);
    await store.add(latest(2), A);
    // Several in one batch.
    await Promise.all([
      store.add(latest(3), A),
      store.add(latest(4), A),
      store.add(latest(9, 'gap'), A),
    ]);
    assert.deepEqual(values(await all(store)), ['other', 4, 9]);
    assert.equal(store.pending, 3);
    // The delivery of an entry that has been replaced removes nothing else.
    await store.remove(first);
    assert.equal(store.pending, 3);
    await close(store);
    const again = await open();
    await again.add(latest(5), A);
    assert.deepEqual(values(await all(again)), ['other', 9, 5]);
    const [, , five] = await all(again);
    await again.remove(five as Stored);
    await again.add(latest(6), A);
    assert.deepEqual(values(await all(again)), ['other', 9, 6]);
    assert.equal(again.pending, 3);
  });

  it('counts the latest value of a target whose last value was just delivered', async () => {
    const store = await open();
    const latest = (value: number) => entry(value, { replaces: 'torque' });
    const removing = store.remove(await store.add(latest(1), A));
    assert.equal(store.pending, 0);
    await store.add(latest(2), A);
    assert.equal(store.pending, 1);
    await removing;
    assert.deepEqual([store.pending, values(await all(store))], [1, [2]]);
  });

  it('does not bring a replaced value back when more becomes known of it', async () => {
    const store = await open();
    const latest = (value: number) => entry(value, { replaces: 'torque' });
    await store.add(latest(1), A);
    const [delivering] = await store.first(A, 1);
    assert.ok(delivering);
    await store.add(latest(2), A);
    await store.update({
      ...delivering,
      entry: { ...delivering.entry, context: 'longer context' },
    });
    assert.deepEqual(values(await all(store)), [2]);
    await store.remove(delivering);
    assert.equal(store.pending, 1);
    const [newest] = await store.first(A, 1);
    assert.ok(newest);
    await store.update({ ...newest, entry: { ...newest.entry, context: 'longer context' } });
    await store.add(latest(3), A);
    assert.deepEqual(values(await all(store)), [3]);
    assert.equal(store.pending, 1);
    await close(store);
    assert.equal((await open()).pending, 1);
  });

  it('keeps the latest value also of entries whose run is looked up first', async () => {
    const store = await open();
    const first = await store.add(entry(1, { replaces: 'torque' }), undefined);
    await store.add(entry(2, { replaces: 'torque' }), undefined);
    await store.resolve(first, A);
    assert.deepEqual(await all(store), []);
    const [second] = await store.firstUnresolved(10);
    await store.resolve(second as Stored, A);
    await store.add(entry(3, { replaces: 'torque' }), undefined);
    assert.deepEqual(await all(store), []);
    assert.equal(store.pending, 1);
  });

  it('keeps rejected writes apart until somebody decides', async () => {
    const store = await open();
    const one = await store.add(entry(1), A);
    const two = await store.add(entry(2), A);
    await store.reject(one, { code: 'ION_GRAPHQL', message: 'no' }, 5);
    await store.reject(two, { code: 'ION_GRAPHQL', message: 'no' }, 6);
    assert.deepEqual([store.pending, store.rejected], [0, 2]);
    const [first, second] = await store.firstRejected(10);
    assert.deepEqual(first?.entry.error, { code: 'ION_GRAPHQL', message: 'no' });
    await store.discard(second ?? assert.fail());
    assert.deepEqual([store.pending, store.rejected], [0, 1]);
    await close(store);
    assert.equal((await open()).rejected, 1);
  });

  it('keeps files next to the entries, and removes them together', async () => {
    const store = await open();
    const add = (value: string) =>
      store.add(entry(value, { fileSize: 3 }), A, {
        content: (async function* () {
          yield Buffer.from('abc');
        })(),
      });
    const one = await add('one');
    const two = await add('two');
    assert.equal(await readFile(store.filePathOf(one.sequence), 'utf8'), 'abc');
    await store.remove(one);
    await store.reject(two, { code: 'ION_GRAPHQL', message: 'no' }, 5);
    const kept = store.filePathOf(two.sequence);
    assert.equal(await readFile(kept, 'utf8'), 'abc');
    // Left by a process that ended before its entry was stored.
    await writeFile(store.filePathOf(999), 'lost');
    await close(store);
    const again = await open();
    assert.deepEqual(await readdir(join(folder, 'files')), [String(two.sequence)]);
    const [rejected] = await again.firstRejected(1);
    await again.discard(rejected ?? assert.fail());
    assert.deepEqual(await readdir(join(folder, 'files')), []);
  });

  it('rejects more entries than its limit, and accepts them again when there is room', async () => {
    const store = await open({ ...LIMITS, entries: 2 });
    const one = await store.add(entry(1), A);
    const outcomes = await Promise.allSettled([store.add(entry(2), A), store.add(entry(3), A)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    const error = await failure(store.add(entry(3), A), 'ION_OVERLOADED');
    assert.match(error.message, /holds 2 writes, which is its limit/);
    await store.remove(one);
    await store.add(entry(3), A);
  });

  it('rejects more bytes than its limit, including those of files', async () => {
    const store = await open({ ...LIMITS, bytes: 10_000 });
    const big = Buffer.alloc(6000);
    await store.add(entry(big), A);
    await failure(store.add(entry(big), A), 'ION_OVERLOADED');
    await failure(store.add(entry(1, { fileSize: 5000 }), A), 'ION_OVERLOADED');
    const [row] = await all(store);
    await store.remove(row as Stored);
    await store.add(entry(big), A);
  });

  it('has correct counts after thousands of changes', async () => {
    const store = await open();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          store.add(
            entry(index, index % 3 ? {} : { replaces: `field ${index % 7}` }),
            partitionOf(`run ${index % 5}`),
          ),
        ),
      );
      const rows = await all(store);
      await Promise.all(rows.filter((_, index) => index % 2).map((row) => store.remove(row)));
    }
    const rows = await all(store);
    assert.equal(store.pending, rows.length);
    for (const row of rows) await store.remove(row);
    assert.deepEqual([store.pending, await all(store)], [0, []]);
    // No bytes are counted for nothing either.
    await store.add(entry(Buffer.alloc(LIMITS.bytes - 1000)), A);
  });

  it('reports an unreadable disk as temporary', async () => {
    const store = await open();
    const { iterator, keys } = ClassicLevel.prototype;
    const fail = () => {
      const text = 'IO error: 000005.ldb: Input/output error';
      throw Object.assign(new Error(text), { code: 'LEVEL_IO_ERROR' });
    };
    const broken = { nextv: async () => fail(), close: async () => {} };
    ClassicLevel.prototype.iterator = (() => broken) as never;
    ClassicLevel.prototype.keys = (() => fail()) as never;
    try {
      for (const reading of [
        store.firstUnresolved(1),
        store.partitionAfter(''),
        store.firstRejected(1),
      ]) {
        const { message } = await failure(reading, 'ION_OVERLOADED');
        assert.match(message, /cannot be used for now: .*Input\/output error/);
      }
    } finally {
      Object.assign(ClassicLevel.prototype, { iterator, keys });
    }
    assert.deepEqual(await store.firstUnresolved(1), []);
  });

  it('leaves no iterator open, which would slow down all later reads', async () => {
    const { iterator, keys } = ClassicLevel.prototype;
    let count = 0;
    const counted = <Args extends unknown[]>(create: (...args: Args) => unknown) =>
      function (this: unknown, ...args: Args) {
        const created = create.apply(this, args) as { close(): Promise<void> };
        const { close } = created;
        count++;
        let isClosed = false;
        return Object.assign(created, {
          close() {
            if (!isClosed) count--;
            isClosed = true;
            return close.call(created);
          },
        });
      };
    Object.assign(ClassicLevel.prototype, { iterator: counted(iterator), keys: counted(keys) });
    try {
      const store = await open();
      for (const value of [1, 2, 3]) await store.add(entry(value), A);
      await store.add(entry(4, { replaces: 'torque' }), undefined);
      await all(store);
      await store.firstUnresolved(1);
      await store.firstRejected(1);
      assert.equal(count, 0);
    } finally {
      Object.assign(ClassicLevel.prototype, { iterator, keys });
    }
  });

  it('reports a folder that cannot be created', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await failure(OutboxStore.open(join(file, 'outbox'), LIMITS), 'ION_CONFIG');
  });

  describe('on a disk that is full for a while', () => {
    const { batch } = ClassicLevel.prototype;
    afterEach(() => {
      ClassicLevel.prototype.batch = batch;
    });
    const fill = () => {
      ClassicLevel.prototype.batch = (() =>
        Promise.reject(new Error('IO error: 000005.log: No space left on device'))) as never;
    };
    const free = () => {
      ClassicLevel.prototype.batch = batch;
    };

    it('reports it, accepts nothing that it cannot keep, and continues when there is room', async () => {
      const store = await open();
      const accepted: number[] = [];
      const add = (value: number) =>
        store.add(entry(value), A).then(
          () => accepted.push(value),
          (error: IonError) => {
            assert.equal(error.code, 'ION_OVERLOADED');
            assert.match(error.message, /because the disk is full/);
          },
        );
      for (let value = 0; value < 300; value += 10) {
        const adding = Array.from({ length: 10 }, (_, index) => add(value + index));
        if (value === 100) fill();
        if (value === 200) free();
        await Promise.all(adding);
      }
      assert.ok(
        accepted.length >= 180 && accepted.length <= 210,
        `${accepted.length} were accepted`,
      );
      assert.deepEqual(values(await all(store)), accepted);
      assert.equal(store.pending, accepted.length);
      await close(store);
      assert.deepEqual(values(await all(await open())), accepted);
    });

    it('does not deliver again what was delivered while the disk was full', async () => {
      const store = await open();
      for (const value of [1, 2, 3]) await store.add(entry(value), A);
      const [first, second] = await all(store);
      fill();
      const removals = [store.remove(first as Stored), store.remove(second as Stored)];
      assert.deepEqual(values(await all(store)), [3]);
      assert.equal(store.pending, 1);
      await failure(store.add(entry(4), A), 'ION_OVERLOADED');
      assert.deepEqual(values(await all(store)), [3]);
      free();
      await Promise.all(removals);
      await store.add(entry(5), A);
      assert.deepEqual(values(await all(store)), [3, 5]);
      await close(store);
      const again = await open();
      assert.deepEqual(values(await all(again)), [3, 5]);
      assert.equal(again.pending, 2);
    });

    it('keeps the file of an entry that arrives when there is room again', async () => {
      const store = await open();
      fill();
      await failure(store.add(entry(1), A), 'ION_OVERLOADED');
      free();
      const content = (async function* () {
        yield Buffer.from('abc');
      })();
      const kept = await store.add(entry(2, { fileSize: 3 }), A, { content });
      assert.equal(await readFile(store.filePathOf(kept.sequence), 'utf8'), 'abc');
    });
  });

  describe('after a power loss', () => {
    const log = async () => {
      const names = await readdir(join(folder, 'entries'));
      return join(folder, 'entries', names.find((name) => name.endsWith('.log')) ?? assert.fail());
    };

    it('has everything that was on disk, whatever follows in a half-written log', async () => {
      const store = await open();
      for (let value = 0; value < 50; value++) await store.add(entry(value), A);
      await close(store);
      await appendFile(await log(), Buffer.alloc(777, 0xa5));
      const again = await open();
      assert.deepEqual(
        values(await all(again)),
        Array.from({ length: 50 }, (_, index) => index),
      );
      assert.equal(again.pending, 50);
      await again.add(entry('next'), A);
      await close(again);
      assert.equal((await all(await open())).length, 51);
    });

    for (const cut of [200, 500, 1000, 2000, 4000]) {
      it(`has a beginning of the order, without a gap, if ${cut} bytes of the log are missing`, async () => {
        const store = await open();
        for (let value = 0; value < 50; value++) await store.add(entry(value), A);
        await close(store);
        const path = await log();
        const { length } = await readFile(path);
        await truncate(path, length - cut);
        const again = await open();
        const found = values(await all(again));
        assert.ok(found.length > 0 && found.length < 50);
        assert.deepEqual(
          found,
          Array.from({ length: found.length }, (_, index) => index),
        );
        assert.equal(again.pending, found.length);
        await again.add(entry('next'), A);
        assert.equal((await all(again)).length, found.length + 1);
      });
    }

    it('is repaired if its description is damaged', async () => {
      const store = await open();
      for (let value = 0; value < 50; value++) await store.add(entry(value), A);
      await close(store);
      await writeFile(join(folder, 'entries', 'CURRENT'), 'nonsense');
      const again = await open();
      assert.deepEqual(
        values(await all(again)),
        Array.from({ length: 50 }, (_, index) => index),
      );
      assert.equal(again.pending, 50);
    });
  });
});
