import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

const COMMENT = `mutation Comment($entityId: ID!, $content: String) {
  createComment(input: { entityId: $entityId, content: $content }) { comment { content } }
}`;
const FIND = `query Find($entityId: ID!, $content: String) {
  comments(filters: { entityId: { eq: $entityId }, content: { eq: $content } }) {
    edges { node { content } }
  }
}`;

describe('ion-graphql by the outbox', () => {
  const context = useSandbox();
  let flow: TestFlow;
  let folder = '';

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-graphql-outbox-'));
    helper.settings({ userDir: folder });
  });
  afterEach(async () => {
    await helper.unload();
    helper.settings({});
    await rm(folder, { recursive: true });
  });

  const load = async (properties: object = {}) => {
    const node: FlowNode = { ...graphqlNode, query: COMMENT, delivery: 'outbox', ...properties };
    const config = sandboxConfig(context.sandbox);
    flow = await TestFlow.load(node, [config], sandboxKey(context.sandbox));
    return flow;
  };
  /** The messages from both outputs, each as it arrives. */
  const outputs = () => {
    const sent: [number, FlowMessage][] = [];
    const node = helper.getNode('node') as unknown as { send(messages: unknown[]): void };
    const send = node.send.bind(node);
    node.send = (messages) => {
      for (const [index, msg] of messages.entries()) {
        if (msg) sent.push([index + 1, msg as FlowMessage]);
      }
      send(messages);
    };
    return sent;
  };
  const step = async () => {
    const made = await makeStep(context.client(), []);
    const query = parseOperation(`{ runStep(id: ${made.step}) { entityId } }`);
    const { signal } = new AbortController();
    const { data } = await context.client().request(query, { signal });
    return (data as { runStep: { entityId: number } }).runStep.entityId;
  };
  const refusal = async (properties: object, msg: FlowMessage = {}) => {
    const { caught, completed } = await (await load(properties)).send(msg);
    assert.equal(completed.length, 0);
    return `${caught[0]?.error.code}: ${caught[0]?.error.message}`;
  };

  it('completes a message that is on the disk, and sends it with the result when it is delivered', async () => {
    const variables = { entityId: await step(), content: 'hello' };
    await load();
    const sent = outputs();
    const { completed } = await flow.send({ topic: 'line 4', variables });
    assert.equal(completed.length, 1);
    await until(() => sent.length === 1);
    const [[output, { ion, payload, topic }] = [0, {}]] = sent;
    assert.deepEqual([output, topic], [1, 'line 4']);
    assert.deepEqual(payload, { createComment: { comment: { content: 'hello' } } });
    const { durationMs, traceId, ...details } = ion as FlowMessage;
    assert.deepEqual(details, { operation: 'mutation', name: 'Comment', attempts: 1 });
  });

  it('reports a rejected write to a Catch node if output 2 leads nowhere', async () => {
    await load();
    const variables = { entityId: 999999, content: 'x' };
    const outcome = await flow.send({ variables });
    await until(() => outcome.caught.length === 1);
    const [{ error, ion, ...msg } = {}] = outcome.caught as FlowMessage[];
    assert.equal((error as FlowMessage).code, (ion as FlowMessage).code);
    assert.deepEqual(msg.variables, variables);
  });

  it('finds a write whose response was lost, instead of sending it again', async () => {
    const { control } = context.sandbox;
    const variables = { entityId: await step(), content: 'once' };
    await load({
      prepare: FIND,
      alreadyDone: '{ "createComment": { "comment": data.comments.edges[0].node } }',
    });
    const sent = outputs();
    control.fault({ target: 'api', kind: 'reset', execute: true, match: 'mutation Comment' });
    await flow.send({ variables });
    await until(() => sent.length === 1);
    const [[, { payload, ion }] = [0, {}]] = sent;
    assert.deepEqual(payload, { createComment: { comment: { content: 'once' } } });
    assert.equal((ion as FlowMessage).found, true);
    const { data } = await context
      .client()
      .request(parseOperation(FIND), { variables, signal: new AbortController().signal });
    assert.equal((data as { comments: { edges: unknown[] } }).comments.edges.length, 1);
  });

  it('computes the order key from the variables of the mutation, whatever their source', async () => {
    const entityId = await step();
    await load({
      ...{ variables: 'payload', variablesType: 'msg' },
      ...{ order: '"comment " & variables.content', orderType: 'jsonata' },
    });
    const sent = outputs();
    context.sandbox.control.fault({ target: 'api', kind: 'hang', match: '"held up"' });
    for (const content of ['held up', 'free']) await flow.send({ payload: { entityId, content } });
    await until(() => sent.length === 1);
    const result = { createComment: { comment: { content: 'free' } } };
    assert.deepEqual(sent[0]?.[1].payload, result);
  });

  const bad: [string, object, FlowMessage, RegExp][] = [
    ['a query', { query: '{ me { id } }' }, {}, /^ION_QUERY: .*delivery of the node/],
    ['a mutation as Prepare', { prepare: COMMENT }, {}, /^ION_QUERY: .*"Prepare" holds a mutation/],
    ['a Prepare that is no GraphQL', { prepare: '{' }, {}, /^ION_QUERY: .*"Prepare": .*line 1/],
    ['an expression with an error', { alreadyDone: '$(' }, {}, /^ION_VARIABLES: .*"Already done"/],
    [
      'an unknown variable',
      { prepareVariables: '${NONE_SUCH}' },
      {},
      /^ION_VARIABLES: .*NONE_SUCH/,
    ],
    ['variables that are a list', {}, { variables: [] }, /^ION_VARIABLES: .*must be an object/],
    ['variables that JSON lacks', {}, { variables: { n: Number.NaN } }, /^ION_VARIABLES: .*NaN/],
    [
      'an order key that is an object',
      { order: 'topic', orderType: 'msg' },
      { topic: {} },
      /order key/,
    ],
    ['a long order key', { order: 'a'.repeat(600) }, {}, /^ION_VARIABLES: .*600 characters/],
    ['a misspelt delivery', { delivery: 'Outbox' }, {}, /^ION_CONFIG: .*"direct" or "outbox"/],
    ['a time that is no number', { keepFor: 'long' }, {}, /^ION_CONFIG: "Keep for \(h\)"/],
  ];
  for (const [what, properties, msg, text] of bad) {
    it(`refuses ${what} at once`, async () => {
      const variables = { entityId: 1, content: 'x' };
      assert.match(
        (await refusal(properties, { variables, ...msg })).replace('IonError: ', ''),
        text,
      );
    });
  }

  it('keeps the order of the messages, however long their values take to evaluate', async () => {
    const entityId = await step();
    await load({
      variables: `( $map([1..(payload % 2 = 0 ? 500 : 1)], function($i) { $i }); { "entityId": ${entityId}, "content": $string(payload) } )`,
      variablesType: 'jsonata',
    });
    const sent = outputs();
    await Promise.all([0, 1, 2, 3, 4, 5].map((payload) => flow.send({ payload })));
    await until(() => sent.length === 6);
    const contents = sent.map(([, { payload }]) => JSON.stringify(payload).match(/\d/)?.[0]);
    assert.deepEqual(contents, ['0', '1', '2', '3', '4', '5']);
  });
});
