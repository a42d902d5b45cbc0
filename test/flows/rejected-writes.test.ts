import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';

const TEXT = { value: 'high', valueType: 'str' };
const place = (node: FlowNode): FlowNode => ({ x: 0, y: 0, z: 'flow', wires: [], ...node });
const say = (id: string, text: string, properties: object = {}) =>
  place({ id, type: 'function', func: `node.warn(${text})`, ...properties });

describe('a rejected write of the outbox', () => {
  const context = useSandbox({ runs: 2 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed | undefined;
  let field: number;
  let count = 0;

  before(async () => {
    const { fields } = await makeStep(context.client(), [{ name: 'Torque', type: 'NUMBER' }]);
    field = Number(fields.Torque);
  });
  afterEach(() => nodeRed?.stop());

  /** The log after a write of a text to a number, with a node whose output 2 has these wires. */
  const logOf = async (wires: string[], others: FlowNode[], z = 'flow', value: object = TEXT) => {
    const userDir = join(folder.path, `user-${++count}`);
    await mkdir(userDir);
    const { clientId, clientSecret } = context.sandbox;
    const step = { ...stepNode, id: 'write', ...value, delivery: 'outbox' };
    const where = { run: '', step: '', field: String(field), fieldType: 'num', outputs: 2 };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      place({ id: 'go', type: 'inject', once: true, props: [{ p: 'part', v: 'A-7', vt: 'str' }] }),
      place({ ...step, ...where, wires: [[], wires], z }),
      place({ id: 'catch', type: 'catch', scope: null, wires: [['caught']] }),
      say(
        'caught',
        '`caught ${msg.error.code} of ${msg.part}: ${msg.ion.code}, ${msg.error.source.id}`',
      ),
      ...others,
    ].map((node) =>
      node.id === 'go' ? { ...node, wires: [[z === 'flow' ? 'write' : 'sub']] } : node,
    );
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.start(userDir);
    const running = nodeRed;
    await running.until(() => /caught ION|output 2: /.test(running.log));
    return running.log;
  };
  const two = say('two', '`output 2: ${msg.error.code} of ${msg.part}: ${msg.ion.code}`');

  it('is sent from output 2, and not to Catch nodes, if a node is wired to it', async () => {
    const log = await logOf(['two'], [two]);
    assert.match(log, /output 2: ION_VARIABLES of A-7: ION_VARIABLES/);
    assert.doesNotMatch(log, /caught ION/);
  });

  for (const permissionError of ['status', 'errors'] as const) {
    it(`is one for which the API key lacks the permission, refused by ${permissionError}, after one try`, async () => {
      const { control } = context.sandbox;
      control.set({ permissions: ['UpdateRunStep'], permissionError });
      const log = await logOf(['two'], [two], 'flow', { value: '5', valueType: 'num' });
      assert.match(log, /output 2: ION_FORBIDDEN of A-7: ION_FORBIDDEN/);
      assert.equal(control.counters().api.byOperation.mutation, 1);
    });
  }

  it('reaches Catch nodes if nothing is wired to output 2', async () => {
    assert.match(await logOf([], []), /caught ION_VARIABLES of A-7: ION_VARIABLES, write/);
  });

  it('reaches Catch nodes if only a disabled node is wired to output 2', async () => {
    assert.match(await logOf(['two'], [{ ...two, d: true }]), /caught ION_VARIABLES of A-7/);
  });

  it('is sent through the output of a subflow to the node behind it', async () => {
    const sub = {
      id: 'template',
      type: 'subflow',
      in: [{ x: 0, y: 0, wires: [{ id: 'write' }] }],
      out: [{ x: 0, y: 0, wires: [{ id: 'write', port: 1 }] }],
    };
    const instance = place({ id: 'sub', type: 'subflow:template', wires: [['two']] });
    const log = await logOf([], [sub, instance, two], 'template');
    assert.match(log, /output 2: ION_VARIABLES of A-7/);
    assert.doesNotMatch(log, /caught ION/);
  });
});
