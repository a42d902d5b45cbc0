import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { addScanCases, type ScanCases } from '../../sandbox/data/scan-cases.js';
import { exampleFlow } from '../../tools/example.js';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

/** Nodes of other palettes: widgets, a serial port, PLCs. The test does what they would do. */
const FOREIGN = /^(ui-|serial|modbus|opcua)/i;
/** The value that example 10 records. */
const RECORDED = /updateRunStepFieldValue \{ .*value: 325\.5/;
const MUTATIONS = [
  'updateRunStepFieldValue',
  'updateRunStep',
  'createRun',
  'createRunStep',
  'createRunStepField',
  'createComment',
];
/** Nodes that show an error whose reason is the point of the example. */
const EXPECTED_ERRORS = ['ion-demo-debug-errors', 'ion-example-10-refused', 'ion-example-8-notify'];

describe('a dry run in a real Node-RED', () => {
  const ion = useSandbox({ runs: 60 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(nodeRed?.log.slice(-5000));
    await nodeRed?.stop();
  });

  const mutations = () => {
    const { api, executed } = ion.sandbox.control.counters();
    return { sent: api.byOperation.mutation, executed };
  };
  const NONE = { sent: 0, executed: {} };
  const inject = async (id: string) => {
    const response = await fetch(`${nodeRed.url}/inject/${id}`, { method: 'POST' });
    assert.ok(response.ok, `inject ${id}: HTTP ${response.status}`);
  };
  const debug = (id: string) =>
    nodeRed.events
      .filter(({ topic, data }) => topic === 'debug' && data.id === id)
      .map(({ data }) => String(data.msg));
  const shown = (id: string, count = 1) => nodeRed.until(() => debug(id).length >= count);
  const start = async (userDir: string, flow: FlowNode[], credentials: object, env: object) => {
    await mkdir(userDir);
    await prepareUserDir(userDir, flow, credentials);
    const { url, authUrl } = ion.sandbox;
    nodeRed = await RunningNodeRed.start(userDir, {
      env: { ION_API_URL: url, ION_AUTH_URL: authUrl, ...env },
      settings: { logging: { console: { level: 'info' } } },
    });
    await nodeRed.listen();
  };
  /** All ION config nodes in dry run, without nodes of other palettes. */
  const inDryRun = (flow: FlowNode[]) =>
    flow
      .filter(({ type, x }) => !FOREIGN.test(type) || x !== undefined)
      .map((node): FlowNode => {
        if (node.type === 'ion-config') return { ...node, mode: 'dryRun' };
        if (!FOREIGN.test(node.type)) return node;
        const { id, z, x, y } = node;
        return { id, z, x, y, type: 'debug', active: false, wires: [] };
      });

  describe('of the demo and all examples', () => {
    let broker: Broker;
    let machine: TestMqttClient;
    let proofTest: StepForTests;
    let pressureTest: StepForTests;
    let cases: ScanCases;

    before(async function () {
      broker = await startBroker(this, folder.path);
      machine = await TestMqttClient.connect(broker.url, 'machines/#');
      cases = addScanCases(ion.sandbox.data);
      const client = ion.client();
      proofTest = await makeStep(client, [], { title: 'Proof test', status: 'TODO' });
      pressureTest = await makeStep(client, [{ name: 'Pressure', type: 'NUMBER' }], {
        title: 'Pressure test',
      });
    });
    after(async () => {
      await machine?.close();
      await broker?.stop();
    });

    /** The values of a PLC, in place of its node. */
    const plc = (name: string, z: string, to: string): FlowNode => ({
      ...{ id: name, type: 'inject', z, x: 10, y: 10, wires: [[to]] },
      props: [{ p: 'payload', v: `[1, ${proofTest.run}]`, vt: 'json' }],
    });
    const deploy = async () => {
      const files = await readdir(join(root, 'examples'), { recursive: true });
      const examples = files.filter((file) => file.endsWith('.json')).sort();
      assert.ok(examples.length >= 14, `${examples.length} examples`);
      const flows = await Promise.all(examples.map(exampleFlow));
      const flowsOfOneBroker = flows.map((flow, index) =>
        // Two examples use the same topics.
        examples[index]?.startsWith('09')
          ? (JSON.parse(JSON.stringify(flow).replaceAll('machines/', 'shared/')) as FlowNode[])
          : flow,
      );
      const demo = JSON.parse(await readFile(join(root, 'demo/flow.json'), 'utf8')) as FlowNode[];
      const flow = [
        ...inDryRun([...flowsOfOneBroker.flat(), ...demo]),
        plc('plc-modbus', 'ion-example-4', 'ion-example-4-idle'),
        plc('plc-opcua', 'ion-example-4-opcua', 'ion-example-4-opcua-idle'),
      ];
      const { clientId, clientSecret } = ion.sandbox;
      const keys = flow
        .filter(({ type }) => type === 'ion-config')
        .map(({ id }) => [id, { clientId, clientSecret }]);
      const secrets = flow
        .filter(({ type, via }) => type === 'ion-events' && via === 'webhook')
        .map(({ id }) => [id, { secret: 'example-secret' }]);
      const credentials = Object.fromEntries([...keys, ...secrets]);
      await start(join(folder.path, 'all'), flow, credentials, {
        MQTT_HOST: '127.0.0.1',
        MQTT_PORT: String(broker.port),
        ION_DEMO_URL: 'http://127.0.0.1:1880',
        ION_INSTANCE: 'dry',
        ION_CSV_FILE: join(folder.path, 'runs.csv'),
      });
      await nodeRed.until(() => nodeRed.log.split('Connected to broker').length > 6);
    };
    /** The number of completed runs of the procedure in example 11. */
    const completedRuns = async () => {
      const filters = '{ procedureId: { eq: 1 }, status: { eq: COMPLETE } }';
      const operation = parseOperation(`{ runs(filters: ${filters}) { edges { node { id } } } }`);
      const { signal } = new AbortController();
      const { data } = await ion.client().request(operation, { signal });
      return (data.runs as { edges: unknown[] }).edges.length;
    };
    /** Lines of the log about mutations. */
    const notSent = (mutation: string) =>
      nodeRed.log.split('\n').filter((line) => line.includes(`not sent: ${mutation} `));

    it('writes nothing, and every flow continues', async function () {
      this.timeout(90_000);
      ion.sandbox.control.resetCounters();
      const { data } = ion.sandbox;
      const now = new Date();
      const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15));
      data.runs.update(2, { _created: lastMonth.toISOString() as never });
      const before = [data.runs, data.runSteps, data.runStepFields, data.comments].map((table) =>
        JSON.stringify(table.all()),
      );
      await deploy();
      const answers = (topic: string) => machine.received.filter((each) => each.topic === topic);

      for (const number of [1, 5, 7]) await inject(`ion-example-${number}-inject`);
      await shown('ion-example-1-debug');
      await shown('ion-example-7-debug');

      const { run } = pressureTest;
      const cycle = { run, step: 'Pressure test', number: 1, values: { Pressure: 325.5 } };
      await machine.publish('machines/press-1/cycle', cycle);
      await machine.until(() => answers('machines/press-1/ion/recorded').length === 1);

      for (const id of ['plc-modbus', 'plc-opcua']) await inject(id);
      await shown('ion-example-4-moved');
      await shown('ion-example-4-opcua-moved');

      for (const id of ['inject', 'new', 'wrong']) await inject(`ion-example-8-${id}`);
      await shown('ion-example-8-run');
      await shown('ion-example-8-made');
      await shown('ion-example-8-notify');

      await inject('ion-example-9-inject');
      await shown('ion-example-9-ion');

      for (const id of ['inject', 'later', 'text']) await inject(`ion-example-10-${id}`);
      await shown('ion-example-10-written');
      await shown('ion-example-10-delivered');
      await shown('ion-example-10-refused');

      const completed = await completedRuns();
      await inject('ion-example-11-inject');
      await shown('ion-example-11-debug', completed);

      await inject('ion-example-12-inject');
      const step = data.runSteps.all()[0]?.id;
      await machine.publish('line/press-7/alarm', {
        key: 'press-7/1',
        step,
        text: 'Force too high',
      });
      await shown('ion-example-12-written', 2);

      await machine.publish('station/scan', String(cases.started.units[0]?.code));
      await until(async () => {
        // The values belong to the unit that the station has found by then.
        await machine.publish('station/values', { Torque: 11.5 });
        return notSent('updateRunStepFieldValue').some((line) => line.includes('11.5'));
      });

      for (const id of ['press', 'press-error']) await inject(`ion-demo-${id}`);
      await shown('ion-demo-debug-graphql');
      await shown('ion-demo-debug-errors');

      assert.deepEqual(mutations(), NONE);
      const after = [data.runs, data.runSteps, data.runStepFields, data.comments].map((table) =>
        JSON.stringify(table.all()),
      );
      assert.deepEqual(after, before);
      assert.deepEqual(data.webhookReceivers.all(), []);
      const failed = nodeRed.events
        .filter(
          ({ topic, data: { id } }) =>
            topic === 'debug' && /errors|refused|rejected|notify/.test(String(id)),
        )
        .filter(({ data: { id } }) => !EXPECTED_ERRORS.includes(String(id)));
      assert.deepEqual(failed, []);
      assert.doesNotMatch(nodeRed.log, /\[error\]/);

      for (const mutation of MUTATIONS) assert.ok(notSent(mutation).length > 0, mutation);
      assert.match(nodeRed.log, RECORDED);
      assert.ok(!nodeRed.log.includes(ion.sandbox.clientSecret));
      assert.match(nodeRed.log, /Dry run: this ION config node sends queries only/);
      const statuses = nodeRed.events
        .filter(({ topic }) => topic.startsWith('status/'))
        .map(({ topic, data: { text } }) => `${topic.slice('status/'.length)}: ${text}`);
      for (const [id, text] of [
        ['ion-example-8-make', 'dry run · not sent'],
        ['ion-example-10-now', 'dry run · not sent'],
        ['ion-example-10-outbox', 'dry run · '],
        ['ion-demo-events-webhook', 'dry run · not registered'],
      ]) {
        assert.ok(
          statuses.some((each) => each.startsWith(`${id}: ${text}`)),
          `${id}: ${text}`,
        );
      }
    });
  });

  it('keeps the pending writes of the live mode, which are delivered when it is live again', async () => {
    const { control, clientId, clientSecret } = ion.sandbox;
    const flow = await exampleFlow('10-record-values.json');
    const config = 'ion-example-10-config';
    const waiting = async () => {
      const response = await fetch(`${nodeRed.url}/ion-config/${config}/outbox`);
      return ((await response.json()) as { waiting: number }).waiting;
    };
    const switchTo = async (mode: string | undefined) => {
      const flows = (await (await fetch(`${nodeRed.url}/flows`)).json()) as FlowNode[];
      await nodeRed.deploy(
        flows.map((node) => (node.id === config ? { ...node, mode } : node)),
        'nodes',
      );
    };
    await start(join(folder.path, 'outbox'), flow, { [config]: { clientId, clientSecret } }, {});
    for (const target of ['api', 'token'] as const) {
      control.fault({ target, kind: 'status', status: 503, times: 1e9 });
    }
    for (let write = 0; write < 3; write++) await inject('ion-example-10-later');
    await until(async () => (await waiting()) === 3);

    await switchTo('dryRun');
    control.clearFaults();
    control.resetCounters();
    await nodeRed.until(() => nodeRed.log.includes('live mode'));
    assert.equal(await waiting(), 0);
    for (let write = 0; write < 2; write++) await inject('ion-example-10-later');
    await shown('ion-example-10-delivered', 2);
    assert.deepEqual(mutations(), NONE);

    await switchTo('live');
    await shown('ion-example-10-delivered', 5);
    await until(async () => (await waiting()) === 0);
    assert.deepEqual(mutations().executed, { updateRunStepFieldValue: 3 });
  });
});
