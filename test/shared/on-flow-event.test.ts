import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { NodeAPI } from 'node-red';
import { onFlowEvent } from '../../nodes/shared/on-flow-event.js';

describe('events of flows', () => {
  it('have one listener for any number of nodes, and none after the last one', () => {
    const events = new EventEmitter();
    const RED = { events } as unknown as NodeAPI;
    const called: number[] = [];
    const stops = Array.from({ length: 20 }, (_, index) =>
      onFlowEvent(RED, 'flows:started', () => called.push(index)),
    );
    assert.equal(events.listenerCount('flows:started'), 1);
    events.emit('flows:started');
    assert.deepEqual(called, [...stops.keys()]);
    for (const stop of stops) stop();
    assert.equal(events.listenerCount('flows:started'), 0);
    const stop = onFlowEvent(RED, 'flows:started', () => called.push(20));
    // A second call does not stop others.
    stops[0]?.();
    events.emit('flows:started');
    assert.equal(called.at(-1), 20);
    stop();
  });

  it('may end a callback while they are reported', () => {
    const events = new EventEmitter();
    const RED = { events } as unknown as NodeAPI;
    let calls = 0;
    const stop = onFlowEvent(RED, 'flows:stopping', () => {
      calls++;
      stop();
    });
    events.emit('flows:stopping');
    events.emit('flows:stopping');
    assert.equal(calls, 1);
  });
});
