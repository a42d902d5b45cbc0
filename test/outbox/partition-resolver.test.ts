import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { closedError, IonError } from '../../nodes/client/errors.js';
import type { CircuitBreaker, CircuitState } from '../../nodes/outbox/circuit-breaker.js';
import type { EntryKinds } from '../../nodes/outbox/entry-kind.js';
import { OrderBarrier } from '../../nodes/outbox/order-barrier.js';
import { PartitionResolver } from '../../nodes/outbox/partition-resolver.js';
import type { Rejections } from '../../nodes/outbox/rejections.js';
import type { Stored } from '../../nodes/outbox/store/entries.js';
import { fault, outage } from '../support/outbox.js';
import { until } from '../support/until.js';

/** A look-up that a test ends. */
interface LookUp {
  sequence: number;
  signal: AbortSignal;
  find(orderKey: string): void;
  fail(error: IonError): void;
}

describe('outbox: the search for the partitions of entries', () => {
  let stored: Stored[];
  let lookUps: LookUp[];
  /** Events in their order. */
  let events: string[];
  let state: CircuitState;
  let isResponding: boolean;
  let canRun: boolean;
  let guessed: number[];
  let barrier: OrderBarrier;
  let closing: AbortController;
  let resolver: PartitionResolver;
  let onRead: () => void;
  let onMove: () => unknown;
  /** The failure of the disk with which the next entry is not moved. */
  let diskFailure: IonError | undefined;

  beforeEach(() => {
    stored = [];
    lookUps = [];
    events = [];
    state = 'closed';
    isResponding = true;
    canRun = true;
    guessed = [];
    onRead = () => {};
    onMove = () => {};
    diskFailure = undefined;
    closing = new AbortController();
    barrier = new OrderBarrier();
    resolver = new PartitionResolver({
      store: {
        firstUnresolved: async (limit) => {
          onRead();
          return stored.slice(0, limit);
        },
        resolve: async (entry, partition) => {
          await onMove();
          await nextTurn();
          if (diskFailure) {
            const failure = diskFailure;
            diskFailure = undefined;
            throw failure;
          }
          stored = stored.filter((each) => each !== entry);
          events.push(`${entry.sequence} in ${partition}`);
        },
      },
      kinds: {
        of: () => ({
          findOrderKey: ({ acceptedAt: sequence }: { acceptedAt: number }, signal: AbortSignal) =>
            new Promise<string>((find, fail) => lookUps.push({ sequence, signal, find, fail })),
          unknownOrderKey: ({ acceptedAt }: { acceptedAt: number }) => `unknown-${acceptedAt}`,
          isGuessed: ({ acceptedAt }: { acceptedAt: number }) => guessed.includes(acceptedAt),
        }),
      } as unknown as EntryKinds,
      barrier,
      breaker: {
        get state() {
          return state;
        },
        responded: () => void events.push('responded'),
        isResponding: async () => isResponding,
        open: () => {
          state = 'open';
          events.push('open');
        },
      } as unknown as CircuitBreaker,
      rejections: {
        reject: async (entry: Stored, { message }: IonError) => {
          stored = stored.filter((each) => each !== entry);
          events.push(`${entry.sequence} rejected: ${message}`);
        },
        rejectUnreadable: async (entry: Stored) => {
          stored = stored.filter((each) => each !== entry);
          events.push(`${entry.sequence} unreadable`);
        },
      } as unknown as Rejections,
      signal: closing.signal,
      canRun: () => canRun && state !== 'open',
      delayMs: (failures) => {
        events.push(`retry ${failures}`);
        return 0;
      },
      onResolved: () => void events.push(`may deliver up to ${barrier.limitOf('')}`),
    });
  });
  afterEach(async () => {
    closing.abort();
    for (const { fail } of lookUps) fail(closedError());
    await resolver.close();
  });
  const add = (sequence: number, more: Partial<Stored> = {}) => {
    const entry = { sender: 'node', context: {}, acceptedAt: sequence };
    stored.push({ key: '', sequence, entry, bytes: 1, ...more });
  };
  const lookUp = async (sequence: number): Promise<LookUp> => {
    const find = () => lookUps.find((each) => each.sequence === sequence);
    await until(() => find() !== undefined);
    const found = find() ?? assert.fail();
    lookUps.splice(lookUps.indexOf(found), 1);
    return found;
  };
  const happened = (event: string) => until(() => events.includes(event));
  const isIdle = () =>
    until(() => events.at(-1) === `may deliver up to ${Number.POSITIVE_INFINITY}`);
  const without = (...words: string[]) =>
    events.filter((event) => !words.some((word) => event.startsWith(word)));

  it('ends in the order of the entries, also if later look-ups end first', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    for (const sequence of [1, 2, 3, 4]) add(sequence);
    resolver.run();
    const first = await lookUp(1);
    // Nobody waits for this one yet.
    (await lookUp(4)).fail(new IonError('ION_NOT_FOUND', 'no such run'));
    (await lookUp(3)).find('c');
    (await lookUp(2)).find('b');
    await nextTurn();
    process.off('unhandledRejection', onUnhandled);
    assert.deepEqual(unhandled, []);
    assert.deepEqual(events, []);
    assert.deepEqual([barrier.blocks('q!b!', 2), barrier.blocks('q!a!', 1)], [true, false]);
    first.find('a');
    await isIdle();
    assert.deepEqual(without('responded', 'may'), [
      ...['1 in q!a!', '2 in q!b!', '3 in q!c!', '4 rejected: no such run'],
    ]);
    assert.equal(events.filter((event) => event === 'responded').length, 4);
  });

  it('asks for a hundred entries at once, and for one while it is unknown whether ION is back', async () => {
    for (let sequence = 1; sequence <= 150; sequence++) add(sequence);
    state = 'half-open';
    resolver.run();
    const probe = await lookUp(1);
    assert.equal(lookUps.length, 0);
    state = 'closed';
    probe.find('a');
    await until(() => lookUps.length === 100);
    for (const each of lookUps.splice(0)) each.find('a');
    await until(() => lookUps.length === 49);
    for (const each of lookUps.splice(0)) each.find('a');
    await isIdle();
    assert.equal(stored.length, 0);
  });

  it('lets deliveries continue up to the entry whose look-up failed', async () => {
    for (const sequence of [4, 7, 9]) add(sequence);
    isResponding = false;
    resolver.run();
    (await lookUp(4)).find('a');
    (await lookUp(9)).find('c');
    (await lookUp(7)).fail(outage());
    await happened('may deliver up to 7');
    assert.deepEqual(events, ['responded', '4 in q!a!', 'open', 'may deliver up to 7']);
    assert.equal(barrier.blocks('q!c!', 9), true);
  });

  it('tries again after an outage, when somebody starts it, and as often as there are outages', async () => {
    add(1);
    for (let outages = 1; outages <= 8; outages++) {
      isResponding = false;
      state = 'half-open';
      resolver.run();
      (await lookUp(1)).fail(outage());
      await until(() => events.filter((event) => event === 'open').length === outages);
      await resolver.run();
    }
    assert.deepEqual(without('open', 'may'), [], 'no retry before, and nothing resolved');
    isResponding = true;
    state = 'half-open';
    resolver.run();
    (await lookUp(1)).find('a');
    await happened('1 in q!a!');
  });

  it('rejects an entry that ION rejects, and continues', async () => {
    add(1);
    add(2);
    resolver.run();
    (await lookUp(1)).fail(new IonError('ION_NOT_FOUND', 'no such run'));
    (await lookUp(2)).find('b');
    await isIdle();
    assert.deepEqual(without('may'), [
      ...['responded', '1 rejected: no such run', 'responded', '2 in q!b!'],
    ]);
  });

  it('sets aside an entry that cannot be read, without asking ION', async () => {
    add(1, { unreadable: Buffer.from('x') });
    add(2);
    resolver.run();
    (await lookUp(2)).find('b');
    await isIdle();
    assert.deepEqual(without('may', 'responded'), ['1 unreadable', '2 in q!b!']);
  });

  it('puts an entry into a queue of its own if its look-up fails five times while ION responds', async () => {
    add(1);
    resolver.run();
    for (let tries = 1; tries <= 5; tries++) {
      assert.equal(events.filter((event) => event.includes(' in ')).length, 0);
      (await lookUp(1)).fail(fault());
    }
    await isIdle();
    assert.deepEqual(without('may'), [
      'retry 1',
      'retry 2',
      'retry 3',
      'retry 4',
      '1 in q!unknown-1!',
    ]);
  });

  it('counts the failures of each entry alone, and only those in a row', async () => {
    add(1);
    add(2);
    resolver.run();
    const failOnce = async (sequence: number) => {
      const found = await lookUp(sequence);
      found.fail(fault());
    };
    const endOther = async () => (await lookUp(2)).find('b');
    for (let tries = 1; tries <= 4; tries++) {
      await failOnce(1);
      await endOther();
    }
    // An outage in between says nothing about the entry.
    isResponding = false;
    await failOnce(1);
    await endOther();
    await happened('open');
    isResponding = true;
    state = 'half-open';
    resolver.run();
    await failOnce(1);
    for (let tries = 2; tries <= 4; tries++) {
      state = 'closed';
      await failOnce(1);
      await endOther();
    }
    assert.equal(stored.length, 2);
    (await lookUp(1)).find('a');
    await failOnce(2);
    await happened('1 in q!a!');
    const since = events.indexOf('1 in q!a!');
    await until(() => events.slice(since).some((event) => event.startsWith('retry')));
    assert.deepEqual(
      events.slice(since).filter((event) => event.startsWith('retry')),
      ['retry 1'],
    );
    for (let tries = 2; tries <= 4; tries++) await failOnce(2);
    assert.equal(stored.length, 1, 'four failures of the second entry, not eight');
    (await lookUp(2)).find('b');
    await isIdle();
    assert.deepEqual(without('may', 'retry', 'responded', 'open'), ['1 in q!a!', '2 in q!b!']);
    // Another failure after a success is the first one again.
    add(3);
    events = [];
    resolver.run();
    await failOnce(3);
    await happened('retry 1');
    (await lookUp(3)).find('c');
    await isIdle();
  });

  it('takes a guess after two failures in a row while ION responds, but never in an outage', async () => {
    add(1);
    add(2);
    guessed = [1, 2];
    state = 'half-open';
    resolver.run();
    (await lookUp(1)).fail(fault());
    await happened('retry 1');
    isResponding = false;
    (await lookUp(1)).fail(outage());
    await happened('open');
    isResponding = true;
    state = 'half-open';
    resolver.run();
    (await lookUp(1)).fail(fault());
    const last = await lookUp(1);
    assert.equal(stored.length, 2);
    events = [];
    last.fail(fault());
    (await lookUp(2)).fail(fault());
    (await lookUp(2)).fail(fault());
    await isIdle();
    // The delays begin with the first one again.
    const found = ['1 in q!unknown-1!', 'retry 1', '2 in q!unknown-2!'];
    assert.deepEqual(without('may'), found);
  });

  it('takes no guess because of an outage that ended during the look-ups', async () => {
    add(1);
    add(2);
    guessed = [2];
    resolver.run();
    (await lookUp(2)).fail(outage());
    // ION is back.
    (await lookUp(1)).find('a');
    await happened('retry 1');
    (await lookUp(2)).find('a');
    await isIdle();
    assert.deepEqual(without('may', 'responded', 'retry'), ['1 in q!a!', '2 in q!a!']);
  });

  it('looks an entry up again if the disk fails, and guesses nothing', async () => {
    add(1);
    add(2);
    guessed = [1, 2];
    diskFailure = new IonError('ION_OVERLOADED', 'disk full', { transient: true });
    resolver.run();
    (await lookUp(1)).find('a');
    (await lookUp(2)).find('b');
    const again = await lookUp(1);
    assert.deepEqual(without('may', 'responded'), ['2 in q!b!', 'retry 1']);
    assert.equal(barrier.blocks('q!b!', 2), true, 'the first one may go to the same queue');
    again.find('a');
    await isIdle();
    assert.deepEqual(without('may', 'responded'), ['2 in q!b!', 'retry 1', '1 in q!a!']);
  });

  it('moves entries whose look-ups have ended together, and lets others follow when they are moved', async () => {
    const limits: number[] = [];
    for (const sequence of [1, 2, 3]) add(sequence);
    onMove = () => limits.push(barrier.limitOf(''));
    resolver.run();
    const first = await lookUp(1);
    (await lookUp(2)).find('b');
    first.find('a');
    await happened('2 in q!b!');
    assert.deepEqual(limits, [1, 1]);
    assert.equal(barrier.limitOf(''), 3);
    (await lookUp(3)).find('c');
    await isIdle();
  });

  it('reads no entry again that is still being moved', async () => {
    for (const sequence of [1, 2]) add(sequence);
    let end = () => {};
    const moving = new Promise<void>((resolve) => {
      end = resolve;
    });
    onMove = () => moving;
    let reads = 0;
    onRead = () => void reads++;
    resolver.run();
    const second = await lookUp(2);
    (await lookUp(1)).find('a');
    second.fail(outage());
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    assert.equal(reads, 1);
    isResponding = true;
    end();
    (await lookUp(2)).find('b');
    await isIdle();
    assert.deepEqual(without('may', 'responded', 'retry'), ['1 in q!a!', '2 in q!b!']);
  });

  it('does nothing while it may not run', async () => {
    add(1);
    canRun = false;
    resolver.run();
    await nextTurn();
    assert.deepEqual([lookUps, events], [[], []]);
    canRun = true;
    resolver.run();
    (await lookUp(1)).find('a');
    await happened('1 in q!a!');
  });

  it('sees an entry that arrives during the last search', async () => {
    let reads = 0;
    onRead = () => {
      if (++reads > 1) return;
      void barrier.arrive(undefined, async (onSequence) => onSequence(5));
      setImmediate(() => {
        add(5);
        resolver.run();
      });
    };
    resolver.run();
    (await lookUp(5)).find('a');
    assert.equal(barrier.blocks('q!a!', 6), true);
    await isIdle();
    assert.deepEqual(without('may'), ['responded', '5 in q!a!']);
  });

  for (const [how, end] of [
    ['fails', (each: LookUp) => each.fail(closedError())],
    ['is rejected', (each: LookUp) => each.fail(new IonError('ION_NOT_FOUND', 'no such run'))],
  ] as const) {
    it(`ends with the outbox: a look-up that ${how} then changes nothing`, async () => {
      add(1);
      add(2);
      resolver.run();
      const [first, second] = [await lookUp(1), await lookUp(2)];
      assert.deepEqual([first.signal, second.signal], [closing.signal, closing.signal]);
      closing.abort();
      let isClosed = false;
      const closed = resolver.close().then(() => {
        isClosed = true;
      });
      await nextTurn();
      assert.equal(isClosed, false, 'it waits for the look-up');
      end(first);
      second.find('b');
      await closed;
      resolver.run();
      await nextTurn();
      assert.deepEqual(without('may', 'retry'), []);
      assert.deepEqual([stored.length, lookUps.length], [2, 0]);
    });
  }
});
