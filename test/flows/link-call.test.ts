import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

describe('a link call around a write through the outbox', () => {
  const context = useSandbox({ runs: 2 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  after(() => nodeRed?.stop());

  it('gets the delivered message, also after its timeout and after a restart', async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const { fields } = await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }]);
    const { clientId, clientSecret, control } = context.sandbox;
    const place = (node: FlowNode): FlowNode => ({ x: 0, y: 0, wires: [], ...node, z: 'flow' });
    const say = (id: string, text: string) =>
      place({ id, type: 'function', func: `node.warn(${text})` });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      place({
        id: 'in',
        type: 'http in',
        url: '/write/:value',
        method: 'get',
        wires: [['ok', 'value']],
      }),
      place({ id: 'ok', type: 'http response' }),
      place({
        ...{ id: 'value', type: 'function', wires: [['call']] },
        func: 'return { payload: msg.req.params.value };',
      }),
      place({
        ...{ id: 'call', type: 'link call', links: ['begin'], linkType: 'static', timeout: '2' },
        wires: [['after']],
      }),
      say('after', `'after the call: ' + JSON.stringify(Object.keys(msg).sort())`),
      place({ id: 'catch', type: 'catch', scope: ['call'], wires: [['caught']] }),
      say('caught', `'caught: ' + msg.error.message`),
      place({ id: 'begin', type: 'link in', links: [], wires: [['step']] }),
      place({
        ...{ ...stepNode, id: 'step', run: '', step: '', field: String(fields.Log) },
        ...{ fieldType: 'num', delivery: 'outbox', outputs: 2, wires: [['end'], []] },
      }),
      place({ id: 'end', type: 'link out', mode: 'return', links: [] }),
    ];
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.start(userDir);
    const count = (text: string) => nodeRed.log.split(text).length - 1;
    const write = (value: number) => fetch(`${nodeRed.url}/write/${value}`);
    const down = () =>
      control.fault({ target: 'api', kind: 'status', status: 503, times: 1_000_000 });

    await write(1);
    await nodeRed.until(() => count('after the call: ["_event","_msgid","ion","payload"]') === 1);
    assert.equal(count('caught: timeout'), 0);

    down();
    await write(2);
    await nodeRed.until(() => count('caught: timeout') === 1);
    control.clearFaults();
    await nodeRed.until(() => count('after the call:') === 2);

    down();
    await write(3);
    await nodeRed.until(() => count('caught: timeout') === 2);
    await nodeRed.stop();
    control.clearFaults();
    nodeRed = await RunningNodeRed.start(userDir);
    await nodeRed.until(() => count('after the call: ["_event","_msgid","ion","payload"]') === 1);
    await until(() => context.sandbox.data.runStepFields.get(Number(fields.Log))?.value === '3');
    assert.equal(count('caught: timeout'), 0);
  });
});
