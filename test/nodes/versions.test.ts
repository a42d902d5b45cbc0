import assert from 'node:assert/strict';
import express from 'express';
import { eventsNode, type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import flows from '../migrations/nodes-of-1.0.0.json';
import { EventsFlow } from '../support/events-flow.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';

describe('the versions of nodes', () => {
  const context = useSandbox();

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  /** A node as 1.0.0 saved it, with its config node. */
  const savedBy100 = (file: keyof typeof flows, type: string): [FlowNode, FlowNode] => {
    const nodes: FlowNode[] = flows[file];
    const node = nodes.find((each) => each.type === type);
    const config = nodes.find(({ id }) => id === node?.config);
    assert.ok(node && config);
    const { url: apiUrl, authUrl } = context.sandbox;
    return [
      { ...node, id: 'node', config: 'config' },
      { ...config, id: 'config', apiUrl, authUrl },
    ];
  };
  const load = (node: FlowNode, config: FlowNode = sandboxConfig(context.sandbox)) =>
    TestFlow.load(node, [config], sandboxKey(context.sandbox));
  const warnings = () =>
    helper
      .log()
      .args.map(([{ msg }]) => String(msg))
      .filter((text) => text.includes('newerNode'));

  it('an ion-graphql node of 1.0.0 works as it is', async () => {
    const flow = await load(...savedBy100('examples/01-first-query.json', 'ion-graphql'));
    const { payload } = (await flow.answer()) as { payload: { runs?: { edges: unknown[] } } };
    assert.ok(payload.runs?.edges.length);
    assert.deepEqual(warnings(), []);
  });

  it('an ion-runs node of 1.0.0 works as it is', async () => {
    const flow = await load(...savedBy100('demo/flow.json', 'ion-runs'));
    const { payload } = (await flow.answer()) as { payload: { status: string }[] };
    assert.ok(payload.length > 0);
    assert.ok(payload.every(({ status }) => status === 'IN_PROGRESS'));
  });

  it('an ion-step node of 1.0.0 works as it is', async () => {
    const flow = await load(...savedBy100('examples/10-record-values.json', 'ion-step'));
    const { ion } = await flow.answer({ payload: 412 });
    assert.equal((ion as { operation: string }).operation, 'mutation');
  });

  it('a node without the properties that have a default works', async () => {
    const unset = { operationName: null, pages: '', pageSize: undefined, limit: '', output: '' };
    const flow = await load({ ...graphqlNode, ...unset });
    const { payload } = (await flow.answer()) as { payload: { me?: object } };
    assert.ok(payload.me);
  });

  it('a config node of 1.0.0 keeps its form of the token', async () => {
    const [node, config] = savedBy100('examples/01-first-query.json', 'ion-graphql');
    assert.equal(config.authScheme, 'raw');
    context.sandbox.control.set({ authScheme: 'bearer' });
    const { caught } = await (await load(node, config)).send();
    assert.equal(caught[0]?.error.code, 'ION_AUTH');
    const { recent } = context.sandbox.control.counters();
    assert.ok(!recent.some(({ headers }) => headers.authorization === 'Bearer'));
    assert.deepEqual(warnings(), []);
  });

  it('a config node without a form of the token begins with the bare one and adapts', async () => {
    const [node, { authScheme, ...config }] = savedBy100(
      'examples/01-first-query.json',
      'ion-graphql',
    );
    context.sandbox.control.set({ authScheme: 'bearer' });
    await (await load(node, config as FlowNode)).answer();
    const { recent } = context.sandbox.control.counters();
    const forms = recent.flatMap(({ headers }) => headers.authorization ?? []);
    assert.deepEqual(forms, ['raw', 'Bearer']);
    assert.deepEqual(warnings(), []);
  });

  it('a node from a later version works, and warns', async () => {
    const flow = await load({ ...graphqlNode, version: 99, unknown: 'x' });
    assert.ok((await flow.answer()).payload);
    assert.equal(warnings().length, 1);
  });

  it('a config node from a later version works, and warns', async () => {
    const flow = await load(graphqlNode, sandboxConfig(context.sandbox, { version: 99 }));
    assert.ok((await flow.answer()).payload);
    assert.equal(warnings().length, 1);
  });

  it('an ion-events node from a later version works, and warns', async () => {
    const { sandbox } = context;
    const node = { ...eventsNode, version: 2 };
    const config = [sandboxConfig(sandbox)];
    const flow = await EventsFlow.load([node], config, sandboxKey(sandbox), express());
    assert.deepEqual(flow.caught, []);
    assert.equal(warnings().length, 1);
    flow.stopWatching();
  });
});
