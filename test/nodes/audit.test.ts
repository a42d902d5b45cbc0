import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newTraceContext } from '../../nodes/client/http/trace-context.js';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { fieldValue, makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

const COMMENT = `mutation Comment($entityId: ID!, $content: String) {
  createComment(input: { entityId: $entityId, content: $content }) { comment { id } } }`;

describe('the log of writes of a config node', () => {
  const context = useSandbox({ runs: 10 });
  const folder = useTemporaryFolder();
  let count = 0;
  let userDir: string;
  let step: StepForTests;
  let flow: TestFlow;

  before(() => helper.startServer());
  after(async () => {
    helper.settings({});
    await helper.stopServer();
  });
  beforeEach(async () => {
    userDir = join(folder.path, String(++count));
    await mkdir(userDir);
    helper.settings({ userDir });
    step = await makeStep(context.client(), [
      { name: 'Torque', type: 'NUMBER' },
      { name: 'Note', type: 'STRING' },
    ]);
  });
  afterEach(() => helper.unload());

  const load = async (node: FlowNode, config: object = { audit: true }) => {
    const { sandbox } = context;
    flow = await TestFlow.load(node, [sandboxConfig(sandbox, config)], sandboxKey(sandbox));
  };
  const lines = async (): Promise<Record<string, unknown>[]> => {
    const text = await readFile(join(userDir, 'ion-audit', 'config.jsonl'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  const comment = { ...graphqlNode, query: COMMENT };

  it('has a mutation of ion-graphql before it was sent and with its outcome, without its values', async () => {
    await load(comment);
    const { traceparent } = newTraceContext();
    const variables = { content: 'a secret recipe', entityId: step.entityId };
    const { ion } = await flow.answer({ variables, traceparent });
    const all = await lines();
    assert.deepEqual(
      all.map(({ state }) => state),
      ['sending', 'ended'],
    );
    const [{ time, state: _, id, ...sending } = {}, ended] = all;
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
    const canonical = `{"content":"a secret recipe","entityId":${step.entityId}}`;
    const common = {
      ...{ node: 'node', type: 'ion-graphql', flow: 'flow', operation: 'Comment', traceparent },
      digest: createHash('sha256').update(canonical).digest('hex'),
    };
    assert.deepEqual(sending, common);
    const { time: endedAt, ...outcome } = ended ?? {};
    assert.ok(Date.parse(String(endedAt)) >= Date.parse(String(time)));
    const { traceId } = ion as { traceId: string };
    assert.deepEqual(outcome, {
      ...{ state: 'ended', id, ...common, result: 'ok', attempts: 1, traceId },
    });
    assert.ok(!JSON.stringify(all).includes('recipe'));
  });

  it('has each write of ion-step with its target, and no query', async () => {
    await load({ ...stepNode, field: '', startStep: true });
    const payload = { Torque: 12.5, Note: 'fine' };
    await flow.answer({ run: step.run, step: 'Example step', payload });
    const sending = (await lines()).filter(({ state }) => state === 'sending');
    assert.deepEqual(sending.map(({ operation, target }) => [operation, target]).sort(), [
      ...['Torque', 'Note']
        .map((name) => String(step.fields[name]))
        .sort()
        .map((id) => [
          'UpdateRunStepFieldValue',
          { run: String(step.run), step: 'Example step', id },
        ]),
    ]);
    assert.ok(!JSON.stringify(await lines()).includes('12.5'));
  });

  it('says why a mutation failed, and whether it may have run', async () => {
    await load(comment, { audit: true, retries: 0 });
    const variables = { entityId: step.entityId, content: 'a' };
    context.sandbox.control.fault({ target: 'api', kind: 'reset', execute: true });
    await flow.send({ variables });
    await flow.send({ variables: { entityId: 'none', content: 'a' } });
    const ended = (await lines()).filter(({ state }) => state === 'ended');
    assert.deepEqual(
      ended.map(({ result, mayHaveRun }) => [result, mayHaveRun]),
      [
        ['ION_NETWORK', true],
        [ended[1]?.result, undefined],
      ],
    );
    assert.notEqual(ended[1]?.result, 'ok');
  });

  it('has a line for each time that a mutation was sent', async () => {
    await load(comment, { audit: true, retries: 2 });
    const headers = { 'retry-after': '0' };
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, headers });
    await flow.answer({ variables: { entityId: step.entityId, content: 'a' } });
    const states = (await lines()).map(({ state }) => state);
    assert.deepEqual(states, ['sending', 'sending', 'ended']);
  });

  it('has no line of a mutation that was not sent', async () => {
    await load(comment);
    await flow.send({ variables: { content: Number.NaN } });
    assert.deepEqual(await readdir(userDir), []);
  });

  it('stops no write if it cannot be written, and warns once', async () => {
    await writeFile(join(userDir, 'ion-audit'), 'a file in the place of the folder');
    await load(stepNode);
    for (const payload of [1, 2]) await flow.answer({ step: step.step, field: 'Torque', payload });
    assert.equal(await fieldValue(context.client(), step.step, 'Torque'), 2);
    const warnings = helper
      .log()
      .args.map(([{ msg }]) => String(msg))
      .filter((text) => /auditNotWritten|log of writes/.test(text));
    assert.equal(warnings.length, 1);
  });

  it('has the registration of a webhook with its node, and the removal by a deleted node', async () => {
    const { sandbox } = context;
    const webhook = { via: 'webhook', path: '/ion/hook', publicUrl: 'http://127.0.0.1:9' };
    const node = { ...eventsNode, ...webhook, actions: ['UPDATE'], register: true };
    const credentials = { ...sandboxKey(sandbox), node: { secret: 'example-secret' } };
    flow = await TestFlow.load(node, [sandboxConfig(sandbox, { audit: true })], credentials);
    const ended = async () =>
      (await lines()).filter(({ state }) => state === 'ended').map(({ operation }) => operation);
    const { webhookSubscriptions } = sandbox.data;
    await until(
      async () => webhookSubscriptions.all().length === 1 && (await ended()).length === 2,
    );
    await (helper.getNode('node') as unknown as { close(removed: boolean): Promise<void> }).close(
      true,
    );
    assert.deepEqual(webhookSubscriptions.all(), []);
    assert.deepEqual(await ended(), [
      'CreateWebhookReceiver',
      'CreateWebhookSubscription',
      'DeleteWebhookSubscription',
      'DeleteWebhookReceiver',
    ]);
    for (const line of await lines()) assert.equal(line.node, 'node');
  });

  it('has what a dialog writes, also with values that are not deployed', async () => {
    await load(comment);
    const { sandbox } = context;
    const { id, type, ...config } = sandboxConfig(sandbox, { audit: false });
    const credentials = { clientId: sandbox.clientId, clientSecret: '' };
    const variables = { entityId: step.entityId, content: 'a' };
    const body = { query: COMMENT, variables, confirmed: true };
    for (const [path, request] of [
      ['config/run', body],
      ['run', { id, config, credentials, ...body }],
    ] as const) {
      const { status, text } = await helper.request().post(`/ion-config/${path}`).send(request);
      assert.equal(status, 200, text);
    }
    const all = await lines();
    assert.deepEqual(
      all.map(({ state, operation, node }) => [state, operation, node]),
      ['sending', 'ended', 'sending', 'ended'].map((state) => [state, 'Comment', undefined]),
    );
  });

  it('is off by default', async () => {
    await load(comment, {});
    await flow.answer({ variables: { entityId: step.entityId, content: 'a' } });
    assert.deepEqual(await readdir(userDir), []);
  });
});
