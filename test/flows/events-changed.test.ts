import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { freePort, prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { reportedEvents, reportingNodes } from '../support/reported-events.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

describe('starts of steps in a real Node-RED', () => {
  const context = useSandbox({ runs: 10 });
  const folder = useTemporaryFolder();
  let userDir: string;
  let port: number;
  let nodeRed: RunningNodeRed;

  const start = () =>
    RunningNodeRed.start(userDir, {
      port,
      settings: { contextStorage: { default: { module: 'localfilesystem' } } },
    });
  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    userDir = join(folder.path, 'user');
    port = await freePort();
    await mkdir(userDir);
    const watching = {
      ...eventsNode,
      actions: ['UPDATE'],
      filters: [{ field: 'status', op: 'eq', value: 'IN_PROGRESS', valueType: 'str' }],
      changedFields: ['status'],
      wires: [['collect']],
    };
    const url = `http://127.0.0.1:${port}`;
    const nodes = [
      { ...watching, id: 'poll', interval: 0.2 },
      { ...watching, id: 'hook', via: 'webhook', register: true, publicUrl: url },
      ...reportingNodes,
    ];
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { retries: 0 }),
      ...nodes.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
    ];
    const credentials = {
      config: { clientId, clientSecret },
      hook: { secret: 'example-secret' },
    };
    await prepareUserDir(userDir, flow, credentials);
    nodeRed = await start();
  });
  after(() => nodeRed?.stop());

  const data = () => context.sandbox.data;
  const polls = async (count: number) => {
    const total = () => context.sandbox.control.counters().api.total;
    const before = total();
    await until(() => total() >= before + count);
  };
  /** The earlier status of each start of a step, in the order of the sources' names. */
  const starts = async (step: number) =>
    (await reportedEvents(nodeRed))
      .filter(({ id }) => id === step)
      .map(({ via, previous, previousKnown }) => `${via} ${previous?.status ?? previousKnown}`)
      .sort();
  const delivered = () =>
    until(() =>
      data()
        .webhookEvents.all()
        .every(({ status }) => status === 'SUCCEEDED'),
    );

  it('are reported once by each source, with the status before, also after a restart', async () => {
    const [started, waiting] = [1, 2].map((run) => Number(data().runSteps.of(run)[0]?.id));
    assert.ok(started && waiting);
    for (const id of [started, waiting]) data().runSteps.update(id, { status: 'TODO' });
    await until(() => data().webhookSubscriptions.all().length === 1);
    await polls(3);
    for (const id of [started, waiting]) data().runSteps.update(id, { title: 'Prepared' });
    await delivered();
    await polls(5);
    data().runSteps.update(started, { status: 'IN_PROGRESS' });
    await until(async () => (await starts(started)).length >= 2);
    await delivered();
    await polls(5);
    assert.deepEqual(await starts(started), ['poll TODO', 'webhook TODO']);

    await nodeRed.stop();
    nodeRed = await start();
    await polls(3);
    data().runSteps.update(started, { title: 'Edited' });
    data().runSteps.update(waiting, { status: 'IN_PROGRESS' });
    await until(async () => (await starts(waiting)).length >= 2);
    await delivered();
    await polls(5);
    assert.deepEqual(await starts(waiting), ['poll TODO', 'webhook TODO']);
    assert.deepEqual(await starts(started), ['poll TODO', 'webhook TODO']);
  });
});
