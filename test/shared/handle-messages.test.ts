import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../../nodes/client/errors.js';
import { handleMessages, type MessageTools } from '../../nodes/shared/handle-messages.js';
import { NodeStatus } from '../../nodes/shared/node-status.js';

type Handle = (msg: object, tools: MessageTools) => Promise<void>;

/** A node without a Node-RED around it. */
function nodeWith(handle: Handle) {
  const warnings: string[] = [];
  const node = Object.assign(new EventEmitter(), {
    status() {},
    warn: (text: string) => void warnings.push(text),
  });
  const RED = { _: (key: string) => key } as unknown as NodeAPI;
  const asNode = node as unknown as Node;
  handleMessages(RED, asNode, new NodeStatus(RED, asNode), 'payload', handle);
  return { node, warnings };
}

const receive = (node: EventEmitter, msg: object, send: (msg: object) => void = () => {}) =>
  new Promise<IonError | undefined>((resolve) => node.emit('input', msg, send, resolve));

describe('a message of any node', () => {
  it('ends when the flow is stopped, also while it waits for work without a signal', async () => {
    let tools: MessageTools | undefined;
    const { node, warnings } = nodeWith((_msg, given) => {
      tools = given;
      return new Promise(() => {});
    });
    const sent: object[] = [];
    const ended = receive(node, {}, (msg) => sent.push(msg));
    const closed = new Promise<void>((resolve) => node.emit('close', false, resolve));
    assert.equal((await ended)?.code, 'ION_CLOSED');
    await closed;
    assert.equal(warnings.length, 1);
    // A late result goes nowhere.
    const details = { operation: 'query', name: undefined, attempts: 1, pages: 1 } as const;
    tools?.send({} as never, 1, details);
    assert.deepEqual(sent, []);
  });

  it('fails like one that the stop ended if it arrives after the stop', async () => {
    const { node } = nodeWith(() => assert.fail('the config node may be gone'));
    await new Promise<void>((resolve) => node.emit('close', false, resolve));
    assert.equal((await receive(node, {}))?.code, 'ION_CLOSED');
  });

  it('ends once, with an error, if the status cannot be shown', async () => {
    const { node } = nodeWith(() => assert.fail('it has no status yet'));
    node.status = () => {
      throw new Error('No status.');
    };
    const ends: (Error | undefined)[] = [];
    await new Promise<void>((resolve) => {
      const done = (error?: Error) => {
        ends.push(error);
        resolve();
      };
      node.emit('input', {}, () => {}, done);
    });
    await new Promise(setImmediate);
    assert.deepEqual(
      ends.map((error) => error?.message),
      ['No status.'],
    );
  });

  for (const [operation, text] of [
    ['mutation', /^Too deep\. The mutation was executed\. Do not send it again\.$/],
    ['query', /^Too deep\.$/],
  ] as const) {
    it(`reports the outcome of the ${operation} if its result cannot be passed on`, async () => {
      const results = { Torque: { written: { id: 5 } } };
      const { node } = nodeWith(async (msg, { send }) => {
        const known = { attempts: 3, traceId: 'abc', results };
        send(msg as never, 1, { operation, name: undefined, ...known });
      });
      const msg: { ion?: Record<string, unknown> } = {};
      const error = await receive(node, msg, () => {
        throw new Error('Too deep.');
      });
      assert.match(String(error?.message), text);
      assert.equal(error?.mayHaveRun, operation === 'mutation');
      const { durationMs, ...details } = msg.ion ?? {};
      assert.equal(typeof durationMs, 'number');
      assert.deepEqual(details, {
        code: 'ION_RESPONSE',
        attempts: 3,
        traceId: 'abc',
        results,
        ...(operation === 'mutation' && { mayHaveRun: true }),
      });
    });
  }

  it('contains all known details of its failure, and its own properties', async () => {
    const known = {
      status: 409,
      errors: [{ message: 'Stale etag.', path: ['updateRun'] }],
      data: { updateRun: null },
      retryAfterMs: 1500,
      traceId: 'abc',
      attempts: 4,
      pages: 2,
      results: { Torque: { error: { code: 'ION_CONFLICT', message: 'Stale etag.' } } },
    };
    const { node } = nodeWith(() => {
      const error = new IonError('ION_CONFLICT', 'Stale etag.');
      return Promise.reject(Object.assign(error, known, { mayHaveRun: true }));
    });
    const msg: Record<string, unknown> = { payload: 7, run: 3 };
    assert.equal((await receive(node, msg))?.code, 'ION_CONFLICT');
    const { durationMs, ...details } = msg.ion as Record<string, unknown>;
    assert.equal(typeof durationMs, 'number');
    assert.deepEqual(details, { code: 'ION_CONFLICT', mayHaveRun: true, ...known });
    assert.deepEqual([msg.payload, msg.run], [7, 3]);
  });
});
