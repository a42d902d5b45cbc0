import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  stepNode,
} from '../../tools/flow-nodes.js';

export const SECRET = 'example-secret';
export const HOOKS = { verified: '/hook/verified', open: '/hook/open', read: '/hook/read' };

const place = { z: 'flow', x: 0, y: 0 };
const TEXT = '{ runs { edges { node { id title } } } }';

/**
 * One config node leads to an ION that responds as the case says, and one to a good one. The third is
 * for the polling node, so that it does not receive responses meant for others.
 */
export function configNodes(url: string): FlowNode[] {
  const usual = {
    type: 'ion-config',
    environment: 'custom',
    timeout: 4,
    retries: 0,
    concurrency: 10,
    queueLimit: 1000,
    outboxLimit: 300,
    outboxSize: 32,
  };
  return ['hostile', 'good', 'polled'].map((name) => ({
    ...usual,
    id: name,
    // If a property contained its own ID, Node-RED would see a circle.
    name: '',
    apiUrl: `${url}/${name}`,
    authUrl: `${url}/${name}`,
  }));
}

/** Keys that any of the servers accepts. */
export const credentials = {
  hostile: { clientId: 'client', clientSecret: 'client-secret' },
  good: { clientId: 'client', clientSecret: 'client-secret' },
  polled: { clientId: 'client', clientSecret: 'client-secret' },
  'hook-verified': { secret: SECRET },
  'hook-registered': { secret: SECRET },
};

/** One node for each mode of the package's nodes, and valid messages for them. */
const targets: { node: FlowNode; messages: Record<string, unknown>[] }[] = [
  ...(['one', 'all', 'stream'] as const).map((pages) => ({
    node: {
      ...graphqlNode,
      id: `graphql-${pages}`,
      query: 'question',
      queryType: 'msg',
      pages,
      pageSize: 3,
    },
    messages: [
      { question: TEXT, variables: { id: 1 }, payload: 'before' },
      { question: 'query ($id: ID!) { run(id: $id) { id title } }', variables: { id: 7 } },
      {
        question:
          'mutation ($title: String!) { createRun(input: { title: $title }) { run { id } } }',
        variables: { title: 'a' },
      },
    ],
  })),
  {
    node: {
      ...graphqlNode,
      id: 'graphql-fixed',
      query: TEXT,
      pages: 'all',
      output: 'payload.deep.result',
    },
    messages: [{ variables: { filters: { id: { in: [1, 2] } } }, payload: {} }],
  },
  ...['array', 'each', 'page'].map((mode) => ({
    node: { ...runsNode, id: `runs-${mode}`, mode, pageSize: 3 },
    messages: [{ filters: { status: { eq: 'TODO' } }, limit: 5, payload: 1 }],
  })),
  {
    node: {
      ...runsNode,
      id: 'runs-filtered',
      filters: [
        { field: 'title', op: 'ilike', value: 'payload', valueType: 'msg' },
        { field: 'part.partNumber', op: 'in', value: 'topic', valueType: 'msg' },
      ],
    },
    messages: [{ payload: '%pump%', topic: 'A, B', filters: { id: { gt: 5 } } }],
  },
  {
    node: { ...runsNode, id: 'runs-changed', changes: true, mode: 'each' },
    messages: [{ filters: {}, payload: 1 }],
  },
  ...['barcode', 'serial', 'run', 'location'].map((by) => ({
    node: {
      ...{ ...lookupNode, id: `lookup-${by}`, by, outputs: 2 },
      ...{ part: 'part', partType: 'msg', step: 'step', stepType: 'msg' },
    },
    messages: [
      { payload: 'SN-0001', part: '', step: '' },
      { payload: '{"uid":"5ca1ab1e000000000000000000000074"}', part: 'P-1', step: 'Assemble' },
      { payload: 7, part: '', step: '' },
    ],
  })),
  {
    node: { ...stepNode, id: 'step-field', outputs: 1 },
    messages: [
      { run: 1, step: 'Assemble', field: 'Torque', payload: 12.5 },
      { step: 3, payload: { Torque: 1, Note: 'x' } },
      { field: 5, payload: '12.5' },
    ],
  },
  {
    node: { ...stepNode, id: 'step-status', action: 'status' },
    messages: [{ run: 1, step: 2, payload: 'in progress' }],
  },
  {
    node: { ...stepNode, id: 'step-file', action: 'file' },
    messages: [{ step: 3, filename: 'report.txt', payload: 'content' }],
  },
  {
    node: { ...stepNode, id: 'step-path', action: 'file', valueType: 'path' },
    messages: [{ step: 3, filename: __filename }],
  },
  {
    node: { ...stepNode, id: 'outbox-field', delivery: 'outbox', outputs: 2 },
    messages: [{ run: 1, step: 'Assemble', field: 'Torque', payload: 12.5 }],
  },
  {
    node: { ...stepNode, id: 'outbox-latest', delivery: 'outbox', keep: 'latest', outputs: 2 },
    messages: [{ step: 3, field: 'Torque', payload: 12.5 }],
  },
  {
    node: { ...stepNode, id: 'outbox-status', action: 'status', delivery: 'outbox', outputs: 2 },
    messages: [{ run: 1, step: 2, payload: 'COMPLETE' }],
  },
  {
    node: { ...stepNode, id: 'outbox-file', action: 'file', delivery: 'outbox', outputs: 2 },
    messages: [{ step: 3, filename: 'report.txt', payload: 'content' }],
  },
];

export const targetIds = targets.map(({ node }) => node.id);

export function rightMessages(id: string): Record<string, unknown>[] {
  return targets.find(({ node }) => node.id === id)?.messages ?? [];
}

/** The usual nodes; the round number makes each deploy different. */
export function baseFlow(url: string, round: number): FlowNode[] {
  const hook = { ...eventsNode, config: 'hostile', via: 'webhook' };
  const wired = (node: FlowNode) => {
    const outputs = Number(node.outputs ?? 1);
    const wires = Array.from({ length: outputs }, () => ['sent']);
    return {
      config: 'hostile',
      ...node,
      ...(node.config === 'config' && { config: 'hostile' }),
      wires,
      ...place,
    };
  };
  return [
    { id: 'flow', type: 'tab', label: 'fuzz' },
    ...configNodes(url),
    ...targets.map(({ node }) => wired(node)),
    wired({ ...graphqlNode, id: 'good-query', config: 'good' }),
    wired({ ...hook, id: 'hook-verified', path: HOOKS.verified }),
    wired({ ...hook, id: 'hook-open', path: HOOKS.open, verify: false }),
    wired({ ...hook, id: 'hook-read', path: HOOKS.read, verify: false, fields: ['id', 'title'] }),
    wired({ ...eventsNode, id: 'poll', config: 'polled', interval: 0.1 }),
    { id: 'sent', type: 'fuzz-sent', wires: [], ...place },
    { id: 'catch', type: 'catch', scope: null, wires: [['caught']], ...place },
    { id: 'caught', type: 'fuzz-caught', wires: [], ...place },
    { id: 'round', type: 'comment', name: `round ${round}`, wires: [], ...place },
  ];
}

/** A webhook that each of its deploys registers in ION. */
export function registeredHook(round: number): FlowNode {
  return {
    ...eventsNode,
    id: 'hook-registered',
    config: 'hostile',
    via: 'webhook',
    path: `/hook/registered-${round % 3}`,
    register: true,
    publicUrl: 'https://factory.example.com',
    wires: [['sent']],
    ...place,
  };
}
