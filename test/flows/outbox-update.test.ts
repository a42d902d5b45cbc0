// A rolling update: the new Node-RED starts before the one that it replaces ends.
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

const WRITES = 10;

describe('the outbox in a Node-RED that starts before the one it replaces ends', () => {
  const ion = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  const running = new Set<RunningNodeRed>();

  afterEach(async () => {
    ion.sandbox.control.onCarriedOut = undefined;
    await Promise.all([...running].map((nodeRed) => nodeRed.stop()));
    running.clear();
  });

  const prepare = async () => {
    const { run, fields } = await makeStep(ion.client(), [{ name: 'Log', type: 'STRING' }]);
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const place = { z: 'flow', x: 0, y: 0 };
    const debug = { type: 'debug', active: true, tosidebar: true, complete: 'payload', ...place };
    const flow: FlowNode[] = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(ion.sandbox),
      ...Array.from({ length: WRITES + 1 }, (_, value) => ({
        id: `write ${value}`,
        type: 'inject',
        props: [
          { p: 'payload', v: String(value), vt: 'str' },
          { p: 'run', v: String(run), vt: 'num' },
          { p: 'step', v: 'Example step', vt: 'str' },
          { p: 'field', v: 'Log', vt: 'str' },
        ],
        wires: [['node']],
        ...place,
      })),
      { ...stepNode, delivery: 'outbox', outputs: 2, wires: [[], []], ...place },
      { id: 'catch', type: 'catch', scope: ['node'], wires: [['failed']], ...place },
      { id: 'complete', type: 'complete', scope: ['node'], wires: [['done']], ...place },
      { id: 'failed', name: 'failed', ...debug },
      { id: 'done', name: 'done', ...debug },
    ];
    const { clientId, clientSecret } = ion.sandbox;
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    return { userDir, field: fields.Log ?? 0 };
  };
  const start = async (userDir: string) => {
    const nodeRed = await RunningNodeRed.start(userDir);
    running.add(nodeRed);
    await nodeRed.listen();
    return nodeRed;
  };
  const inject = ({ url }: RunningNodeRed, value: number) =>
    fetch(`${url}/inject/write%20${value}`, { method: 'POST' });
  const told = ({ events }: RunningNodeRed, wanted: string) =>
    events.flatMap(({ topic, data }) => {
      const { name, msg } = data as { name?: string; msg?: string };
      return topic === 'debug' && name === wanted ? [Number(msg)] : [];
    });

  it('queues messages, reports it, and loses none', async () => {
    const { userDir, field } = await prepare();
    const arrived: number[] = [];
    ion.sandbox.control.onCarriedOut = (mutation, args) => {
      const { id, value } = (args.input ?? {}) as { id?: string; value?: string };
      if (mutation === 'updateRunStepFieldValue' && Number(id) === field) {
        arrived.push(Number(value));
      }
    };
    const before = await start(userDir);
    await inject(before, 0);
    await until(() => arrived.length === 1);

    const after = await start(userDir);
    const values = Array.from({ length: WRITES }, (_, index) => index + 1);
    for (const value of values) await inject(after, value);
    const waits = (data: unknown) =>
      /^10 queued · outbox in use by another process$/.test((data as { text?: string }).text ?? '');
    await after.until(() => after.events.some(({ data }) => waits(data)));
    // The log reports it after 5 s: a usual update is over by then.
    await after.until(() => /\[warn\] .*Another process is using .*ion-outbox/.test(after.log));
    assert.deepEqual([told(after, 'done'), told(after, 'failed'), arrived], [[], [], [0]]);

    await before.stop();
    await until(() => arrived.length === WRITES + 1);
    await after.until(() => told(after, 'done').length === WRITES);
    assert.deepEqual(arrived, [0, ...values]);
    assert.deepEqual(told(after, 'failed'), []);
    await after.until(() => {
      const texts = after.events.map(({ data }) => (data as { text?: string }).text);
      const last = texts.findLastIndex((text) => text?.startsWith('all delivered'));
      return last > texts.findLastIndex((text) => waits({ text }));
    });
  });
});
