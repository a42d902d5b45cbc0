import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

const SECRET = 'example-secret';
const INSTANCES = ['one', 'two'];
const RUNS = 6;

/** The output of an instance, as a flow sees it. */
interface Told {
  instance: string;
  from: string;
  id?: number;
  count?: number;
  code?: string;
}

describe('a subflow in a real Node-RED', () => {
  const context = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  let userDir: string;
  let nodeRed: RunningNodeRed;
  /** A step for each instance. */
  let steps: Record<string, StepForTests>;

  const start = () =>
    RunningNodeRed.start(userDir, {
      settings: { contextStorage: { default: { module: 'localfilesystem' } } },
    });
  before(async () => {
    userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await prepareUserDir(userDir, [], {});
    nodeRed = await start();
  });
  after(() => nodeRed?.stop());
  beforeEach(async () => {
    const make = async (name: string) =>
      [name, await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }])] as const;
    steps = Object.fromEntries(await Promise.all(INSTANCES.map(make)));
  });

  const place = (node: FlowNode, z = 'flow'): FlowNode => ({ x: 0, y: 0, wires: [], ...node, z });
  const key = () => {
    const { clientId, clientSecret } = context.sandbox;
    return { clientId, clientSecret };
  };
  const ofIon = (id: string, properties = {}) =>
    sandboxConfig(context.sandbox, { id, credentials: key(), retries: 0, ...properties });
  /** In the template: one node of each type, whose messages name their instance. */
  const inside = (config: string, hook = {}) => {
    const tell = (from: string) => ({
      ...place({ id: `tell-${from}`, type: 'function', wires: [['reported']] }, 'sub'),
      func: `const { payload, ion, error } = msg;
        const { id = ion?.id, length: count } = payload ?? {};
        return { payload: { instance: env.get('INSTANCE'), from: '${from}', id, count, code: error?.code } };`,
    });
    // No ID may be a value of a property as well: Node-RED would take it for a reference.
    const node = (from: string, properties: FlowNode) => [
      place({ ...properties, id: `node-${from}`, config, wires: [[`tell-${from}`]] }, 'sub'),
      tell(from),
    ];
    const field = { runType: 'str', run: '', stepType: 'str', step: '', field: 'FIELD' };
    const write = { ...stepNode, ...field, fieldType: 'env', value: 'INSTANCE', valueType: 'env' };
    return [
      ...node('graphql', { ...graphqlNode, output: 'payload.me', query: '{ me { id } }' }),
      ...node('runs', { ...runsNode, changes: true }),
      ...node('lookup', { ...lookupNode, by: 'run', value: 'RUN', valueType: 'env' }),
      ...node('direct', write),
      ...node('outbox', { ...write, delivery: 'outbox', outputs: 2 }),
      ...node('poll', { ...eventsNode, resource: 'RUNS', interval: 0.2 }),
      ...node('hook', {
        ...eventsNode,
        ...{ via: 'webhook', credentials: { secret: SECRET } },
        ...hook,
      }),
      place({ id: 'caught', type: 'catch', scope: null, wires: [['tell-caught']] }, 'sub'),
      tell('caught'),
      place({ id: 'reported', type: 'function', func: 'return msg;' }, 'sub'),
    ];
  };
  const template = (properties = {}) => ({
    ...{ id: 'sub', type: 'subflow', name: 'ION', category: '', env: [] },
    in: [
      {
        x: 0,
        y: 0,
        wires: ['graphql', 'runs', 'lookup', 'direct', 'outbox'].map((of) => ({
          id: `node-${of}`,
        })),
      },
    ],
    out: [{ x: 0, y: 0, wires: [{ id: 'reported', port: 0 }] }],
    ...properties,
  });
  const instance = (id: string, env: object[] = [], z = 'flow') => {
    const own = [
      { name: 'INSTANCE', type: 'str', value: id },
      { name: 'FIELD', type: 'str', value: String(steps[id]?.fields.Log) },
      { name: 'RUN', type: 'str', value: String(steps[id]?.run) },
    ];
    return place({ id, type: 'subflow:sub', env: [...own, ...env], wires: [['collect']] }, z);
  };
  const outside = () => [
    { id: 'flow', type: 'tab', label: 'test' },
    place({
      ...{ id: 'collect', type: 'function' },
      func: `global.set('reported', [...(global.get('reported') ?? []), msg.payload]);`,
    }),
    ...INSTANCES.flatMap((id) => [
      place({
        id: `in-${id}`,
        type: 'http in',
        url: `/${id}`,
        method: 'get',
        wires: [[id, 'out']],
      }),
    ]),
    place({ id: 'in', type: 'http in', url: '/told', method: 'get', wires: [['take']] }),
    place({
      ...{ id: 'take', type: 'function', wires: [['out']] },
      func: `msg.payload = global.get('reported') ?? []; global.set('reported', []); return msg;`,
    }),
    place({ id: 'out', type: 'http response' }),
  ];

  const get = async (path: string) => (await fetch(nodeRed.url + path)).json().catch(() => {});
  /** Waits until the instances have sent all of these, in any order. */
  const untilTold = async (expected: string[], mayFail = false): Promise<void> => {
    const told: string[] = [];
    await until(async () => {
      for (const { instance, from, code } of (await get('/told')) as Told[]) {
        if (from === 'caught' && mayFail) continue;
        assert.equal(code, undefined, `${instance} ${from}: ${code}`);
        told.push(`${instance} ${from}`);
      }
      return expected.every((each) => told.includes(each));
    });
  };
  const both = (...froms: string[]) =>
    froms.flatMap((from) => INSTANCES.map((each) => `${each} ${from}`));
  const data = () => context.sandbox.data;
  const written = (name: string) =>
    data().runStepFields.get(Number(steps[name]?.fields.Log))?.value;
  const post = async (path: string): Promise<number> => {
    const body = JSON.stringify({ event_id: path, resource: 'run_steps', action: 'update' });
    const headers = {
      'content-type': 'application/json',
      'x-ion-signature': createHmac('sha256', SECRET).update(body).digest('hex'),
    };
    return (await fetch(nodeRed.url + path, { method: 'POST', headers, body })).status;
  };
  const isDown = (isSo: boolean) => {
    const { control } = context.sandbox;
    control.clearFaults();
    if (isSo) control.fault({ target: 'api', kind: 'status', status: 503, times: 1_000_000 });
  };

  const scoped = (hook = {}) => [
    ...outside(),
    template(),
    { ...ofIon('own'), z: 'sub' },
    ...inside('own', hook),
  ];

  it('has a separate config node in each instance, and all nodes work with it', async () => {
    await nodeRed.deploy([...scoped(), ...INSTANCES.map((id) => instance(id))]);
    for (const id of INSTANCES) await get(`/${id}`);
    await untilTold(both('graphql', 'runs', 'lookup', 'direct', 'outbox'));
    assert.deepEqual(INSTANCES.map(written), INSTANCES);
    await until(async () => context.sandbox.control.counters().api.total > 20);
    data().runs.update(1, { title: 'Polled' });
    await untilTold(both('poll'));
  });

  it('finds the config node that a subflow property names, also one of an outer subflow', async () => {
    const property = { name: 'ION', type: 'ion-config', value: '', ui: { type: 'conf-types' } };
    const chosen = (value: string) => [{ name: 'ION', type: 'conf-type', value }];
    const outer = {
      ...{ id: 'outer', type: 'subflow', name: 'Outer', category: '', env: [] },
      in: [{ x: 0, y: 0, wires: [{ id: 'two' }] }],
      out: [{ x: 0, y: 0, wires: [{ id: 'two', port: 0 }] }],
    };
    await nodeRed.deploy([
      ...outside().map((node) =>
        node.id === 'in-two' ? { ...node, wires: [['outside', 'out']] } : node,
      ),
      ofIon('shared'),
      template({ env: [property] }),
      ...inside('${ION}'),
      instance('one', chosen('shared')),
      outer,
      { ...ofIon('scoped'), z: 'outer' },
      instance('two', chosen('scoped'), 'outer'),
      place({ id: 'outside', type: 'subflow:outer', wires: [['collect']] }),
    ]);
    for (const id of INSTANCES) await get(`/${id}`);
    await untilTold(both('graphql', 'runs', 'lookup', 'direct', 'outbox'));
    assert.deepEqual(INSTANCES.map(written), INSTANCES);
  });

  it('loses no write and no checkpoint of an instance when Node-RED restarts', async () => {
    await nodeRed.deploy([...scoped(), ...INSTANCES.map((id) => instance(id))]);
    for (const id of INSTANCES) await get(`/${id}`);
    await untilTold(both('runs', 'outbox'));
    for (const { fields } of Object.values(steps)) {
      data().runStepFields.update(Number(fields.Log), { value: null });
    }
    isDown(true);
    for (const id of INSTANCES) await get(`/${id}`);
    await until(async () => {
      const caught = ((await get('/told')) as Told[]).filter(({ from }) => from === 'caught');
      return caught.length > 0;
    });
    const waiting = async (id: string) =>
      ((await get(`/ion-config/${id}-own/outbox`)) as { waiting: number }).waiting;
    await until(async () => (await waiting('one')) === 1 && (await waiting('two')) === 1);
    await nodeRed.stop();
    isDown(false);
    data().runs.update(2, { title: 'While it was away' });
    nodeRed = await start();
    // The checkpoint of earlier events is kept as well.
    await untilTold(both('outbox', 'poll'), true);
    assert.deepEqual(INSTANCES.map(written), INSTANCES);
    for (const id of INSTANCES) await get(`/${id}`);
    const counts: unknown[] = [];
    await until(async () => {
      const told = ((await get('/told')) as Told[]).filter(({ from }) => from === 'runs');
      counts.push(...told.map(({ count }) => count));
      return counts.length === INSTANCES.length;
    });
    // Not all runs again.
    assert.ok(
      counts.every((count) => Number(count) < RUNS),
      String(counts),
    );
  });

  it('accepts webhooks at an address of each instance, which exists as long as the instance', async () => {
    const hook = { register: true, publicUrl: nodeRed.url };
    const flows = (ids: string[]) => [...scoped(hook), ...ids.map((id) => instance(id))];
    const uris = () =>
      data()
        .webhookReceivers.all()
        .map(({ webhookUri }) => webhookUri)
        .sort();
    const addresses = INSTANCES.map((id) => `/ion/${id}-node-hook`);
    await nodeRed.deploy(flows(INSTANCES));
    await until(() => data().webhookSubscriptions.all().length === 4);
    assert.deepEqual(
      uris(),
      addresses.map((path) => nodeRed.url + path),
    );
    for (const path of addresses) assert.equal(await post(path), 200);
    await untilTold(both('hook'));
    const before = data()
      .webhookReceivers.all()
      .map(({ id }) => id);
    await nodeRed.deploy(flows(INSTANCES).map((node) => ({ ...node, changed: 1 })));
    for (const path of addresses) assert.equal(await post(path), 200);
    await until(
      () =>
        data()
          .webhookReceivers.all()
          .map(({ id }) => id)
          .join() === before.join(),
    );

    isDown(true);
    await get('/two');
    await until(async () => {
      const { waiting } = (await get('/ion-config/two-own/outbox')) as { waiting: number };
      return waiting === 1;
    });
    isDown(false);
    context.sandbox.control.fault({
      target: 'api',
      kind: 'status',
      status: 503,
      match: 'FieldValue',
      times: 1000,
    });
    await nodeRed.deploy(flows(['one']));
    await until(() => uris().join() === nodeRed.url + addresses[0]);
    assert.equal(await post(String(addresses[1])), 404);
    await nodeRed.until(() =>
      /This ION config node was deleted, but its outbox has 1 pending write\./.test(nodeRed.log),
    );
  });
});
