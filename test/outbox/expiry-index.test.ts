import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { IonError } from '../../nodes/client/errors.js';
import { Expiry } from '../../nodes/outbox/expiry.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import { describeKinds, FakeIon, fault, inStore, useOutbox, valueIn } from '../support/outbox.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;
/** Far more than the outbox needs in that time, far less than one that never rests. */
const MAX_READS = 30;
const WATCHED_MS = 150;

const number = (value: number) => String(value).padStart(15, '0');
const expiries = { gte: 'x!', lt: 'x"' };

describeKinds('outbox: damage of the times at which entries expire', (kind) => {
  let ion: FakeIon;
  let rejected: unknown[];
  const listeners = new Map<string, OutboxListener>();
  const now = Date.now;
  beforeEach(() => {
    ion = new FakeIon();
    ion.isDown = true;
    rejected = [];
    listeners.set('node', {
      delivered() {},
      rejected: (entry) => void rejected.push(valueIn(entry)),
      failed: (thrown) => assert.fail(String(thrown)),
      changed() {},
    });
  });
  afterEach(() => {
    Date.now = now;
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners, pauseMs: 60_000 }));
  const { open, close, empty } = outboxes;
  const add = (outbox: Outbox, run: number, value: unknown, keepForMs?: number) => {
    const { own } = kind.entry(run, value);
    return outbox.add('node', { own: { ...own, ...(keepForMs && { keepForMs }) } }, {});
  };
  const later = (ms: number) => {
    Date.now = () => now() + ms;
  };
  /** Keys of the records of times. */
  const records = async () => {
    let found: string[] = [];
    await inStore(outboxes.folder, async (level) => {
      found = await level.keys(expiries).all();
    });
    return found;
  };
  const restsNow = async () => {
    const { iterator, keys } = ClassicLevel.prototype;
    let reads = 0;
    const counted = <Args extends unknown[]>(read: (...args: Args) => unknown) =>
      function (this: unknown, ...args: Args) {
        reads++;
        return read.apply(this, args);
      };
    Object.assign(ClassicLevel.prototype, { iterator: counted(iterator), keys: counted(keys) });
    try {
      await sleep(WATCHED_MS);
    } finally {
      Object.assign(ClassicLevel.prototype, { iterator, keys });
    }
    assert.ok(reads <= MAX_READS, `${reads} reads in ${WATCHED_MS} ms`);
  };
  /** During an outage. */
  const expectRest = async (expected: number[]) => {
    const outbox = await open();
    outbox.start();
    await until(() => counts(outbox).join() === expected.join());
    await restsNow();
    assert.deepEqual(counts(outbox), expected);
    await close(outbox);
  };
  /** After the outage. */
  const openAgain = async () => {
    ion.isDown = false;
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    return outbox;
  };
  /** Three entries, of which the first two expire after an hour and after two hours. */
  const three = async () => {
    const outbox = await open();
    await add(outbox, 1, 'hour', HOUR_MS);
    await add(outbox, 2, 'two hours', 2 * HOUR_MS);
    await add(outbox, 3, 'kept');
    await close(outbox);
  };
  const counts = ({ state: { pending, rejected } }: Outbox) => [pending, rejected];

  it('keeps entries without them, and sends none that has expired', async () => {
    await three();
    await inStore(outboxes.folder, (level) => level.clear(expiries));
    later(1.5 * HOUR_MS);
    await expectRest([2, 1]);
    const outbox = await openAgain();
    await empty(outbox);
    assert.deepEqual(ion.written.map(({ value }) => value).sort(), ['kept', 'two hours']);
    assert.deepEqual(rejected, ['hour']);
  });

  it('finds them again together with the counts', async () => {
    await three();
    const before = await records();
    await inStore(outboxes.folder, async (level) => {
      await level.clear(expiries);
      await level.put(`x!${number(1)}!${number(2)}`, Buffer.from('gone'));
      await level.del('m');
    });
    const recounted = await open();
    await close(recounted);
    assert.deepEqual(await records(), before);
    later(1.5 * HOUR_MS);
    const outbox = await open();
    outbox.start();
    await until(() => outbox.state.rejected === 1);
    assert.deepEqual([rejected, counts(outbox)], [['hour'], [2, 1]]);
  });

  it('rejects nothing else if they name something else', async () => {
    await three();
    const refusing = await openAgain();
    ion.fail = (written) => (written === 'refused' ? new IonError('ION_GRAPHQL', 'no') : fault());
    await add(refusing, 4, 'refused', HOUR_MS);
    await until(() => refusing.state.rejected === 1);
    await close(refusing);
    ion.isDown = true;
    const [first = ''] = await records();
    const others = ['nonsense', '', 'm', `q!1!${number(77)}`, `q!3!${number(3)}`];
    others.push(`q!2!${number(2)}`, `g!${number(4)}`, `x!${number(1)}!${number(1)}`);
    await inStore(outboxes.folder, async (level) => {
      await level.put(first, Buffer.from('nonsense'));
      for (const [time, other] of others.entries()) {
        for (const sequence of [2, 3, 4]) {
          await level.put(`x!${number(time)}!${number(sequence)}`, Buffer.from(other));
        }
      }
    });
    later(1.5 * HOUR_MS);
    rejected = [];
    await expectRest([2, 2]);
    ion.fail = () => undefined;
    const outbox = await openAgain();
    await empty(outbox);
    assert.deepEqual([rejected, counts(outbox)], [['hour'], [0, 2]]);
    await outbox.decide('retry');
    await until(() => counts(outbox).join() === '0,0');
    assert.equal(ion.written.length, 4);
    await close(outbox);
    assert.deepEqual(await records(), []);
  });

  it('rests with keys that no version makes', async () => {
    await three();
    const keys = ['', '!', 'abc', 'abc!def', `9e99!${number(1)}`, `0000000000000-5!${number(1)}`];
    keys.push(...['!', '!x', ''].map((end) => `${number(1)}${end}`));
    keys.push(`000000000000NaN!${number(1)}`, `${Date.now() + 0.5}!${number(1)}`);
    await inStore(outboxes.folder, async (level) => {
      for (const key of keys) await level.put(`x!${key}`, Buffer.from(`q!1!${number(1)}`));
    });
    await expectRest([3, 0]);
    // Also if one of them is the only one.
    for (const key of ['abc', `9e99!${number(1)}`, `${Date.now() + 0.5}!${number(1)}`]) {
      await inStore(outboxes.folder, async (level) => {
        await level.clear(expiries);
        await level.put(`x!${key}`, Buffer.from(`q!1!${number(1)}`));
      });
      await expectRest([3, 0]);
    }
  });

  it('forgets those of thousands of entries that are gone', async () => {
    await three();
    await inStore(outboxes.folder, async (level) => {
      for (let gone = 100; gone < 5000; gone++) {
        await level.put(`x!${number(gone)}!${number(gone)}`, Buffer.from(`q!1!${number(gone)}`));
      }
    });
    later(1.5 * HOUR_MS);
    const outbox = await open();
    outbox.start();
    await until(() => outbox.state.rejected === 1);
    await restsNow();
    await close(outbox);
    assert.deepEqual([rejected, (await records()).length], [['hour'], 1]);
  });

  it('rests while a delivered entry that has expired cannot be removed from a full disk', async () => {
    const { batch } = ClassicLevel.prototype;
    const outbox = await open();
    outbox.start();
    ion.isDown = false;
    let isFull = false;
    ion.before = async () => {
      isFull = true;
    };
    ClassicLevel.prototype.batch = function (this: unknown, ...args: unknown[]) {
      if (isFull) return Promise.reject(new Error('IO error: 5.log: No space left on device'));
      return Reflect.apply(batch, this, args);
    } as never;
    try {
      await add(outbox, 1, 'a', 50);
      await until(() => ion.written.length === 1);
      await sleep(60);
      await restsNow();
      isFull = false;
      assert.deepEqual([rejected, counts(outbox)], [[], [0, 0]]);
    } finally {
      ClassicLevel.prototype.batch = batch;
    }
    await close(outbox);
    assert.deepEqual(await records(), []);
  });

  it('follows a clock that is set forward, and one that is set back, but loses nothing', async () => {
    await three();
    later(10 * HOUR_MS);
    const forward = await open();
    forward.start();
    await until(() => forward.state.rejected === 2);
    // Restored while the clock is wrong, it is kept until then.
    await forward.decide('retry');
    assert.deepEqual(counts(forward), [3, 0]);
    await close(forward);
    later(-10 * HOUR_MS);
    await expectRest([3, 0]);
    await empty(await openAgain());
    assert.deepEqual(ion.written.map(({ value }) => value).sort(), ['hour', 'kept', 'two hours']);
  });

  it('keeps a retried entry as long as a new one, also if it was accepted by a wrong clock', async () => {
    const at = async (hours: number) => {
      later(hours * HOUR_MS);
      const outbox = await open();
      outbox.start();
      await until(() => outbox.state.rejected === 1);
      return outbox;
    };
    later(1000 * HOUR_MS);
    const wrong = await open();
    await add(wrong, 1, 'a', HOUR_MS);
    await close(wrong);
    await close(await at(1002));
    let outbox = await at(0);
    for (const hours of [1.5, 3, 4.5]) {
      await outbox.decide('retry');
      await close(outbox);
      await expectRest([1, 0]);
      outbox = await at(hours);
    }
  });

  it('rejects a retried entry in time as well, while ION cannot be reached', async () => {
    const outbox = await open();
    outbox.start();
    await add(outbox, 1, 'a', 20);
    await until(() => rejected.length === 1);
    await outbox.decide('retry');
    await until(() => rejected.length === 2);
    assert.deepEqual(counts(outbox), [0, 1]);
  });
});

describe('outbox: the wait for the next entry that expires', () => {
  const { setTimeout } = global;
  afterEach(() => {
    global.setTimeout = setTimeout;
  });

  it('ends each minute, because the clock may be set and the computer may sleep', async () => {
    const delays: number[] = [];
    global.setTimeout = ((_work: () => void, ms: number) => delays.push(ms)) as never;
    const expiry = new Expiry({
      store: {
        firstExpired: async () => [],
        nextExpiry: async () => Date.now() + 5 * HOUR_MS,
      },
      rejectExpired: async () => true,
      canRun: () => true,
      delayMs: () => 1,
    });
    expiry.run();
    expiry.expect(Date.now() + HOUR_MS);
    await expiry.close();
    assert.ok(delays.length > 0 && Math.max(...delays) <= 60_000, String(delays));
  });
});
