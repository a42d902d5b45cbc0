import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import { Deploys } from '../../nodes/config/deploys.js';
import { senderExpressions } from '../../nodes/config/sender-expressions.js';
import type { Evaluate } from '../../nodes/outbox/graphql-writes.js';

const node = { _flow: { getSetting: () => 'line 7' } };
const configNode = { _flow: { getSetting: () => undefined } } as unknown as Node;

describe('the expressions of a pending write', () => {
  let events: EventEmitter;
  let nodes: Record<string, object>;
  let deploys: Deploys;
  let evaluate: Evaluate;
  beforeEach(() => {
    events = new EventEmitter();
    nodes = { node };
    const RED = { util, events, nodes: { getNode: (id: string) => nodes[id] ?? null } };
    deploys = new Deploys(RED as unknown as NodeAPI);
    evaluate = senderExpressions(RED as unknown as NodeAPI, configNode, deploys);
    events.emit('flows:started');
  });
  const line = () => evaluate('$env("LINE")', {}, 'node');

  it('read the flow of the node that accepted it', async () => {
    assert.equal(await line(), 'line 7');
  });

  it('wait during a deploy until the node exists again', async () => {
    events.emit('flows:stopping');
    nodes = {};
    let result: unknown;
    const evaluated = line().then((value) => {
      result = value;
    });
    await nextTurn();
    assert.equal(result, undefined);
    nodes = { node };
    events.emit('flows:started');
    await evaluated;
    assert.equal(result, 'line 7');
  });

  it('fail if they read the flow of a node that was deleted, and otherwise do without it', async () => {
    nodes = {};
    await assert.rejects(line(), /node, which was deleted/);
    assert.equal(await evaluate('$env2 := 1', {}, 'node'), 1);
  });

  it('leave no listener when the config node closes', () => {
    deploys.close();
    assert.deepEqual(events.eventNames(), []);
  });
});
