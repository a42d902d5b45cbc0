import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newTraceContext } from '../../nodes/client/http/trace-context.js';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { EventsFlow, expressApp } from '../support/events-flow.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests, stepState } from '../support/steps.js';
import { until } from '../support/until.js';

const CREATE = `mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { id title } }
}`;

describe('nodes in a dry run', () => {
  const ion = useSandbox({ runs: 8 });
  let flow: TestFlow;
  let folder = '';
  let step: StepForTests;
  let unchanged: unknown;

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-dry-run-'));
    helper.settings({ userDir: folder });
    step = await makeStep(ion.client(), [{ name: 'Torque', type: 'NUMBER' }], { status: 'TODO' });
    unchanged = await stepState(ion.client(), step.step);
    ion.sandbox.control.resetCounters();
  });
  afterEach(async () => {
    await helper.unload();
    helper.settings({});
    await rm(folder, { recursive: true });
    const { api, executed } = ion.sandbox.control.counters();
    assert.deepEqual([api.byOperation.mutation, executed], [0, {}], 'a mutation reached ION');
    assert.deepEqual(await stepState(ion.client(), step.step), unchanged);
  });

  const load = async (node: FlowNode, config: object = {}) => {
    const { sandbox } = ion;
    const settings = sandboxConfig(sandbox, { mode: 'dryRun', ...config });
    flow = await TestFlow.load(node, [settings], sandboxKey(sandbox));
    statuses = [];
    const { status } = helper.getNode('node');
    helper.getNode('node').status = (shown) => {
      statuses.push(shown as { text?: string });
      status.call(helper.getNode('node'), shown);
    };
    return flow;
  };
  let statuses: { text?: string; fill?: string }[] = [];
  /** Catalogue keys, because no texts are loaded. */
  const shows = (key: string) => until(() => String(statuses.at(-1)?.text).endsWith(key));
  const logged = () =>
    helper
      .log()
      .args.map(([{ msg }]) => String(msg))
      .join('\n');
  const ionOf = (msg: FlowMessage | undefined) => msg?.ion as FlowMessage;

  it('warn once that nothing is written', async () => {
    await load(graphqlNode);
    await flow.answer();
    assert.equal(logged().split('ion-config.log.dryRun').length, 2);
  });

  it('ion-graphql sends queries, and continues with the skeleton of a mutation', async () => {
    await load(graphqlNode);
    const { payload, ion: details } = await flow.answer();
    assert.ok((payload as { me: unknown }).me);
    assert.ok(!('dryRun' in (details as object)));
    await helper.unload();

    await load({ ...graphqlNode, query: CREATE });
    const variables = { input: { title: 'Leak' } };
    const answer = await flow.answer({ variables, topic: 'kept' });
    assert.deepEqual(answer.payload, { createIssue: { issue: { id: null, title: null } } });
    assert.equal(answer.topic, 'kept');
    const { dryRun, request, attempts } = ionOf(answer);
    assert.deepEqual(
      [dryRun, request, attempts],
      [true, { query: CREATE, variables, operationName: 'CreateIssue' }, 0],
    );
    await shows('status.dryRun');
    assert.match(logged(), /log\.notSent/);
  });

  it('send the trace of a message with its queries, and write nothing into the log of writes', async () => {
    const { traceparent } = newTraceContext();
    await load(graphqlNode, { audit: true });
    await flow.answer({ traceparent });
    const { recent } = ion.sandbox.control.counters();
    const traces = recent.map(({ headers }) => headers.traceparent).filter(Boolean);
    assert.deepEqual(traces, [traceparent]);
    await helper.unload();
    await load({ ...graphqlNode, query: CREATE }, { audit: true });
    await flow.answer({ variables: { input: { title: 'Leak' } } });
    assert.ok(!(await readdir(folder)).includes('ion-audit'));
  });

  it('ion-graphql fails for a mutation that the schema of ION refuses', async () => {
    await load({ ...graphqlNode, query: 'mutation { createIssue(input: {}) { colour } }' });
    const { caught } = await flow.send();
    assert.equal(caught[0]?.error.code, 'ION_GRAPHQL');
    assert.equal(caught[0]?.ion.dryRun, true);
    await shows('status.dryRun');
  });

  it('ion-step records a value, sets a status and attaches a file, without writing', async () => {
    const target = { run: step.run, step: 'Example step', field: 'Torque' };
    for (const [action, msg, operationName] of [
      ['field', { ...target, payload: '12.5' }, 'UpdateRunStepFieldValue'],
      ['status', { ...target, payload: 'in progress' }, 'UpdateRunStep'],
      ['file', { ...target, payload: 'text', filename: 'a.txt' }, 'CreateFileAttachment'],
    ] as const) {
      await load({ ...stepNode, action });
      const { request, dryRun } = ionOf(await flow.answer(msg)) as {
        dryRun?: true;
        request: { operationName?: string };
      };
      assert.deepEqual([dryRun, request.operationName], [true, operationName]);
      await shows('status.dryRun');
      await helper.unload();
    }
  });

  it('ion-step names all mutations of a message, and still refuses what does not fit', async () => {
    await load({ ...stepNode, startStep: true, field: '', fieldType: 'msg' });
    const { requests, started } = ionOf(
      await flow.answer({ step: step.step, payload: { Torque: 1 } }),
    ) as { requests: { operationName: string }[]; started: true };
    assert.deepEqual(
      requests.map(({ operationName }) => operationName),
      ['UpdateRunStep', 'UpdateRunStepFieldValue'],
    );
    assert.equal(started, true);
    const { caught } = await flow.send({ step: step.step, payload: { Torque: 'much' } });
    assert.equal(caught[0]?.error.code, 'ION_VARIABLES');
  });

  it('ion-step continues with a step that the dry run did not create, and only with such a step', async () => {
    await load(stepNode);
    const msg = { field: 'Torque', payload: 1 };
    assert.equal(ionOf(await flow.answer({ ...msg, step: null })).dryRun, true);
    const { caught } = await flow.send(msg);
    assert.equal(caught[0]?.error.code, 'ION_NOT_FOUND');
  });

  for (const [name, node, msg] of [
    ['ion-step', stepNode, () => ({ step: step.step, field: 'Torque', payload: 12.5 })],
    ['ion-step, to a step that was not created', stepNode, () => ({ step: null, payload: 1 })],
    [
      'ion-graphql',
      { ...graphqlNode, query: CREATE },
      () => ({ variables: { input: { title: 'Leak' } } }),
    ],
  ] as const) {
    it(`the outbox delivers writes of ${name} in its own folder`, async () => {
      await load({ ...node, delivery: 'outbox' });
      const { sent } = await flow.send(msg());
      await until(() => sent.length > 0);
      assert.equal(ionOf(sent[0]).dryRun, true);
      assert.ok(ionOf(sent[0]).request);
      await shows('status.dryRun');
      assert.deepEqual(await readdir(folder), ['ion-outbox-dry-run']);
    });
  }

  it('ion-runs and ion-lookup read as always', async () => {
    await load(runsNode);
    assert.ok(((await flow.answer()).payload as unknown[]).length > 0);
    await helper.unload();
    await load({ ...lookupNode, by: 'run' });
    const { sent, caught } = await flow.send({ payload: step.run });
    assert.deepEqual([sent.length, caught.length], [1, 0]);
  });

  it('"Test query" of a dialog sends no mutation, also with values that are not deployed', async () => {
    const { sandbox } = ion;
    await load(graphqlNode);
    const body = {
      query: CREATE,
      variables: { input: { title: 'a' } },
      operationName: '',
      confirmed: true,
    };
    const deployed = await helper.request().post('/ion-config/config/run').send(body);
    assert.equal(deployed.status, 200, deployed.text);
    const { data, dryRun, request } = deployed.body as {
      data: unknown;
      dryRun: true;
      request: FlowMessage;
    };
    assert.deepEqual(data, { createIssue: { issue: { id: null, title: null } } });
    assert.deepEqual([dryRun, request.operationName], [true, 'CreateIssue']);
    const { id, type, ...config } = sandboxConfig(sandbox, { mode: 'live' });
    const credentials = { clientId: sandbox.clientId, clientSecret: '' };
    const undeployed = await helper
      .request()
      .post('/ion-config/run')
      .send({ id, config, credentials, ...body });
    assert.equal(undeployed.status, 200, undeployed.text);
    assert.equal(undeployed.body.dryRun, true);
  });

  it('are live or dry by the values of variables, and refuse any other mode', async () => {
    process.env.ION_TEST_MODE = ' dryRun\n';
    try {
      await load({ ...graphqlNode, query: CREATE }, { mode: '${ION_TEST_MODE}' });
      assert.equal(ionOf(await flow.answer({ variables: { input: { title: 'a' } } })).dryRun, true);
    } finally {
      delete process.env.ION_TEST_MODE;
    }
    for (const mode of ['dryrun', 'dry', true, '${ION_TEST_MODE}']) {
      await helper.unload();
      await load({ ...graphqlNode, query: CREATE }, { mode });
      const { caught } = await flow.send({ variables: { input: { title: 'a' } } });
      assert.equal(caught[0]?.error.code, 'ION_CONFIG', String(mode));
    }
    for (const mode of [undefined, null, '', 'live']) {
      await helper.unload();
      await load(graphqlNode, { mode });
      await flow.answer();
    }
  });

  it('ion-events polls, but registers and removes no webhook', async () => {
    const events = await EventsFlow.load(
      [
        { ...eventsNode, id: 'poll', interval: 0.1 },
        {
          ...eventsNode,
          id: 'hook',
          via: 'webhook',
          register: true,
          publicUrl: 'http://localhost',
        },
      ],
      [sandboxConfig(ion.sandbox, { mode: 'dryRun' })],
      { ...sandboxKey(ion.sandbox), hook: { secret: 'example-secret' } },
      expressApp(),
    );
    await until(() =>
      events.statuses.some(
        ({ id, text }) => id === 'hook' && String(text).endsWith('status.dryRun'),
      ),
    );
    await until(() =>
      events.statuses.some(
        ({ id, text }) => id === 'poll' && String(text).endsWith('events.polled'),
      ),
    );
    await (helper.getNode('hook') as unknown as { close(removed: boolean): Promise<void> }).close(
      true,
    );
    assert.match(logged(), /log\.webhookLeft/);
    events.stopWatching();
    assert.deepEqual(ion.sandbox.data.webhookReceivers.all(), []);
  });
});
