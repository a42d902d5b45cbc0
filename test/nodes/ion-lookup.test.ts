import assert from 'node:assert/strict';
import type { Work } from '../../nodes/client/work/work.js';
import { addScanCases, type ScanCases } from '../../sandbox/data/scan-cases.js';
import { type FlowNode, lookupNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { fieldValue } from '../support/steps.js';
import { until } from '../support/until.js';

describe('ion-lookup', () => {
  const context = useSandbox({ runs: 12 });
  const folder = useTemporaryFolder();
  let cases: ScanCases;
  let flow: TestFlow;

  const load = async (properties: object = {}, config: object = {}, more: FlowNode[] = []) => {
    const { sandbox } = context;
    const nodes = [sandboxConfig(sandbox, config), ...more];
    const wires: Parameters<typeof TestFlow.load>[3] = [['sent'], ['second']];
    const node = { ...lookupNode, ...properties };
    flow = await TestFlow.load(node, nodes, sandboxKey(sandbox), wires);
    return flow;
  };
  const requests = () => context.sandbox.control.counters().api.total;

  before(async () => {
    cases = addScanCases(context.sandbox.data);
    helper.settings({ userDir: folder.path });
    await helper.startServer();
  });
  after(async () => {
    helper.settings({});
    await helper.stopServer();
  });
  afterEach(async () => {
    await helper.unload();
    for (const { completed, caught } of flow.outcomes) {
      assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    }
  });

  it('finds the work of a scanned label, and sends it from output 1 only', async () => {
    await load();
    const [unit] = cases.started.units;
    const [run] = cases.started.runs;
    const { sent, second } = await flow.send({ payload: `${unit?.code}\r`, topic: 'scanner' });
    assert.deepEqual([sent.length, second], [1, []]);
    const { work, ion, ...msg } = sent[0] as FlowMessage & { work: Work; ion: FlowMessage };
    assert.equal(work.unit?.serialNumber, 'SCAN-STARTED');
    assert.equal(work.step.title, 'Assemble');
    assert.equal(work.fields?.Torque?.unit, 'N·m');
    assert.deepEqual([msg.run, msg.step, msg.topic], [run?.id, run?.stepIds[1], 'scanner']);
    const { operation, attempts } = ion;
    assert.deepEqual([operation, attempts], ['query', 2]);
  });

  it('sends several, blocked and unknown ones from output 2, without an error', async () => {
    await load({ by: 'serial' });
    for (const [payload, found, count] of [
      ['SCAN-SHARED', 'several', 2],
      ['SCAN-HOLD', 'blocked', 1],
      ['no such unit', 'none', 0],
    ] as const) {
      const { sent, second, caught } = await flow.send({ payload });
      assert.deepEqual([sent, caught, second.length], [[], [], 1]);
      const work = second[0]?.work as { found: string; reason: string; candidates: object[] };
      assert.deepEqual([work.found, work.candidates.length], [found, count]);
      assert.match(work.reason, new RegExp(payload));
    }
  });

  it('is no error without a wire on output 2', async () => {
    flow = await TestFlow.load(
      { ...lookupNode, by: 'run' },
      [sandboxConfig(context.sandbox)],
      sandboxKey(context.sandbox),
    );
    const { completed, caught, sent } = await flow.send({ payload: 'no such run' });
    assert.deepEqual([completed.length, caught, sent], [1, [], []]);
  });

  it('gives ion-step all that it needs', async () => {
    await load({ by: 'serial' });
    const write = { ...stepNode, field: 'Torque', fieldType: 'str', value: 'torque' };
    const found = await flow.answer({ payload: 'SCAN-STARTED', torque: 12.5 });
    await helper.unload();
    flow = await TestFlow.load(
      write,
      [sandboxConfig(context.sandbox)],
      sandboxKey(context.sandbox),
    );
    const { payload } = await flow.answer(found);
    assert.equal((payload as FlowMessage).value, 12.5);
    const [run] = cases.started.runs;
    const step = Number(run?.stepIds[1]);
    assert.equal(await fieldValue(context.client(), step, 'Torque'), 12.5);
  });

  it('asks ION once for the same code scanned ten times at once, and each message has its own result', async () => {
    await load({ by: 'serial' });
    // A token, and the first look-up.
    await flow.answer({ payload: 'SCAN-READY' });
    const before = requests();
    const ten = await Promise.all(
      Array.from({ length: 10 }, () => flow.answer({ payload: 'SCAN-STARTED' })),
    );
    assert.equal(requests() - before, 1);
    assert.equal(new Set(ten.map(({ work }) => work)).size, 10);
  });

  it('answers from memory while ION is out of reach; an unknown code fails', async () => {
    await load({ by: 'serial' }, { retries: 0 });
    await flow.answer({ payload: 'SCAN-STARTED' });
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, times: 99 });
    const remembered = async () => {
      const { work, run } = await flow.answer({ payload: 'SCAN-STARTED' });
      const { source, step } = work as Work & { source: string };
      assert.deepEqual([step.title, run], ['Assemble', cases.started.runs[0]?.id]);
      return source === 'remembered';
    };
    // An answer of the last second counts as new.
    await until(remembered);
    const { caught, sent, second } = await flow.send({ payload: 'SCAN-REBUILT' });
    assert.deepEqual([caught[0]?.error.code, sent, second], ['ION_SERVER', [], []]);
    context.sandbox.control.clearFaults();
    await until(async () => {
      const { work } = await flow.answer({ payload: 'SCAN-STARTED' });
      return (work as { source: string }).source === 'ion';
    });
  });

  it('remembers nothing with 0 hours', async () => {
    await load({ by: 'serial', remember: 0 }, { retries: 0 });
    await flow.answer({ payload: 'SCAN-STARTED' });
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, times: 99 });
    await until(async () => {
      const { caught } = await flow.send({ payload: 'SCAN-STARTED' });
      return caught[0]?.error.code === 'ION_SERVER';
    });
  });

  it('reports for each message that it has no config node', async () => {
    await load({ config: '' });
    const { caught } = await flow.send({ payload: 'x' });
    assert.equal(caught[0]?.error.code, 'ION_CONFIG');
  });

  it('fails with ION_CLOSED if it is closed during a look-up', async () => {
    await load({ by: 'serial' });
    context.sandbox.control.fault({ target: 'api', kind: 'hang', times: 1 });
    const ended = flow.send({ payload: 'SCAN-STARTED' });
    await until(() => requests() > 0);
    await helper.getNode('node').close();
    const { caught } = await ended;
    assert.equal(caught[0]?.error.code, 'ION_CLOSED');
  });
});
