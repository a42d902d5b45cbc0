import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const RUNS = 40;
const ROUNDS = 150;
const SECRET = 'example-secret';

interface Told {
  topic: string;
  payload: { id: number; title: string; _etag: string };
  ion: { id: number; via: string; previous?: object };
}
/** A failure that no retry fixes. */
const REFUSAL = [{ message: 'Not now.' }];

describe('events in a real Node-RED', () => {
  const context = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  const tab = { id: 'flow', type: 'tab', label: 'test' };
  let userDir: string;
  let nodeRed: RunningNodeRed;

  const start = () =>
    RunningNodeRed.start(userDir, {
      settings: { contextStorage: { default: { module: 'localfilesystem' } } },
    });
  before(async () => {
    userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await prepareUserDir(userDir, [tab], {});
    nodeRed = await start();
  });
  after(() => nodeRed?.stop());

  const deploy = (events: FlowNode[], type: 'full' | 'nodes' = 'full') => {
    const { clientId, clientSecret } = context.sandbox;
    const credentials = { clientId, clientSecret };
    const nodes = [
      ...events.map((node) => ({ ...node, wires: [['collect']] })),
      {
        id: 'collect',
        type: 'function',
        func: `global.set('reported', [...(global.get('reported') ?? []), { topic: msg.topic, payload: msg.payload, ion: msg.ion }]);`,
        wires: [],
      },
      { id: 'in', type: 'http in', url: '/told', method: 'get', wires: [['take']] },
      {
        id: 'take',
        type: 'function',
        func: `msg.payload = global.get('reported') ?? []; global.set('reported', []); return msg;`,
        wires: [['out']],
      },
      { id: 'out', type: 'http response', wires: [] },
    ];
    return nodeRed.deploy(
      [
        tab,
        sandboxConfig(context.sandbox, { credentials, retries: 0 }),
        ...nodes.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
      ],
      type,
    );
  };
  const told = async () => (await (await fetch(`${nodeRed.url}/told`)).json()) as Told[];
  const data = () => context.sandbox.data;
  const stepOf = (run: number) => Number(data().runSteps.of(run)[0]?.id);
  const fields = ['id', 'title', '_etag'];
  const webhook = () => ({
    ...eventsNode,
    id: 'hook',
    via: 'webhook',
    fields,
    register: true,
    publicUrl: nodeRed.url,
    credentials: { secret: SECRET },
  });
  const registered = () => [
    data().webhookReceivers.all().length,
    data().webhookSubscriptions.all().length,
  ];

  it('arrive both ways in the same form, and the registration is removed with the node', async () => {
    const poll = { ...eventsNode, id: 'poll', fields, interval: 0.3 };
    await deploy([webhook(), poll]);
    await deploy([webhook(), poll]);
    await deploy([{ ...webhook(), name: 'renamed' }, poll], 'nodes');
    await until(() => registered().join() === '1,2');
    const polled = () => context.sandbox.control.counters().api.total;
    const before = polled();
    await until(() => polled() > before + 2);
    data().runSteps.update(stepOf(3), { title: 'Told' });
    const all: Told[] = [];
    await until(async () => all.push(...(await told())) >= 2);
    const [one, other, ...more] = all;
    assert.equal(more.length, 0);
    assert.deepEqual([one?.topic, other?.topic], ['RUN_STEPS/UPDATE', 'RUN_STEPS/UPDATE']);
    assert.deepEqual(one?.payload, other?.payload);
    assert.deepEqual(all.map(({ ion }) => ion.via).sort(), ['poll', 'webhook']);
    await deploy([poll]);
    await until(() => registered().join() === '0,0');
    assert.ok(!nodeRed.log.includes(SECRET));
  });

  it('are not lost if Node-RED restarts in the middle, because ION repeats them', async () => {
    context.sandbox.control.set({ webhookRetryDelay: 20, webhookTries: 100 });
    // The address outlives the process as it would in a factory: another port is registered.
    await deploy([webhook()]);
    await until(() => registered().join() === '1,2');
    const seen: Told[] = [];
    data().runSteps.update(stepOf(1), { title: 'Before' });
    await until(async () => seen.push(...(await told())) >= 1);
    await nodeRed.stop();
    for (let run = 2; run <= 20; run++) data().runSteps.update(stepOf(run), { title: 'During' });
    nodeRed = await start();
    await deploy([webhook()]);
    const ids = () => new Set(seen.map(({ ion }) => ion.id)).size;
    await until(async () => {
      seen.push(...(await told()));
      return ids() >= 20;
    });
    await until(() =>
      data()
        .webhookEvents.all()
        .every(({ status }) => status === 'SUCCEEDED'),
    );
    await deploy([]);
    await until(() => registered().join() === '0,0');
  });

  it(`over a shift of ${ROUNDS} rounds arrive in their latest state, with none invented`, async () => {
    const { control } = context.sandbox;
    const poll = { ...eventsNode, id: 'shift', fields, interval: 0.1 };
    await deploy([poll]);
    await until(() => nodeRed.log.includes('Started') && control.counters().api.total > 1);
    const random = randomNumbers(7);
    const edited = new Map<number, string>();
    const delivered = new Map<number, string>();
    let time = data().clock.now();
    const take = async () => {
      for (const { payload, topic } of await told()) {
        assert.ok(edited.has(payload.id), `step ${payload.id} was not edited`);
        assert.equal(topic, 'RUN_STEPS/UPDATE');
        delivered.set(payload.id, payload._etag);
      }
    };
    const isComplete = async () => {
      await take();
      return [...edited].every(([id, etag]) => delivered.get(id) === etag);
    };
    for (let round = 1; round <= ROUNDS; round++) {
      for (let edits = random(4); edits > 0; edits--) {
        const id = stepOf(random(RUNS) + 1);
        // Some have exactly the same time.
        data().runSteps.update(id, random(2) === 0 ? { _updated: time } : {});
        time = data().runSteps.get(id)?._updated as typeof time;
        edited.set(id, String(data().runSteps.get(id)?._etag));
      }
      control.clearFaults();
      if (random(10) === 0) control.fault({ target: 'api', kind: 'graphql', errors: REFUSAL });
      if (round === ROUNDS / 2) {
        await nodeRed.stop();
        nodeRed = await start();
      }
      if (round % 10 === 0) await until(isComplete);
    }
    await until(isComplete);
  });
});

/** Whole numbers below a limit, the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
