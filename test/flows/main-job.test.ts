import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, graphqlNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { install, pack, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const SEED_QUERY = '{ runs(first: 10) { edges { node { id title steps { id title } } } } }';

describe('the packed package in a real Node-RED', () => {
  // npm installs it like a user.
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await install(userDir, (await pack(folder.path)).tarball);
    nodeRed = await RunningNodeRed.start(userDir);
    await nodeRed.listen();
  });
  after(() => nodeRed?.stop());

  const place = { z: 'flow', x: 0, y: 0 };
  const onCanvas = (...nodes: FlowNode[]) => nodes.map((node) => ({ ...node, ...place }));

  /** GET <path> goes through the node; failures come back with status 500. */
  const served = (path: string, node: FlowNode) =>
    onCanvas(
      { id: `in-${path}`, type: 'http in', url: `/${path}`, method: 'get', wires: [[path]] },
      { ...node, id: path, wires: [[`out-${path}`]] },
      { id: `out-${path}`, type: 'http response', wires: [] },
    );

  const failures = onCanvas(
    { id: 'catch', type: 'catch', scope: null, wires: [['failed', 'shown']] },
    {
      id: 'failed',
      type: 'change',
      rules: [
        { t: 'set', p: 'payload', pt: 'msg', to: '{"error": error, "ion": ion}', tot: 'jsonata' },
        { t: 'set', p: 'statusCode', pt: 'msg', to: '500', tot: 'num' },
      ],
      wires: [['answered']],
    },
    { id: 'answered', type: 'http response', wires: [] },
    { id: 'shown', type: 'debug', active: true, tosidebar: true, console: true, complete: 'true' },
  );

  const deploy = (nodes: FlowNode[], properties: object = {}, type?: 'full' | 'nodes') => {
    const { clientId, clientSecret } = context.sandbox;
    const config = sandboxConfig(context.sandbox, {
      credentials: { clientId, clientSecret },
      ...properties,
    });
    const tab: FlowNode = { id: 'flow', type: 'tab', label: 'test' };
    return nodeRed.deploy([tab, config, ...nodes, ...failures], type);
  };

  const get = async (path: string) => {
    const response = await fetch(`${nodeRed.url}/${path}`);
    return { status: response.status, body: JSON.parse(await response.text()) };
  };

  it('registers its five nodes', async () => {
    assert.deepEqual(await nodeRed.ownTypes(), {
      types: ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'],
      areEnabled: true,
    });
  });

  it('finds its icons, dialogs, help and labels', async () => {
    const icons = (await get('icons')).body as Record<string, string[]>;
    assert.deepEqual(icons['@ion-nodes/node-red-ion'], [
      'ion-events.svg',
      'ion-graphql.svg',
      'ion-lookup.svg',
      'ion-runs.svg',
      'ion-step.svg',
    ]);
    const html = await (
      await fetch(`${nodeRed.url}/nodes`, { headers: { accept: 'text/html' } })
    ).text();
    for (const type of [
      'ion-config',
      'ion-events',
      'ion-graphql',
      'ion-lookup',
      'ion-runs',
      'ion-step',
    ]) {
      assert.ok(html.includes(`data-template-name="${type}"`), `no dialog of ${type}`);
      assert.ok(html.includes(`data-help-name="${type}"`), `no help of ${type}`);
    }
    const labels = await get('nodes/@ion-nodes/node-red-ion/ion-config/messages?lng=en-US');
    assert.equal(labels.body['ion-config'].label.environment, 'Environment');
  });

  it("returns the seed's query in payload.runs.edges, and the same as flat runs", async () => {
    await deploy([
      ...served('query', { ...graphqlNode, query: SEED_QUERY }),
      ...served('runs', {
        ...runsNode,
        fields: ['id', 'title', 'steps.id', 'steps.title'],
        limit: 10,
      }),
    ]);
    const query = await get('query');
    assert.equal(query.status, 200);
    const edges = query.body.runs.edges as { node: object }[];
    assert.equal(edges.length, 10);
    const runs = await get('runs');
    assert.deepEqual(
      runs.body,
      edges.map(({ node }) => node),
    );
  });

  it('requests one token for 1,000 messages at once in a fresh flow, and answers all', async () => {
    await deploy([
      ...onCanvas(
        { id: 'in', type: 'http in', url: '/thousand', method: 'get', wires: [['burst']] },
        {
          id: 'burst',
          type: 'function',
          outputs: 1,
          func: `flow.set('request', msg); flow.set('tags', []);
            for (let tag = 0; tag < 1000; tag++) node.send({ tag });`,
          wires: [['node']],
        },
        { ...graphqlNode, wires: [['collect']] },
        {
          id: 'collect',
          type: 'function',
          outputs: 1,
          func: `const tags = flow.get('tags');
            tags.push(msg.payload.me.id && msg.tag);
            if (tags.length === 1000) return { ...flow.get('request'), payload: tags };`,
          wires: [['out']],
        },
        { id: 'out', type: 'http response', wires: [] },
      ),
    ]);
    const { body } = await get('thousand');
    assert.deepEqual(
      (body as number[]).sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, tag) => tag),
    );
    const { token, api } = context.sandbox.control.counters();
    assert.equal(token.total, 1);
    assert.equal(api.total, 1000);
    assert.ok(api.peakConcurrent <= 10);
  });

  it('shows its activity in the status, as text', async () => {
    await deploy(served('status', graphqlNode));
    await get('status');
    const texts = () =>
      nodeRed.events.flatMap(({ topic, data }) => (topic === 'status/status' ? [data.text] : []));
    await nodeRed.until(() => texts().some((text) => /^ok · \d+ ms$/.test(String(text))));
    assert.ok(texts().includes('1 running'));
  });

  it('ends hanging messages when the flow is redeployed, and continues', async () => {
    await deploy(served('hanging', graphqlNode));
    const { control } = context.sandbox;
    control.fault({ target: 'api', kind: 'hang', times: 3 });
    const hanging = [1, 2, 3].map(() => get('hanging'));
    await until(() => control.counters().api.total === 3);
    await deploy(served('hanging', { ...graphqlNode, name: 'changed' }), {}, 'nodes');
    for (const { status, body } of await Promise.all(hanging)) {
      assert.equal(status, 500);
      assert.equal(body.error.code, 'ION_CLOSED');
    }
    assert.equal((await get('hanging')).status, 200);
    assert.ok(nodeRed.isRunning);
  });

  it('reports a failure to the sender', async () => {
    await deploy(served('wrong', { ...graphqlNode, query: '{ me { id } ' }));
    const { status, body } = await get('wrong');
    assert.equal(status, 500);
    assert.equal(body.error.code, 'ION_QUERY');
    assert.equal(body.ion.code, 'ION_QUERY');
  });

  it('shows the client secret and the tokens nowhere', async () => {
    const { sandbox } = context;
    const { control } = sandbox;
    const answers: string[] = [];
    const read = async (path: string, init?: RequestInit) => {
      const response = await fetch(`${nodeRed.url}/${path}`, init);
      answers.push(await response.text());
    };
    const test = (body: object) =>
      read('ion-config/test', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    // A server that repeats its requests in every kind of failure.
    const echo = `client_secret=${encodeURIComponent(sandbox.clientSecret)} ${sandbox.clientSecret}`;
    await deploy(served('secret', graphqlNode), { retries: 0 });
    await read('secret');
    control.fault({ target: 'api', kind: 'graphql', errors: [{ message: echo }] });
    await read('secret');
    control.fault({ target: 'api', kind: 'body', contentType: 'text/plain', body: echo });
    await read('secret');
    control.fault({ target: 'api', kind: 'reset' });
    await read('secret');
    control.revokeTokens();
    control.fault({
      target: 'token',
      kind: 'status',
      status: 401,
      contentType: 'application/json',
      body: JSON.stringify({ error: 'invalid_client', error_description: echo }),
    });
    await read('secret');
    await deploy(served('secret', graphqlNode), { authUrl: sandbox.foreignAuthUrl });
    await read('secret');
    await deploy(served('secret', graphqlNode), { authScheme: 'bearer' });
    await read('secret');
    await read('flows');
    await read('flow/flow');
    await read('credentials/ion-config/config');
    await read('ion-config/config/schema');
    assert.match(String(answers.at(-1)), /"RunsConnection"/);
    const { environment, apiUrl, authUrl } = sandboxConfig(sandbox);
    const config = { environment, apiUrl, authUrl };
    const { clientId } = sandbox;
    await test({ id: 'config', config, credentials: { clientId, clientSecret: '__PWRD__' } });
    await test({
      id: 'config',
      config: { ...config, apiUrl: 'https://elsewhere.example.test' },
      credentials: { clientId, clientSecret: '__PWRD__' },
    });
    await nodeRed.until(() => nodeRed.events.some(({ topic }) => topic === 'debug'));

    assert.ok(answers.length > 10 && nodeRed.log.includes('[trace]'), 'too little to search in');
    const places = {
      answers: answers.join('\n'),
      log: nodeRed.log,
      events: JSON.stringify(nodeRed.events),
    };
    for (const [place, text] of Object.entries(places)) {
      assert.ok(!text.includes(sandbox.clientSecret), `the client secret shows in the ${place}`);
      assert.doesNotMatch(text, /eyJ[\w-]{8,}\.[\w-]+/, `an access token shows in the ${place}`);
    }
  });
});
