import assert from 'node:assert/strict';
import { newTraceContext } from '../../nodes/client/http/trace-context.js';
import { addScanCases, type ScanCases } from '../../sandbox/data/scan-cases.js';
import type { Uploads } from '../../sandbox/http/uploads.js';
import {
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

const RUNS = 'query ($n: Int, $c: String) { runs(first: $n, after: $c) { edges { node { id } } } }';
const COMMENT = `mutation ($entityId: ID!) {
  createComment(input: { entityId: $entityId, content: "a" }) { comment { id } } }`;
const VALID = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

describe('the trace of a message', () => {
  const context = useSandbox({ runs: 30 });
  const folder = useTemporaryFolder();
  let flow: TestFlow;
  let cases: ScanCases;
  let step: StepForTests;

  before(async () => {
    cases = addScanCases(context.sandbox.data);
    helper.settings({ userDir: folder.path });
    await helper.startServer();
  });
  after(async () => {
    helper.settings({});
    await helper.stopServer();
  });
  beforeEach(async () => {
    step = await makeStep(context.client(), [
      { name: 'Torque', type: 'NUMBER' },
      { name: 'Note', type: 'STRING' },
    ]);
    context.sandbox.control.resetCounters();
  });
  afterEach(async () => {
    await helper.unload();
    for (const { completed, caught } of flow.outcomes) {
      assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    }
  });

  const load = async (node: FlowNode, config: object = {}) => {
    const { sandbox } = context;
    const configs = [sandboxConfig(sandbox, config)];
    flow = await TestFlow.load(node, configs, sandboxKey(sandbox), [['sent'], ['second']]);
  };
  const requests = () => context.sandbox.control.counters().recent;
  /** The headers of all requests to the API, in their order. */
  const api = () =>
    requests()
      .filter(({ path }) => path === '/graphql')
      .map(({ headers }) => headers);
  const assertTraced = (traceparent: unknown, least = 1) => {
    const traces = api().map((headers) => headers.traceparent);
    assert.ok(traces.length >= least, `${traces.length} requests`);
    assert.deepEqual(
      traces,
      traces.map(() => traceparent),
    );
    const others = requests().filter(({ path }) => path !== '/graphql');
    assert.deepEqual(
      others.filter(({ headers }) => headers.traceparent ?? headers.tracestate),
      [],
      'only the API gets it',
    );
  };
  /** Does what a node is for, by its name: the node, the message and the least number of requests. */
  const work: Record<string, () => [node: FlowNode, msg: FlowMessage, least: number]> = {
    'a query': () => [graphqlNode, {}, 1],
    'a mutation': () => [
      { ...graphqlNode, query: COMMENT },
      { variables: { entityId: step.entityId } },
      1,
    ],
    'all pages': () => [{ ...graphqlNode, query: RUNS, pages: 'all', pageSize: 10 }, {}, 3],
    'each page': () => [{ ...graphqlNode, query: RUNS, pages: 'stream', pageSize: 10 }, {}, 3],
    runs: () => [{ ...runsNode, pageSize: 10 }, {}, 3],
    'changed runs': () => [{ ...runsNode, pageSize: 10, changes: true }, {}, 3],
    'later changes': () => [{ ...runsNode, changes: true, changesFrom: 'now' }, {}, 2],
    'a value': () => [stepNode, { ...target(), field: 'Torque', payload: 5 }, 3],
    'several values': () => [
      { ...stepNode, startStep: true },
      { ...target(), payload: { Torque: 6, Note: 'a' } },
      4,
    ],
    'a status': () => [{ ...stepNode, action: 'status' }, { ...target(), payload: 'COMPLETE' }, 2],
    'a file': () => [
      { ...stepNode, action: 'file' },
      { ...target(), payload: 'a;b', filename: 'a.csv' },
      2,
    ],
    'a barcode': () => [lookupNode, { payload: cases.started.units[0]?.code }, 2],
  };
  const target = () => ({ run: step.run, step: 'Example step' });

  for (const [name, of] of Object.entries(work)) {
    it(`goes to the API with each request for ${name}, and nowhere else`, async () => {
      const [node, msg, least] = of();
      await load(node);
      const uploads = uploadHeaders(context.sandbox.uploads);
      const trace = { ...newTraceContext(), tracestate: 'plant=7' };
      const { completed, caught, sent } = await flow.send({ ...msg, ...trace });
      assert.deepEqual([completed.length, caught], [1, []]);
      assertTraced(trace.traceparent, least);
      assert.ok(api().every(({ tracestate }) => tracestate === 'plant=7'));
      for (const { traceparent, tracestate } of sent) {
        assert.deepEqual({ traceparent, tracestate }, trace);
      }
      const stored = uploads();
      assert.equal(stored.length > 0, name === 'a file');
      assert.ok(stored.every((headers) => !('traceparent' in headers || 'tracestate' in headers)));
    });
  }

  it('is missing, without a new one, if the message has none', async () => {
    await load(graphqlNode);
    const msg = await flow.answer({ tracestate: 'plant=7' });
    assert.equal('traceparent' in msg, false);
    assert.equal(msg.tracestate, 'plant=7');
    const [headers = {}] = api();
    assert.ok(!('traceparent' in headers || 'tracestate' in headers));
  });

  it('is ignored if it is invalid', async () => {
    await load(graphqlNode);
    for (const traceparent of [
      5,
      null,
      '',
      {},
      ['a'],
      'not a trace',
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `${newTraceContext().traceparent}\r\nx-injected: 1`,
    ]) {
      const msg = await flow.answer({ traceparent, tracestate: 'plant=7' });
      assert.deepEqual(msg.traceparent, traceparent);
    }
    for (const headers of api()) {
      assert.ok(!['traceparent', 'tracestate', 'x-injected'].some((each) => each in headers));
    }
  });

  it('stays the same in retries, and with another form and another value of the token', async () => {
    const { control } = context.sandbox;
    control.set({ authScheme: 'bearer' });
    await load(graphqlNode, { retries: 2 });
    const { traceparent } = newTraceContext();
    control.fault({ target: 'api', kind: 'status', status: 503, headers: { 'retry-after': '0' } });
    await flow.answer({ traceparent });
    control.revokeTokens();
    await flow.answer({ traceparent });
    assertTraced(traceparent, 5);
  });

  it('belongs to its message also while many are under way', async () => {
    await load(graphqlNode, { concurrency: 3 });
    const traces = Array.from({ length: 30 }, newTraceContext);
    const answers = await Promise.all(traces.map((trace) => flow.answer({ ...trace })));
    for (const [index, trace] of traces.entries()) {
      assert.equal(answers[index]?.traceparent, trace.traceparent);
    }
    assert.deepEqual(
      api()
        .map((headers) => headers.traceparent)
        .sort(),
      traces.map(({ traceparent }) => traceparent).sort(),
    );
  });

  describe('is made if the configuration says so', () => {
    const makes = { trace: true };

    for (const name of ['a query', 'each page', 'runs', 'a value', 'a barcode']) {
      it(`for ${name}, and is in the message`, async () => {
        const [node, msg, least] = work[name]?.() ?? assert.fail();
        await load(node, makes);
        const { sent, caught } = await flow.send(msg);
        assert.deepEqual(caught, []);
        const [first] = sent;
        assert.match(String(first?.traceparent), VALID);
        for (const { traceparent } of sent) assert.equal(traceparent, first?.traceparent);
        assertTraced(first?.traceparent, least);
      });
    }

    it('also in a message that fails, before or after a request', async () => {
      await load({ ...graphqlNode, query: '{ noSuchField }' }, makes);
      const { caught } = await flow.send();
      assert.match(String(caught[0]?.traceparent), VALID);
      assertTraced(caught[0]?.traceparent);
      await helper.unload();
      await load(graphqlNode, makes);
      const refused = await flow.send({ variables: 'no object' });
      assert.equal(refused.caught[0]?.error.code, 'ION_VARIABLES');
      assert.match(String(refused.caught[0]?.traceparent), VALID);
    });

    it('another one for each message, in place of an invalid one and its tracestate', async () => {
      await load(graphqlNode, makes);
      const one = await flow.answer({ traceparent: 'invalid', tracestate: 'plant=7' });
      const two = await flow.answer({ tracestate: 'plant=7' });
      assert.ok(!('tracestate' in one || 'tracestate' in two));
      assert.notEqual(one.traceparent, two.traceparent);
      assert.deepEqual(
        api().map(({ traceparent, tracestate }) => [traceparent, tracestate]),
        [one, two].map(({ traceparent }) => [traceparent, undefined]),
      );
    });

    it('but not in place of a valid one', async () => {
      await load(graphqlNode, { trace: 'true' });
      const { traceparent } = newTraceContext();
      assert.equal((await flow.answer({ traceparent })).traceparent, traceparent);
      assertTraced(traceparent);
    });

    for (const [node, of] of [
      ['ion-step', work['a value']],
      ['ion-graphql', work['a mutation']],
    ] as const) {
      it(`and is in the message that ${node} sends when the outbox has delivered it`, async () => {
        const [properties, msg] = of?.() ?? assert.fail();
        await load({ ...properties, delivery: 'outbox', outputs: 2 }, makes);
        const sent: FlowMessage[] = [];
        helper.getNode('sent').on('input', (each) => sent.push(each as unknown as FlowMessage));
        await flow.send(msg);
        await until(() => sent.length === 1);
        assert.match(String(sent[0]?.traceparent), VALID);
        assertTraced(sent[0]?.traceparent);
      });
    }
  });
});

/** Records the headers of requests to the storage host until it is called. */
function uploadHeaders(uploads: Uploads): () => object[] {
  const headers: object[] = [];
  const { handle } = uploads;
  uploads.handle = (request, response) => {
    headers.push(request.headers);
    return handle.call(uploads, request, response);
  };
  return () => {
    uploads.handle = handle;
    return headers;
  };
}
