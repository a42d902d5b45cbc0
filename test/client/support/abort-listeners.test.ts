import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { abortableDelay, addAbortListener } from '../../../nodes/client/support/abort-listeners.js';

describe('abort signal', () => {
  it('notifies all waiting listeners once, in order', () => {
    const controller = new AbortController();
    const called: number[] = [];
    const ends = [1, 2, 3, 4].map((number) =>
      addAbortListener(controller.signal, () => called.push(number)),
    );
    ends[1]?.();
    ends[1]?.();
    controller.abort();
    ends[2]?.();
    assert.deepEqual(called, [1, 3, 4]);
  });

  it('notifies listeners that remove other listeners', () => {
    const controller = new AbortController();
    const called: string[] = [];
    addAbortListener(controller.signal, () => {
      called.push('first');
      endSecond();
    });
    const endSecond = addAbortListener(controller.signal, () => called.push('second'));
    addAbortListener(controller.signal, () => called.push('third'));
    controller.abort();
    assert.deepEqual(called, ['first', 'third']);
  });

  it('has one listener, however many wait', () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 1000; i++) addAbortListener(signal, () => {});
    assert.equal(getEventListeners(signal, 'abort').length, 1);
  });
});

describe('a delay', () => {
  const reason = () => new Error('closed');

  it('ends in time, and a later abort has no effect', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const startedAt = performance.now();
    await abortableDelay(20, [first.signal, second.signal], reason);
    assert.ok(performance.now() - startedAt >= 19);
    first.abort();
  });

  it('ends when any of its signals aborts', async () => {
    for (const index of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()];
      const signals = controllers.map(({ signal }) => signal);
      const delay = abortableDelay(60_000, signals, reason);
      controllers[index]?.abort();
      await assert.rejects(delay, /closed/);
    }
  });

  it('does not begin with an aborted signal', async () => {
    await assert.rejects(abortableDelay(60_000, [AbortSignal.abort()], reason), /closed/);
  });
});
