import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import { CircuitBreaker } from '../../nodes/outbox/circuit-breaker.js';
import { Delivery } from '../../nodes/outbox/delivery.js';
import { type DeliveryTry, type EntryKind, EntryKinds } from '../../nodes/outbox/entry-kind.js';
import { FailingWrites } from '../../nodes/outbox/failing-writes.js';
import { Listeners } from '../../nodes/outbox/listeners.js';
import { OrderBarrier } from '../../nodes/outbox/order-barrier.js';
import { Pauses } from '../../nodes/outbox/pauses.js';
import { RejectionCounts } from '../../nodes/outbox/rejection-counts.js';
import { Rejections } from '../../nodes/outbox/rejections.js';
import type { Entry, Stored } from '../../nodes/outbox/store/entries.js';
import { fault, outage } from '../support/outbox.js';

const PARTITION = 'q!1!';

describe('outbox: the delivery of a partition', () => {
  /** The entries of the partition; a number is the whole entry. */
  let pending: Stored[];
  let tries: (Pick<DeliveryTry, 'isRepeated' | 'sharesDocument' | 'signal'> & {
    sequence: number;
  })[];
  let respond: (sequence: number, attempt: DeliveryTry) => Promise<void> | void;
  let rejected: { sequence: number; error: IonError }[];
  let isReachable: boolean;
  let closing: AbortController;
  let failing: FailingWrites;
  let pauses: Pauses;
  let breaker: CircuitBreaker;
  let barrier: OrderBarrier;
  let updates: [sequence: number, urgency: string | undefined][];
  let changes: number;

  beforeEach(() => {
    pending = [];
    tries = [];
    rejected = [];
    updates = [];
    changes = 0;
    respond = () => {};
    isReachable = true;
    closing = new AbortController();
    barrier = new OrderBarrier();
  });
  afterEach(() => {
    pauses.close();
    breaker.stop();
  });

  const entry = (sequence: number, more: Partial<Stored> & { keepUntil?: number } = {}): Stored => {
    const { keepUntil, ...others } = more;
    const common = { sender: 'node', context: sequence, acceptedAt: Date.now() - 60_000 };
    return {
      ...{ key: `${PARTITION}${sequence}`, sequence, bytes: 1 },
      entry: { ...common, kind: 'note', ...(keepUntil !== undefined && { keepUntil }) },
      ...others,
    };
  };
  const sequences = () => tries.map(({ sequence }) => sequence);
  const leave = async ({ sequence }: Stored) => {
    pending = pending.filter((each) => each.sequence !== sequence);
    return true;
  };

  /** @param lastInherited number of the last entry of an earlier process */
  const deliveryOf = (lastInherited = 0, rule?: { tries: number; ms: number }) => {
    const notes: EntryKind = {
      name: 'note',
      isValid: (each): each is Entry => each !== undefined,
      orderKey: () => '1',
      findOrderKey: async () => '1',
      unknownOrderKey: () => '1',
      restored: (each) => each,
      summary: () => ({ action: 'note', target: {} }),
      async deliver({ context }, attempt) {
        const sequence = Number(context);
        const { isRepeated, sharesDocument, signal } = attempt;
        tries.push({ sequence, isRepeated, sharesDocument, signal });
        await respond(sequence, attempt);
        return { payload: sequence, name: undefined, attempts: 1, traceId: undefined };
      },
    };
    failing = new FailingWrites(rule);
    pauses = new Pauses(() => {});
    const onChange = () => {
      changes++;
    };
    breaker = new CircuitBreaker({
      async check() {
        if (!isReachable) throw outage();
      },
      delayMs: () => 60_000,
      onReady() {},
      onChange,
    });
    const listeners = new Listeners(
      new Map([
        [
          'node',
          {
            delivered() {},
            rejected: ({ context }: Entry, error: IonError) =>
              void rejected.push({ sequence: Number(context), error }),
            failed: (thrown: unknown) => assert.fail(String(thrown)),
            changed() {},
          },
        ],
      ]),
    );
    const store = {
      lastSequence: lastInherited,
      first: async (partition: string, limit: number) =>
        partition === PARTITION ? pending.slice(0, limit) : [],
      update: async ({ sequence }: Stored, urgency?: 'now') =>
        void updates.push([sequence, urgency]),
      remove: async (stored: Stored) => void (await leave(stored)),
      filePathOf: (sequence: number) => `/files/${sequence}`,
      reject: leave,
      drop: leave,
      has: async () => true,
    };
    const counts = new RejectionCounts();
    const rejections = new Rejections({ store, failing, counts, listeners, onChange });
    const { signal } = closing;
    return new Delivery({
      ...{ store, kinds: new EntryKinds([notes]), barrier, breaker, failing, pauses },
      ...{ rejections, listeners, signal, delayMs: () => 60_000, onChange },
      entriesPerTurn: () => 50,
    });
  };

  it('stops before an entry that follows one which is still being accepted', async () => {
    const delivery = deliveryOf();
    pending = [entry(1), entry(3)];
    let stored = () => {};
    const arriving = barrier.arrive(PARTITION, (onSequence) => {
      onSequence(2);
      return new Promise<void>((resolve) => {
        stored = resolve;
      });
    });
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1]);
    stored();
    await arriving;
    pending = [entry(2), entry(3)];
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1, 2, 3]);
  });

  it('gives other partitions their turn after 50 entries', async () => {
    pending = Array.from({ length: 60 }, (_, index) => entry(index + 1));
    await deliveryOf().deliverFrom(PARTITION);
    assert.equal(tries.length, 50);
  });

  it('stops between two entries when the outbox closes', async () => {
    pending = [entry(1), entry(2)];
    respond = () => closing.abort();
    await deliveryOf().deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1]);
  });

  it('says whether an earlier try may have been executed: of an earlier process, or a failed one', async () => {
    const delivery = deliveryOf(1);
    pending = [entry(1), entry(2), entry(3)];
    let faults = 1;
    respond = (sequence) => {
      if (sequence === 2 && faults-- > 0) throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(
      tries.map(({ sequence, isRepeated }) => [sequence, isRepeated]),
      [
        [1, true],
        [2, false],
        [2, true],
        [3, false],
      ],
    );
  });

  it('shares documents with others, except after a failure that may be its own', async () => {
    const delivery = deliveryOf();
    pending = [entry(1), entry(2)];
    let faults = 2;
    respond = () => {
      if (faults-- > 0) throw fault();
    };
    for (let turn = 0; turn < 3; turn++) await delivery.deliverFrom(PARTITION);
    assert.deepEqual(
      tries.map(({ sequence, sharesDocument }) => [sequence, sharesDocument]),
      [
        [1, true],
        [1, false],
        [1, false],
        [2, true],
      ],
    );
  });

  it('lets a kind save an entry, as urgently as it asks, and read its file', async () => {
    let path: string | undefined;
    respond = async (_sequence, { filePath, save }) => {
      path = filePath;
      await save('now');
      await save();
    };
    pending = [entry(4)];
    await deliveryOf().deliverFrom(PARTITION);
    assert.equal(path, '/files/4');
    assert.deepEqual(updates, [
      [4, 'now'],
      [4, undefined],
    ]);
  });

  it('keeps the next entry waiting behind a fault, and continues behind a rejection', async () => {
    const delivery = deliveryOf();
    pending = [entry(1), entry(2), entry(3)];
    respond = (sequence) => {
      if (sequence === 1) throw new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
      if (sequence === 2) throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1, 2]);
    assert.deepEqual(
      rejected.map(({ sequence }) => sequence),
      [1],
    );
    assert.equal(pauses.has(PARTITION), true);
    assert.equal(breaker.state, 'closed');
    const next = failing.of(PARTITION, entry(2))?.nextTryAt ?? 0;
    assert.ok(next > Date.now() + 30_000, 'the dialog shows when it is tried again');
    assert.ok(changes > 1, 'and hears of it');
  });

  it('opens the circuit if ION cannot be reached, which is no fault of the entry', async () => {
    pending = [entry(1), entry(2)];
    isReachable = false;
    respond = () => {
      throw outage();
    };
    await deliveryOf().deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1]);
    assert.equal(breaker.state, 'open');
    assert.equal(breaker.reason?.code, 'ION_NETWORK');
    assert.deepEqual([failing.shown.length, pauses.has(PARTITION)], [0, false]);
  });

  it('leaves an entry that fails while the outbox closes to the next start', async () => {
    pending = [entry(1), entry(2)];
    respond = () => {
      closing.abort();
      throw new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
    };
    await deliveryOf().deliverFrom(PARTITION);
    assert.deepEqual([sequences(), rejected, pending.length], [[1], [], 2]);
    assert.equal(failing.in(PARTITION), undefined);
  });

  it('aborts the try of a failing entry when somebody decides, but not the first one', async () => {
    const delivery = deliveryOf();
    pending = [entry(1)];
    respond = () => {
      delivery.abortTry(PARTITION);
      throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(
      tries.map(({ signal }) => signal.aborted),
      [false, true],
    );
    respond = () => {
      throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    assert.equal(tries[2]?.signal.aborted, false);
    delivery.abortTry(PARTITION);
    assert.equal(tries[2]?.signal.aborted, false, 'it has ended');
    respond = () => {
      closing.abort();
      throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    assert.equal(tries[3]?.signal.aborted, true, 'closing ends it as well');
  });

  it('carries out a decision on a failing entry, during a try and before the next one', async () => {
    for (const isDuring of [true, false]) {
      const delivery = deliveryOf();
      [pending, tries, rejected] = [[entry(1), entry(2)], [], []];
      let count = 0;
      respond = (sequence) => {
        if (sequence !== 1) return;
        if (isDuring && ++count === 2) failing.decide(PARTITION, 'skip');
        throw fault();
      };
      await delivery.deliverFrom(PARTITION);
      if (!isDuring) failing.decide(PARTITION, 'discard');
      await delivery.deliverFrom(PARTITION);
      assert.deepEqual(sequences(), isDuring ? [1, 1, 2] : [1, 2]);
      assert.deepEqual(
        rejected.map(({ sequence, error }) => [sequence, error.code]),
        [[1, 'ION_SERVER']],
      );
      pauses.close();
    }
  });

  it('rejects an entry that failed often and long enough, with the number of attempts', async () => {
    const delivery = deliveryOf(0, { tries: 2, ms: 0 });
    pending = [entry(1), entry(2)];
    respond = (sequence) => {
      if (sequence === 1) throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    assert.equal(rejected.length, 0);
    await delivery.deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [1, 1, 2]);
    assert.match(
      rejected[0]?.error.message ?? '',
      /^a fault The outbox stopped trying after 2 attempts in 0 min\./,
    );
  });

  it('rejects an expired or an unreadable entry without a try, and continues', async () => {
    const unreadable = entry(2, { unreadable: Buffer.from('x') });
    Object.assign(unreadable.entry, { error: { code: 'ION_CONFIG', message: 'It is damaged.' } });
    pending = [entry(1, { keepUntil: Date.now() - 1 }), unreadable, entry(3)];
    await deliveryOf().deliverFrom(PARTITION);
    assert.deepEqual(sequences(), [3]);
    assert.deepEqual(
      rejected.map(({ sequence, error }) => [sequence, error.code]),
      [
        [1, 'ION_TIMEOUT'],
        [2, 'ION_CONFIG'],
      ],
    );
  });

  it('no longer waits for a failing entry that expires', async () => {
    const delivery = deliveryOf();
    const expiring = entry(1, { keepUntil: Date.now() + 60_000 });
    pending = [expiring];
    respond = () => {
      throw fault();
    };
    await delivery.deliverFrom(PARTITION);
    assert.equal(pauses.has(PARTITION), true);
    await delivery.rejectExpired(PARTITION, expiring);
    assert.deepEqual([pauses.has(PARTITION), failing.in(PARTITION)], [false, undefined]);
    assert.equal(rejected[0]?.error.code, 'ION_TIMEOUT');
  });
});
