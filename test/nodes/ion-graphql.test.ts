import assert from 'node:assert/strict';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const SEED_QUERY = 'query { runs(first: 10) { edges { node { id title steps { id title } } } } }';

describe('ion-graphql', () => {
  const context = useSandbox();
  let flow: TestFlow;

  const load = async (
    properties: object = {},
    config: object = {},
    credentials = sandboxKey(context.sandbox),
  ) => {
    const node: FlowNode = { ...graphqlNode, ...properties };
    flow = await TestFlow.load(node, [sandboxConfig(context.sandbox, config)], credentials);
    return flow;
  };

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(async () => {
    await helper.unload();
    for (const { completed, caught } of flow.outcomes) {
      assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    }
  });

  describe('returns', () => {
    it("the seed's own query in msg.payload.runs.edges", async () => {
      const { payload } = await (await load({ query: SEED_QUERY })).answer();
      const { edges } = (payload as { runs: { edges: { node: { steps: unknown[] } }[] } }).runs;
      assert.equal(edges.length, 10);
      for (const { node } of edges) {
        assert.deepEqual(Object.keys(node), ['id', 'title', 'steps']);
        assert.ok(node.steps.length > 0);
      }
    });

    it('on the same message, whose other properties are kept', async () => {
      const msg = await (await load()).answer({ topic: 'line 4', req: { deep: [1, 2] } });
      assert.equal(msg.topic, 'line 4');
      assert.deepEqual(msg.req, { deep: [1, 2] });
    });

    it('with details in msg.ion', async () => {
      const flow = await load({ query: 'query WhoAmI { me { id } }' });
      const { ion } = await flow.answer();
      const { durationMs, traceId, ...rest } = ion as FlowMessage;
      assert.deepEqual(rest, { operation: 'query', name: 'WhoAmI', attempts: 1, pages: 1 });
      assert.ok(Number.isInteger(durationMs) && Number(durationMs) >= 0);
      assert.match(String(traceId), /^[0-9a-f]+$/);
    });

    it('integers that JavaScript would round, as text', async () => {
      await load();
      const body =
        '{"data":{"me":{"id":9007199254740993,"at":[-12345678901234567890],"size":9007199254740991,"share":0.1234567890123456}}}';
      context.sandbox.control.fault({ target: 'api', kind: 'body', body });
      const { payload } = await flow.answer();
      assert.deepEqual((payload as FlowMessage).me, {
        id: '9007199254740993',
        at: ['-12345678901234567890'],
        size: Number.MAX_SAFE_INTEGER,
        share: 0.1234567890123456,
      });
    });

    it('in the chosen property, also a nested one', async () => {
      const msg = await (await load({ output: 'payload.ion.me' })).answer({ payload: { id: 7 } });
      const payload = msg.payload as { id: number; ion: { me: { me: FlowMessage } } };
      assert.equal(payload.id, 7);
      assert.equal(payload.ion.me.me.name, 'Sandbox Service Account');
    });

    it('a mutation', async () => {
      const flow = await load({
        query: 'mutation ($input: CreateRunInput!) { createRun(input: $input) { run { title } } }',
      });
      const msg = await flow.answer({ variables: { input: { title: 'Example' } } });
      assert.deepEqual(msg.payload, { createRun: { run: { title: 'Example' } } });
      assert.equal((msg.ion as FlowMessage).operation, 'mutation');
    });
  });

  describe('takes the query from', () => {
    const query = 'query ($id: ID!) { run(id: $id) { id } }';
    const variables = { id: 3 };

    it('a message property', async () => {
      const flow = await load({ query: 'question', queryType: 'msg' });
      assert.deepEqual((await flow.answer({ question: query, variables })).payload, {
        run: { id: 3 },
      });
    });

    it('flow and global context', async () => {
      for (const queryType of ['flow', 'global'] as const) {
        const flow = await load({ query: 'question', queryType });
        helper.getNode('node').context()[queryType].set('question', query);
        assert.deepEqual((await flow.answer({ variables })).payload, { run: { id: 3 } });
        await helper.unload();
      }
      await load();
    });

    it('a JSONata expression', async () => {
      const flow = await load({
        query: '"{ run(id: " & $string(which) & ") { id } }"',
        queryType: 'jsonata',
      });
      assert.deepEqual((await flow.answer({ which: 5 })).payload, { run: { id: 5 } });
    });

    it('an environment variable', async () => {
      process.env.TEST_ION_QUERY = '{ run(id: 6) { id } }';
      try {
        const flow = await load({ query: 'TEST_ION_QUERY', queryType: 'env' });
        assert.deepEqual((await flow.answer()).payload, { run: { id: 6 } });
      } finally {
        delete process.env.TEST_ION_QUERY;
      }
    });
  });

  describe('takes the variables from', () => {
    const query = 'query ($id: ID!) { run(id: $id) { id } }';
    const cases: [string, object, FlowMessage][] = [
      ['msg.variables, by default', {}, { variables: { id: 2 } }],
      [
        'another message property',
        { variables: 'payload.ion', variablesType: 'msg' },
        { payload: { ion: { id: 2 } } },
      ],
      ['JSON in the dialog', { variables: '{"id": 2}', variablesType: 'json' }, {}],
      ['a JSONata expression', { variables: '{"id": n + 1}', variablesType: 'jsonata' }, { n: 1 }],
    ];
    for (const [source, properties, msg] of cases) {
      it(source, async () => {
        const flow = await load({ query, ...properties });
        assert.deepEqual((await flow.answer(msg)).payload, { run: { id: 2 } });
      });
    }
  });

  it('sends IDs from the dialog that a number cannot hold with all their digits', async () => {
    const query = 'query ($id: ID!) { run(id: $id) { id } }';
    const variables = '{"id": 9007199254740993}';
    await load({ query, variables, variablesType: 'json' });
    await flow.answer();
    const sent = context.sandbox.control.counters().recent.at(-1)?.body;
    assert.deepEqual((sent as FlowMessage).variables, { id: '9007199254740993' });
  });

  describe('fails exactly once, with a code and advice, for', () => {
    /** Every text of a failure that a flow, a log or an operator could see. */
    const seen = (value: unknown) => JSON.stringify(value, (_key, item) => item ?? null);

    const fails = async (
      code: string,
      text: RegExp,
      msg: FlowMessage = {},
    ): Promise<FlowMessage & { ion: FlowMessage }> => {
      const { sent, completed, caught } = await flow.send({ tag: 'kept', ...msg });
      assert.deepEqual([sent.length, completed.length, caught.length], [0, 0, 1]);
      const failed = caught[0] as (typeof caught)[0];
      assert.equal(failed.error.code, code);
      assert.match(failed.error.message, text);
      assert.equal(failed.ion.code, code);
      assert.equal(failed.tag, 'kept');
      assert.ok(Number.isInteger(failed.ion.durationMs));
      const { clientSecret } = context.sandbox;
      assert.ok(!seen(caught).includes(clientSecret), 'the client secret shows');
      assert.doesNotMatch(seen(caught), /eyJ[\w-]+\.[\w-]+\./, 'an access token shows');
      return failed;
    };

    it('no config node', async () => {
      flow = await TestFlow.load(graphqlNode, [], {});
      await fails('ION_CONFIG', /add a config node, and deploy/);
    });

    it('empty credentials', async () => {
      await load({}, {}, {});
      await fails('ION_CONFIG', /no client ID.*API key/);
      await helper.unload();
      await load({}, {}, { config: { clientId: 'sandbox-key', clientSecret: '' } });
      await fails('ION_CONFIG', /no client secret/);
    });

    it('a bad custom URL', async () => {
      await load({}, { apiUrl: 'https://not a url' });
      await fails('ION_CONFIG', /API URL .* is not a valid URL/);
    });

    it('plain http to another machine', async () => {
      await load({}, { authUrl: 'http://auth.example.test' });
      await fails('ION_CONFIG', /unencrypted/);
    });

    it('a missing TLS configuration', async () => {
      await load({}, { tls: 'gone' });
      await fails('ION_CONFIG', /TLS configuration .* does not exist/);
    });

    it('a query with a syntax error', async () => {
      await load({ query: '{\n  runs(first: 10 {\n    edges { node { id } }\n  }\n}' });
      await fails('ION_QUERY', /line 2, column 18/);
    });

    it('a missing query', async () => {
      await load({ query: 'question', queryType: 'msg' });
      await fails('ION_QUERY', /must be text, not nothing/);
      await fails('ION_QUERY', /must be text, not a list/, { question: ['{ me { id } }'] });
    });

    it('a JSONata expression that cannot be evaluated', async () => {
      await load({ query: '$nothing(', queryType: 'jsonata' });
      await fails('ION_QUERY', /The query cannot be evaluated \(jsonata: \$nothing\(\)/);
    });

    it('several operations without the name of the one to run', async () => {
      await load({ query: 'query A { me { id } } query B { me { name } }' });
      await fails('ION_QUERY', /several operations \(A, B\)/);
    });

    it('variables that are not an object', async () => {
      await load();
      for (const variables of ['{"id": 1}', [1], 7, null, true]) {
        await fails('ION_VARIABLES', /must be an object/, { variables });
      }
    });

    it('a refused key', async () => {
      await load({}, {}, { config: { clientId: 'sandbox-key', clientSecret: 'wrong-secret' } });
      const failed = await fails('ION_AUTH', /refused the API key .*Check client ID and client/);
      assert.equal(failed.ion.attempts, 0, 'docs/nodes.md: requests to the API');
    });

    it('a key of another environment', async () => {
      await load({}, { authUrl: context.sandbox.foreignAuthUrl });
      const failed = await fails('ION_AUTH', /belongs to another environment/);
      assert.equal(failed.ion.status, 401);
    });

    it('an HTML answer', async () => {
      await load();
      context.sandbox.control.fault({
        target: 'api',
        kind: 'body',
        contentType: 'text/html',
        body: '<!doctype html><title>Sign in</title>',
        times: 4,
      });
      await fails('ION_RESPONSE', /web page "Sign in" instead of JSON.*Check the API URL/);
    });

    it('an empty answer', async () => {
      await load();
      context.sandbox.control.fault({ target: 'api', kind: 'body', body: '', times: 4 });
      await fails('ION_RESPONSE', /empty response/);
    });

    it('errors without data', async () => {
      await load({ query: '{ me { id colour } }' });
      const failed = await fails('ION_GRAPHQL', /colour/);
      assert.equal(failed.ion.data, undefined);
      assert.match(String((failed.ion.errors as FlowMessage[])[0]?.message), /colour/);
    });

    it('a required variable, if the message has no variables at all', async () => {
      await load({ query: 'query Run($id: ID!) { run(id: $id) { id } }' });
      await fails('ION_GRAPHQL', /\$id.* msg\.variables does not exist\.$/);
      await fails('ION_GRAPHQL', /was not provided\.$/, { variables: {} });
    });

    it('errors with data, which the message contains', async () => {
      await load();
      const errors = [{ message: 'The second part is not there.' }];
      const data = { me: { id: 1 }, other: null };
      context.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, data });
      const failed = await fails('ION_GRAPHQL', /The second part is not there/);
      assert.deepEqual(failed.ion.data, data);
      assert.deepEqual(failed.ion.errors, errors);
    });

    it('a stale etag', async () => {
      await load({
        query: `mutation ($id: ID!) {
          updateRun(input: { id: $id, etag: "stale", title: "New" }) { run { id } }
        }`,
      });
      await fails('ION_CONFLICT', /Etag.*read it again/, { variables: { id: 1 } });
      context.sandbox.control.set({ etagConflict: 'status' });
      const failed = await fails('ION_CONFLICT', /Etag/, { variables: { id: 1 } });
      assert.equal(failed.ion.status, 409);
    });

    it('a mutation that the API key has no permission for', async () => {
      context.sandbox.control.set({ permissions: [] });
      await load({ query: 'mutation { createRun(input: { title: "New" }) { run { id } } }' });
      const failed = await fails('ION_FORBIDDEN', /permission to create.*needs CreateRun\)$/);
      assert.equal(failed.ion.status, 403);
    });

    it('a result that does not fit into the message, before anything is executed', async () => {
      const query = 'mutation { createRun(input: { title: "Lost" }) { run { id } } }';
      await load({ query, output: 'payload.me' });
      for (const payload of ['text', 7, null]) {
        await fails('ION_CONFIG', /msg\.payload\.me: "payload" is not an object/, { payload });
      }
      assert.equal(context.sandbox.control.counters().api.total, 0);
      await helper.unload();
      await load({ query, output: 'payload.' });
      await fails('ION_CONFIG', /msg\.payload\./);
    });

    it('a mutation that would be executed once for each page', async () => {
      const query = `mutation { createRun(input: { title: "Many" }) {
        run { procedure { id } list: steps { edges { node { id } } } }
      } }`;
      for (const pages of ['all', 'stream']) {
        await load({ query, pages });
        await fails('ION_QUERY', /Only queries can be paged/);
        await helper.unload();
      }
      assert.equal(context.sandbox.control.counters().api.total, 0);
      await load();
    });
  });

  it('replaces an old token without an effect on the message', async () => {
    await (await load()).answer();
    context.sandbox.control.revokeTokens();
    const { ion } = await flow.answer();
    assert.equal((ion as FlowMessage).attempts, 2);
    assert.equal(context.sandbox.control.counters().token.total, 2);
  });

  it('ends a hanging message with ION_CLOSED when the flow is redeployed', async () => {
    await load();
    const { control } = context.sandbox;
    control.fault({ target: 'api', kind: 'hang' });
    const outcome = flow.send();
    await until(() => control.counters().api.total === 1);
    await helper.getNode('node').close();
    const { sent, completed, caught } = await outcome;
    assert.deepEqual([sent.length, completed.length, caught.length], [0, 0, 1]);
    assert.equal(caught[0]?.error.code, 'ION_CLOSED');
    assert.match(String(caught[0]?.error.message), /stopped or redeployed/);
  });

  it('keeps ten messages apart whose responses arrive in another order', async () => {
    await load({ query: 'query ($id: ID!) { run(id: $id) { id } }' });
    const { control } = context.sandbox;
    for (let id = 1; id <= 10; id++) {
      control.fault({
        target: 'api',
        kind: 'latency',
        ms: 20 * (10 - id),
        match: `"id":${id}[,}]`,
      });
    }
    const order: number[] = [];
    const ids = Array.from({ length: 10 }, (_, index) => index + 1);
    const answers = await Promise.all(
      ids.map(async (id) => {
        const msg = await flow.answer({ tag: `run ${id}`, variables: { id } });
        order.push(id);
        return msg;
      }),
    );
    assert.deepEqual(
      answers.map(({ payload, tag }) => [payload, tag]),
      ids.map((id) => [{ run: { id } }, `run ${id}`]),
    );
    assert.notDeepEqual(order, ids);
  });

  it('requests one token for 1,000 messages at once, and answers them all', async () => {
    await load();
    const { control } = context.sandbox;
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, tag) => flow.answer({ tag })),
    );
    assert.deepEqual(
      answers.map(({ tag }) => tag),
      Array.from({ length: 1000 }, (_, tag) => tag),
    );
    assert.equal(control.counters().token.total, 1);
  });
});
