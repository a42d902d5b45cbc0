import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import type { RequestOptions } from '../../nodes/client/client.js';
import { closedError, type IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import ionGraphql from '../../nodes/ion-graphql.js';
import ionRuns from '../../nodes/ion-runs.js';
import { graphqlNode, runsNode } from '../../tools/flow-nodes.js';
import { ListSource } from '../support/list-source.js';

type Outcome = { error: IonError; ion: Record<string, unknown> };

/** Results of a node without a Node-RED for a list of 30 rows in pages of 10. */
async function outcomeOf(
  register: (RED: NodeAPI) => void,
  config: object,
  onSent: (count: number, node: EventEmitter) => void,
  /** Changes the rows of the list in ION's responses. */
  onRows: (edges: { node: unknown }[]) => void = () => {},
): Promise<Outcome> {
  const ids = Array.from({ length: 30 }, (_, index) => index);
  const source = { cursors: 'offset', totalCount: true, maxPageSize: 10, delay: () => 1 } as const;
  const list = new ListSource(ids, source);
  const client = {
    concurrency: list.concurrency,
    async request(operation: Operation, options: RequestOptions) {
      const answer = await list.request(operation, options).catch((thrown) => {
        throw options.signal.aborted ? closedError() : thrown;
      });
      onRows((answer.data.runs as { edges: { node: unknown }[] }).edges);
      return { ...answer, traceId: 'abc' };
    },
  };
  const node = Object.assign(new EventEmitter(), { status() {}, warn() {} });
  let create: ((this: Node, config: object) => void) | undefined;
  const RED = {
    nodes: {
      getNode: () => ({ type: 'ion-config', client }),
      registerType: (_name: string, type: typeof create) => {
        create = type;
      },
      createNode() {},
    },
    util: {
      generateId: () => 'id',
      cloneMessage: (message: object) => ({ ...message }),
    },
    _: (key: string) => key,
  };
  register(RED as unknown as NodeAPI);
  create?.call(node as unknown as Node, config);
  const msg: { ion?: Record<string, unknown> } = {};
  let count = 0;
  const send = () => onSent(++count, node);
  const error = await new Promise<IonError>((resolve) => node.emit('input', msg, send, resolve));
  return { error, ion: msg.ion ?? {} };
}

const QUERY = '{ runs { edges { node { id } } } }';
const NODES = [
  [
    'ion-graphql',
    ionGraphql,
    { ...graphqlNode, query: QUERY, variables: '', pages: 'stream', pageSize: 10 },
  ],
  ['ion-runs', ionRuns, { ...runsNode, fields: ['id'], mode: 'page', pageSize: 10 }],
] as const;

describe('a list that fails halfway because of the flow', () => {
  for (const [type, register, config] of NODES) {
    it(`reports how many pages ${type} delivered if a page cannot be passed on`, async () => {
      const { error, ion } = await outcomeOf(register, config, (count) => {
        if (count === 2) throw new Error('Too deep.');
      });
      assert.equal(error.message, 'Too deep.');
      // ion-runs passes a page on when it has the next one.
      assert.equal(ion.pages, type === 'ion-runs' ? 2 : 1);
      assert.ok(Number(ion.attempts) >= 2, String(ion.attempts));
    });

    it(`reports how many pages ${type} delivered if the flow is stopped`, async () => {
      const { error, ion } = await outcomeOf(register, config, (count, node) => {
        if (count === 1) node.emit('close', false, () => {});
      });
      assert.equal(error.code, 'ION_CLOSED');
      assert.ok(Number(ion.pages) >= 1, String(ion.pages));
      assert.ok(Number(ion.attempts) >= 1, String(ion.attempts));
    });
  }

  it('reports how many pages ion-runs delivered if a row cannot be read', async () => {
    const [, [, register, config]] = NODES;
    const spoil = (edges: { node: unknown }[]) => {
      const row = edges.find(({ node }) => (node as { id: number }).id === 25);
      if (row) row.node = 'no object';
    };
    const { error, ion } = await outcomeOf(register, config, () => {}, spoil);
    assert.equal(error.code, 'ION_RESPONSE');
    assert.deepEqual([ion.pages, ion.attempts, ion.traceId], [2, 3, 'abc']);
  });
});
