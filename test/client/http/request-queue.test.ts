import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { type Priority, RequestQueue } from '../../../nodes/client/http/request-queue.js';
import { failure, thrown } from '../../support/errors.js';

describe('queue', () => {
  const { signal } = new AbortController();

  /** Enters and notes the name as soon as there is a slot. */
  const enter = (queue: RequestQueue, entered: string[], name: string, turn: Priority = 'new') =>
    Promise.resolve(queue.enter(signal, turn)).then(() => {
      entered.push(name);
    });

  it('admits as many at once as its size', async () => {
    const queue = new RequestQueue(2, 10);
    assert.equal(queue.enter(signal, 'new'), undefined);
    assert.equal(queue.enter(signal, 'new'), undefined);
    const third = queue.enter(signal, 'new');
    assert.ok(third);
    queue.leave();
    await third;
  });

  it('admits waiting entries in order', async () => {
    const queue = new RequestQueue(1, 10);
    const entered: string[] = [];
    const all = ['a', 'b', 'c', 'd'].map((name) => enter(queue, entered, name));
    for (const one of all) {
      await one;
      queue.leave();
    }
    assert.deepEqual(entered, ['a', 'b', 'c', 'd']);
  });

  it('admits retries first, and further pages in turn with new messages', async () => {
    const queue = new RequestQueue(1, 10);
    const entered: string[] = [];
    const all = [
      enter(queue, entered, 'running'),
      enter(queue, entered, 'new 1'),
      enter(queue, entered, 'page', 'continued'),
      enter(queue, entered, 'new 2'),
      enter(queue, entered, 'retry 1', 'retry'),
      enter(queue, entered, 'retry 2', 'retry'),
    ];
    for (const _ of all) {
      await new Promise(setImmediate);
      queue.leave();
    }
    await Promise.all(all);
    assert.deepEqual(entered, ['running', 'retry 1', 'retry 2', 'new 1', 'page', 'new 2']);
  });

  it('counts entries that pause before a retry as waiting', async () => {
    const queue = new RequestQueue(1, 2);
    const pauses: (() => void)[] = [];
    const pause = () => new Promise<void>((resolve) => pauses.push(resolve));
    const paused = [queue.whileBackingOff(pause), queue.whileBackingOff(pause)];
    assert.equal(thrown(() => queue.enter(signal, 'new'), 'ION_OVERLOADED').transient, false);
    assert.equal(queue.enter(signal, 'retry'), undefined);
    queue.leave();
    for (const end of pauses) end();
    await Promise.all(paused);
    assert.equal(queue.enter(signal, 'new'), undefined);
  });

  it('admits a message if a slot is free, also when none may wait', () => {
    const queue = new RequestQueue(1, 0);
    assert.equal(queue.enter(signal, 'new'), undefined);
    thrown(() => queue.enter(signal, 'new'), 'ION_OVERLOADED');
  });

  it('rejects new messages once too many wait', () => {
    const queue = new RequestQueue(1, 2);
    void queue.enter(signal, 'new');
    void queue.enter(signal, 'new');
    void queue.enter(signal, 'new');
    const error = thrown(() => queue.enter(signal, 'new'), 'ION_OVERLOADED');
    assert.match(error.message, /2 messages are already queued/);
  });

  it('admits continued work, however many wait', async () => {
    const queue = new RequestQueue(1, 0);
    void queue.enter(signal, 'new');
    const page = queue.enter(signal, 'continued');
    const retry = queue.enter(signal, 'retry');
    thrown(() => queue.enter(signal, 'new'), 'ION_OVERLOADED');
    queue.leave();
    await retry;
    queue.leave();
    await page;
  });

  it('has room again when a waiting entry leaves', async () => {
    const queue = new RequestQueue(1, 1);
    void queue.enter(signal, 'new');
    const controller = new AbortController();
    const waiting = failure(Promise.resolve(queue.enter(controller.signal, 'new')), 'ION_CLOSED');
    thrown(() => queue.enter(signal, 'new'), 'ION_OVERLOADED');
    controller.abort();
    await waiting;
    const next = queue.enter(signal, 'new');
    queue.leave();
    await next;
  });

  it('rejects an entry whose signal has aborted', () => {
    const queue = new RequestQueue(1, 1);
    thrown(() => queue.enter(AbortSignal.abort(), 'new'), 'ION_CLOSED');
    assert.equal(queue.enter(signal, 'new'), undefined);
  });

  it('notifies only entries that have to wait', () => {
    const queue = new RequestQueue(1, 1);
    let told = 0;
    void queue.enter(signal, 'new', () => told++);
    assert.equal(told, 0);
    void queue.enter(signal, 'new', () => told++);
    assert.equal(told, 1);
  });

  it('fails all waiting entries when it closes, and ignores their signals then', async () => {
    const queue = new RequestQueue(1, 10);
    const controller = new AbortController();
    void queue.enter(controller.signal, 'new');
    const waiting = (['new', 'continued', 'retry'] as const).map((turn) =>
      failure(Promise.resolve(queue.enter(controller.signal, turn)), 'ION_CLOSED'),
    );
    queue.close();
    await Promise.all(waiting);
    assert.ok(getEventListeners(controller.signal, 'abort').length <= 1);
    controller.abort();
  });

  it('never exceeds its size, loses none and keeps the order, in any sequence of events', async () => {
    const work = fc.record({ ticks: fc.nat(3), gone: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(work), async (size, works) => {
        const queue = new RequestQueue(size, works.length);
        let running = 0;
        const served: number[] = [];
        const ends = works.map(async ({ ticks, gone }, i) => {
          const controller = new AbortController();
          const place = queue.enter(controller.signal, 'new');
          // Only a waiting entry can leave without having been admitted.
          if (place && gone) {
            controller.abort();
            await failure(place, 'ION_CLOSED');
            return;
          }
          await place;
          served.push(i);
          assert.ok(++running <= size);
          for (let tick = 0; tick < ticks; tick++) await undefined;
          running--;
          queue.leave();
        });
        await Promise.all(ends);
        assert.deepEqual(
          served,
          served.toSorted((a, b) => a - b),
        );
        // All slots are free again.
        for (let i = 0; i < size; i++) assert.equal(queue.enter(signal, 'new'), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
