import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IonClient } from '../../nodes/client/client.js';
import { sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { fieldValue, makeStep, type StepForTests, stepState } from '../support/steps.js';

describe('ion-step', () => {
  const context = useSandbox({ runs: 12 });
  let client: IonClient;
  let step: StepForTests;
  let flow: TestFlow;

  const load = async (properties: object = {}) => {
    const { sandbox } = context;
    const node = { ...stepNode, ...properties };
    flow = await TestFlow.load(node, [sandboxConfig(sandbox)], sandboxKey(sandbox));
    return flow;
  };
  const refusal = async (msg: FlowMessage) => {
    const { caught, sent } = await flow.send(msg);
    assert.equal(sent.length, 0);
    return caught[0] ?? assert.fail('was not refused');
  };

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(async () => {
    client = context.client();
    step = await makeStep(client, [
      { name: 'Torque', type: 'NUMBER' },
      { name: 'Passed', type: 'BOOLEAN' },
    ]);
  });
  afterEach(async () => {
    await helper.unload();
    for (const { completed, caught } of flow.outcomes) {
      assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    }
  });

  it('records the payload in the field that the message names', async () => {
    await load();
    const msg = {
      run: step.run,
      step: 'Example step',
      field: 'Torque',
      payload: '12.5',
      topic: 'a',
    };
    const { payload, ion, topic } = await flow.answer(msg);
    const written = payload as Record<string, unknown>;
    assert.deepEqual(
      [written.id, written.name, written.value],
      [step.fields.Torque, 'Torque', 12.5],
    );
    assert.equal(topic, 'a');
    const { operation, name, attempts } = ion as FlowMessage;
    assert.deepEqual([operation, name, attempts], ['mutation', 'UpdateRunStepFieldValue', 3]);
    assert.equal(await fieldValue(client, step.step, 'Torque'), 12.5);
  });

  it('leaves the measured value for a second node if the result has a property of its own', async () => {
    await load({ output: 'written.torque' });
    const msg = { step: step.step, field: 'Torque', payload: 12.5 };
    const { payload, written } = (await flow.answer(msg)) as {
      payload: 12.5;
      written: FlowMessage;
    };
    assert.equal(payload, 12.5);
    assert.equal((written.torque as FlowMessage).value, 12.5);
    await helper.unload();
    await load({ output: 'ion' });
    assert.equal((await refusal(msg)).error.code, 'ION_CONFIG');
  });

  it('takes run, step, field and value from the sources in the dialog', async () => {
    await load({
      run: '',
      step: String(step.step),
      stepType: 'num',
      field: 'names.second',
      fieldType: 'msg',
      value: 'payload > 5',
      valueType: 'jsonata',
    });
    await flow.answer({ names: { second: 'Passed' }, payload: 7 });
    assert.equal(await fieldValue(client, step.step, 'Passed'), true);
  });

  it('records several fields of one message, and reports each', async () => {
    await load();
    const { payload, ion } = await flow.answer({
      step: step.step,
      payload: { Torque: 3, Passed: false },
    });
    assert.deepEqual(Object.keys(payload as object), ['Torque', 'Passed']);
    assert.deepEqual(Object.keys((ion as { results: object }).results), ['Torque', 'Passed']);
    const {
      error,
      ion: failed,
      payload: kept,
    } = await refusal({
      step: step.step,
      payload: { Torque: 'x', Passed: true },
    });
    assert.equal(error.code, 'ION_VARIABLES');
    assert.match(
      error.message,
      /1 of 2 fields was not written: The field "Torque" .* not the text "x"\.$/,
    );
    const { results } = failed as { results: Record<string, object> };
    assert.deepEqual(Object.keys(results.Torque ?? {}), ['error']);
    assert.deepEqual(Object.keys(results.Passed ?? {}), ['written']);
    assert.deepEqual(kept, { Torque: 'x', Passed: true });
    assert.equal(await fieldValue(client, step.step, 'Passed'), true);
  });

  it('records a time without a zone only in the configuration’s time zone', async () => {
    const measured = await makeStep(client, [{ name: 'Measured', type: 'DATETIME' }]);
    const msg = { step: measured.step, field: 'Measured', payload: '2026-07-01T08:00:00' };
    await load();
    const { error } = await refusal(msg);
    assert.equal(error.code, 'ION_VARIABLES');
    assert.match(
      error.message,
      /an offset.*the time zone of all such values in the ION config node/,
    );
    await helper.unload();
    const { sandbox } = context;
    const config = sandboxConfig(sandbox, { timeZone: 'Europe/Berlin' });
    flow = await TestFlow.load(stepNode, [config], sandboxKey(sandbox));
    await flow.answer(msg);
    const recorded = await fieldValue(client, measured.step, 'Measured');
    assert.equal(recorded, '2026-07-01T06:00:00.000Z');
    const skipped = await refusal({ ...msg, payload: '2026-03-29T02:30:00' });
    assert.match(skipped.error.message, /that exists in the time zone Europe\/Berlin/);
  });

  it('accepts no ID that a number cannot hold, except as text', async () => {
    await load();
    for (const id of [2 ** 53, -(2 ** 60), Number.NaN, Number.POSITIVE_INFINITY]) {
      const { error } = await refusal({ step: id, field: 'Torque', payload: 1 });
      assert.equal(error.code, 'ION_VARIABLES');
      assert.match(error.message, /The step is the number .* as text/);
    }
    const { error } = await refusal({ step: 9007199254740993n, field: 'Torque', payload: 1 });
    assert.match(error.message, /no run step with the ID "9007199254740993"/);
  });

  it('names the missing part if a path of the dialog leads through nothing', async () => {
    await load({ field: 'cycle.names.second', fieldType: 'msg' });
    const { error } = await refusal({ step: step.step, payload: 1 });
    assert.equal(error.code, 'ION_VARIABLES');
    assert.match(error.message, /\(msg: cycle\.names\.second\): nothing holds "names"$/);
  });

  it('starts a step that is still to do before it records the value, if configured', async () => {
    const todo = await makeStep(client, [{ name: 'Torque', type: 'NUMBER' }], { status: 'TODO' });
    const msg = { step: todo.step, field: 'Torque', payload: 12.5 };
    await load({ startStep: false });
    const { error } = await refusal(msg);
    assert.match(error.message, /while its step is TODO\..* "Start the step first if it is TODO"/);
    await helper.unload();
    await load({ startStep: true });
    const { ion } = await flow.answer(msg);
    assert.equal((ion as FlowMessage).started, true);
    assert.equal((await stepState(client, todo.step)).status, 'IN_PROGRESS');
    assert.equal(await fieldValue(client, todo.step, 'Torque'), 12.5);
    assert.ok(!('started' in ((await flow.answer(msg)).ion as FlowMessage)));
  });

  it('changes the status of a step', async () => {
    await load({ action: 'status', value: 'complete', valueType: 'str' });
    const { payload, ion } = await flow.answer({ step: step.step });
    assert.equal((payload as FlowMessage).status, 'COMPLETE');
    assert.equal((ion as FlowMessage).name, 'UpdateRunStep');
    assert.equal((await stepState(client, step.step)).status, 'COMPLETE');
    await helper.unload();
    await load({ action: 'status' });
    const { error } = await refusal({ step: step.step, payload: 'FAILED' });
    assert.equal(error.code, 'ION_GRAPHQL');
    assert.match(error.message, /cannot go from COMPLETE to FAILED/);
  });

  it('attaches a Buffer, a text, and a file by its path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ion-step-test-'));
    try {
      const path = join(folder, 'photo.png');
      await writeFile(path, 'image');
      await load({ action: 'file' });
      await flow.answer({ step: step.step, payload: Buffer.from([1, 2]), filename: 'a.bin' });
      await flow.answer({ step: step.step, payload: 'a;b', filename: 'b.csv' });
      await helper.unload();
      await load({ action: 'file', valueType: 'path', value: '' });
      const { payload } = await flow.answer({ step: step.step, filename: path });
      assert.equal((payload as FlowMessage).filename, 'photo.png');
      const missing = await refusal({ step: step.step, filename: `${path}.missing` });
      assert.equal(missing.error.code, 'ION_NOT_FOUND');
    } finally {
      await rm(folder, { recursive: true });
    }
    const { fileAttachments } = await stepState(client, step.step);
    assert.deepEqual(fileAttachments.map(({ filename }) => filename).sort(), [
      'a.bin',
      'b.csv',
      'photo.png',
    ]);
  });

  it('fails with the reason, on the same message', async () => {
    await load();
    const wrong: [FlowMessage, string, RegExp][] = [
      [{ payload: 1 }, 'ION_NOT_FOUND', /No field is given.* msg\.field does not exist\.$/],
      [{ step: step.step, payload: 1 }, 'ION_NOT_FOUND', /msg\.field does not exist\.$/],
      [{ run: 1, field: 'Torque', payload: 1 }, 'ION_NOT_FOUND', /msg\.step does not exist\.$/],
      [{ field: 'Torque', payload: 1 }, 'ION_NOT_FOUND', /msg\.step does not exist\.$/],
      [
        { step: 'Tighten', field: 'Torque', payload: 1 },
        'ION_NOT_FOUND',
        /needs the run as well\. msg\.run does not exist\.$/,
      ],
      [{ step: step.step, field: null, payload: 1 }, 'ION_NOT_FOUND', /or a name\.$/],
      [{ step: step.step, field: 'Tork', payload: 1 }, 'ION_NOT_FOUND', /There is no field "Tork"/],
      [{ step: step.step, field: 'Torque', payload: '12,5' }, 'ION_VARIABLES', /takes a number/],
      [{ step: step.step, field: 'Torque' }, 'ION_VARIABLES', /not nothing/],
      [
        { step: [1], field: 'Torque', payload: 1 },
        'ION_VARIABLES',
        /must be an ID or a name, not a list/,
      ],
      [{ step: {}, field: 'Torque', payload: 1 }, 'ION_VARIABLES', /not of type object/],
    ];
    for (const [msg, code, text] of wrong) {
      const { error, ion, ...rest } = await refusal({ ...msg, topic: 'kept' });
      assert.equal(error.code, code);
      assert.match(error.message, text);
      assert.equal((ion as FlowMessage).code, code);
      assert.equal(rest.topic, 'kept');
      assert.deepEqual(rest.payload, msg.payload);
    }
    for (const [msg, text] of [
      [{ payload: 'x' }, /needs a name/],
      [{ payload: { a: 1 }, filename: 'a' }, /must be a Buffer or text/],
    ] as [FlowMessage, RegExp][]) {
      await helper.unload();
      await load({ action: 'file' });
      const { error } = await refusal({ step: step.step, ...msg });
      assert.equal(error.code, 'ION_VARIABLES');
      assert.match(error.message, text);
    }
  });

  it('fails with ION_FORBIDDEN for what the API key has no permission for', async () => {
    const permissions: [FlowMessage, object, string][] = [
      [{ field: 'Torque', payload: 1 }, {}, 'UpdateRunStepFieldValue'],
      [{ payload: 'COMPLETE' }, { action: 'status' }, 'UpdateRunStep'],
      [{ payload: 'text', filename: 'a.txt' }, { action: 'file' }, 'CreateFileAttachment'],
    ];
    for (const [msg, properties, permission] of permissions) {
      await helper.unload();
      await load(properties);
      context.sandbox.control.set({ permissions: [] });
      const { error, ion } = await refusal({ step: step.step, ...msg });
      assert.equal(error.code, 'ION_FORBIDDEN', error.message);
      assert.ok(error.message.endsWith(`this needs ${permission})`), error.message);
      assert.equal((ion as FlowMessage).status, 403);
      context.sandbox.control.set({ permissions: [permission] });
      assert.equal((await flow.send({ step: step.step, ...msg })).caught.length, 0);
    }
  });

  it('fails with ION_CONFIG without a config node', async () => {
    await load({ config: 'none' });
    assert.equal((await refusal({ step: 1, field: 'a', payload: 1 })).error.code, 'ION_CONFIG');
    await helper.unload();
    await load({ config: 'none', delivery: 'outbox' });
    assert.equal((await refusal({ step: 1, field: 'a', payload: 1 })).error.code, 'ION_CONFIG');
  });
});
