import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { addAbortListener } from '../../../nodes/client/support/abort-listeners.js';

describe('abort signal', () => {
  it('notifies all waiting listeners once, in order', () => {
    const controller = new AbortController();
    const told: number[] = [];
    const ends = [1, 2, 3, 4].map((who) =>
      addAbortListener(controller.signal, () => told.push(who)),
    );
    ends[1]?.();
    ends[1]?.();
    controller.abort();
    ends[2]?.();
    assert.deepEqual(told, [1, 3, 4]);
  });

  it('notifies listeners that remove other listeners', () => {
    const controller = new AbortController();
    const told: string[] = [];
    addAbortListener(controller.signal, () => {
      told.push('first');
      endSecond();
    });
    const endSecond = addAbortListener(controller.signal, () => told.push('second'));
    addAbortListener(controller.signal, () => told.push('third'));
    controller.abort();
    assert.deepEqual(told, ['first', 'third']);
  });

  it('has one listener, however many wait', () => {
    const { signal } = new AbortController();
    for (let who = 0; who < 1000; who++) addAbortListener(signal, () => {});
    assert.equal(getEventListeners(signal, 'abort').length, 1);
  });
});
