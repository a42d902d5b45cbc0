import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { IonError } from '../../nodes/client/errors.js';
import { Deploys } from '../../nodes/config/deploys.js';
import { LateReports } from '../../nodes/config/late-reports.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import { FakeIon, useOutbox, write } from '../support/outbox.js';

describe('the outcome of a write whose node a deploy is replacing', () => {
  let events: EventEmitter;
  let deploys: Deploys;
  let ion: FakeIon;
  let outcomes: string[];
  const listeners = new Map<string, OutboxListener>();
  const listener: OutboxListener = {
    delivered: ({ context }) => void outcomes.push(`delivered ${context}`),
    rejected: ({ context }) => void outcomes.push(`rejected ${context}`),
    failed: (thrown) => assert.fail(String(thrown)),
    changed() {},
  };
  beforeEach(() => {
    events = new EventEmitter();
    deploys = new Deploys({ events } as unknown as NodeAPI);
    ion = new FakeIon();
    outcomes = [];
    listeners.clear();
    events.emit('flows:started');
  });
  const outboxes = useOutbox(() => {
    const late = new LateReports(deploys, (sender) => listeners.get(sender));
    return { writer: ion, listeners, onAbsent: (sender, report) => late.add(sender, report) };
  });
  const deliver = async () => {
    ion.fail = (value) =>
      value === 'refused' ? new IonError('ION_GRAPHQL', 'no', { origin: 'operation' }) : undefined;
    const outbox = await outboxes.open();
    outbox.start();
    await outbox.add('node', write({ run: 1 }, 'accepted'), 'a');
    await outbox.add('node', write({ run: 1 }, 'refused'), 'b');
    await outboxes.empty(outbox);
    await outboxes.close(outbox);
  };

  it('reaches the new node when the flows have started, in order and once', async () => {
    events.emit('flows:stopping');
    await deliver();
    listeners.set('node', listener);
    assert.deepEqual(outcomes, []);
    events.emit('flows:started');
    await nextTurn();
    assert.deepEqual(outcomes, ['delivered a', 'rejected b']);
    events.emit('flows:stopping');
    events.emit('flows:started');
    await nextTurn();
    assert.equal(outcomes.length, 2);
  });

  it('is dropped if the node was deleted, by this deploy or before it', async () => {
    await deliver();
    events.emit('flows:stopping');
    await deliver();
    events.emit('flows:started');
    await nextTurn();
    listeners.set('node', listener);
    events.emit('flows:stopping');
    events.emit('flows:started');
    await nextTurn();
    assert.deepEqual(outcomes, []);
  });
});
