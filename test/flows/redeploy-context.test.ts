import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { reportedEvents, reportingNodes } from '../support/reported-events.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

describe('a node that is redeployed, with the default settings of Node-RED', () => {
  const context = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let flow: FlowNode[];

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    // Each node polls once after each deploy.
    const polling = { ...eventsNode, interval: 3600, actions: ['UPDATE'], wires: [['collect']] };
    const nodes = [
      { ...polling, id: 'all' },
      { ...polling, id: 'changed', changedFields: ['status'] },
      ...reportingNodes,
    ];
    flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { retries: 0 }),
      ...nodes.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
    ] as FlowNode[];
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.start(userDir);
  });
  after(() => nodeRed?.stop());

  let seen = 0;
  /** The new messages, with the earlier status or whether one is known. */
  const untilReported = async (count: number) => {
    await until(async () => (await reportedEvents(nodeRed)).length >= seen + count);
    const added = (await reportedEvents(nodeRed)).slice(seen);
    seen += added.length;
    return added.map(({ id, previous, previousKnown }) => [id, previous?.status ?? previousKnown]);
  };
  const untilPolled = (...ids: string[]) =>
    until(async () => {
      const contexts = await Promise.all(
        ids.map(async (id) => (await fetch(`${nodeRed.url}/context/node/${id}`)).text()),
      );
      return contexts.every((text) => text.includes('"changes"'));
    });

  it('reports the changes that happened before it started again, and knows earlier values', async () => {
    await untilPolled('all', 'changed');
    const { runSteps } = context.sandbox.data;
    const { id, status } = runSteps.of(1)[0] as { id: number; status: string };
    assert.notEqual(status, 'HOLD');
    runSteps.update(id, { status: 'HOLD' });
    await nodeRed.deploy(flow);
    assert.deepEqual(await untilReported(2), [
      [id, undefined],
      [id, status],
    ]);
    runSteps.update(id, { status: 'IN_PROGRESS' });
    await nodeRed.deploy(flow);
    assert.deepEqual(await untilReported(2), [
      [id, undefined],
      [id, 'HOLD'],
    ]);
  });

  it('loses no change if it watches other fields from now on', async () => {
    const id = Number(context.sandbox.data.runSteps.of(2)[0]?.id);
    context.sandbox.data.runSteps.update(id, { title: 'Renamed' });
    const others = flow.map((node) =>
      node.id === 'all' ? { ...node, changedFields: ['title'] } : node,
    );
    await nodeRed.deploy(others);
    assert.deepEqual(await untilReported(1), [[id, false]]);
    context.sandbox.data.runSteps.update(id, { title: 'Renamed again' });
    await nodeRed.deploy(others);
    assert.equal((await untilReported(1))[0]?.[0], id);
  });
});
