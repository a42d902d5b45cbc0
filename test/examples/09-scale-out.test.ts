import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { blankField } from '../../sandbox/data/row-templates.js';
import { RunningExample } from '../../tools/example.js';
import { type Cycle, Machines } from '../../tools/machines.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { useSandbox } from '../support/sandbox.js';
import { fieldValue, makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

const RUNS = byLength({ soak: 200, usual: 100, brief: 50 });
const CYCLES_PER_RUN = 100;
const CYCLES = RUNS * CYCLES_PER_RUN;
const INSTANCES = ['a', 'b', 'c'];
const settings = { logging: { console: { level: 'info' } } };

describe('example 9, several instances', () => {
  const ion = useSandbox({ runs: 20, tokenLifetime: 3600 });
  const folder = useTemporaryFolder();
  let broker: Broker;
  let machines: Machines | undefined;
  const running = new Map<string, RunningNodeRed>();

  before(async function () {
    broker = await startBroker(this, folder.path);
  });
  afterEach(async () => {
    ion.sandbox.control.onCarriedOut = undefined;
    await machines?.close();
    machines = undefined;
    await Promise.all([...running.values()].map((nodeRed) => nodeRed.stop()));
    running.clear();
  });
  after(() => broker?.stop());

  const environment = (instance: string) => ({
    ION_API_URL: ion.sandbox.url,
    ION_AUTH_URL: ion.sandbox.authUrl,
    ION_INSTANCE: instance,
    MQTT_HOST: '127.0.0.1',
    MQTT_PORT: String(broker.port),
  });
  const ready = async (instance: string, nodeRed: RunningNodeRed) => {
    running.set(instance, nodeRed);
    await nodeRed.until(() => nodeRed.log.includes('Connected to broker'));
  };
  const start = async (instance: string, changes: Record<string, object> = {}) => {
    const own = join(folder.path, instance);
    await mkdir(own);
    const example = await RunningExample.start('09-scale-out.json', {
      folder: own,
      sandbox: ion.sandbox,
      env: environment(instance),
      settings,
      changes,
    });
    await ready(instance, example.nodeRed);
    return example;
  };
  const startAgain = async (instance: string) => {
    const userDir = join(folder.path, instance, '09-scale-out');
    const env = environment(instance);
    await ready(instance, await RunningNodeRed.start(userDir, { env, settings }));
  };
  const connectMachines = async () => {
    const url = broker.url;
    machines = await Machines.connect({ url, until: 'accepted', inFlight: 500, repeatAfter: 2000 });
    return machines;
  };
  const isDelivered = async (nodeRed: RunningNodeRed) => {
    const response = await fetch(`${nodeRed.url}/ion-config/ion-example-9-config/outbox`);
    return ((await response.json()) as { waiting: number }).waiting === 0;
  };

  it('records a cycle and answers the machine, also if it cannot be written', async () => {
    const { step, run } = await makeStep(ion.client(), [{ name: 'Pressure', type: 'NUMBER' }]);
    const example = await start('alone');
    const { accepted, written, refused } = await connectMachines();
    const cycle = { run, step: 'Example step', field: 'Pressure', value: 325.5 };
    await machines?.send([
      { ...cycle, cycle: '1' },
      { ...cycle, cycle: '2', value: '325,5' },
      { ...cycle, cycle: '3', run: {} },
    ]);
    await machines?.until(() => refused.size === 2 && written.size === 1);
    assert.deepEqual([...accepted.keys()].sort(), ['1', '2']);
    assert.deepEqual(written.get('1'), { cycle: '1', instance: 'alone' });
    assert.match(String(refused.get('2')?.reason), /325,5/);
    assert.match(String(refused.get('3')?.reason), /The run/);
    assert.equal(await fieldValue(ion.client(), step, 'Pressure'), 325.5);

    await example.inject('inject');
    assert.match(await example.shown('ion'), /alone/);
  });

  it('shows a machine that sends a cycle again until it gets an answer', async () => {
    // No instance takes its cycles.
    const changes = { cycle: { d: true }, again: { repeat: '0.2' } };
    const example = await start('machine', changes);
    const waiting = async () => {
      const { nodeRed, prefix } = example;
      const response = await fetch(`${nodeRed.url}/context/flow/${prefix}machine/waiting`);
      return ((await response.json()) as { msg: string }).msg;
    };
    const client = await connectAsync(broker.url);
    try {
      const cycles: string[] = [];
      client.on('message', (_topic, payload) => cycles.push(JSON.parse(payload.toString()).cycle));
      await client.subscribeAsync('machines/press-1/cycle');
      await example.inject('inject');
      await until(() => cycles.length >= 3);
      const [cycle] = cycles;
      assert.ok((await waiting()).includes(String(cycle)));
      await client.publishAsync('machines/press-1/accepted', JSON.stringify({ cycle }));
      await until(async () => (await waiting()) === '{}');
      assert.deepEqual([...new Set(cycles)], [cycle]);
    } finally {
      await client.endAsync(true);
    }
  });

  it(`brings ${CYCLES} cycles to ION by three instances, one of them killed and started again`, async function () {
    this.timeout(360_000);
    const { cycles, fields } = await prepareCycles();
    const { control, data } = ion.sandbox;
    control.resetCounters();
    let writes = 0;
    control.onCarriedOut = () => writes++;
    const [first] = await Promise.all(INSTANCES.map((instance) => start(instance)));
    const all = await connectMachines();

    // The test is about this moment, which is different each time.
    const moment = CYCLES * (0.2 + 0.1 * Math.random());
    const sending = all.send(cycles.slice(0, CYCLES / 2));
    await all.until(() => all.accepted.size > moment);
    // An instance may accept that many before it has a token.
    await until(() => control.counters().token.ok === INSTANCES.length);
    await first?.nodeRed.kill();
    await startAgain('a');
    await sending;
    await all.send(cycles.slice(CYCLES / 2));
    await all.allAnswered();
    for (const nodeRed of running.values()) await until(() => isDelivered(nodeRed));

    const missing = cycles.filter((cycle, index) => {
      const field = data.runStepFields.get(fields[index] ?? 0);
      return field?.value !== cycle.value;
    });
    assert.equal(missing.length, 0, JSON.stringify(missing.slice(0, 5)));
    assert.equal(all.refused.size, 0);
    const shares = INSTANCES.map((name) => {
      const own = [...all.written.values()].filter(({ instance }) => instance === name);
      return own.length / CYCLES;
    });
    const shown = shares.map((share) => `${(share * 100).toFixed(0)} %`).join(', ');
    console.log(`      ${shown}; ${all.repeated} sent again, ${writes - CYCLES} written again`);
    assert.ok(Math.min(...shares) >= 0.2, shown);
    // Each instance has its own token, and so has the restarted one.
    assert.equal(control.counters().token.ok, INSTANCES.length + 1);
  });

  /** One field for each cycle, so that no two instances write to the same one. */
  async function prepareCycles(): Promise<{ cycles: Cycle[]; fields: number[] }> {
    const cycles: Cycle[] = [];
    const fields: number[] = [];
    const client = ion.client();
    const steps: StepForTests[] = [];
    for (let run = 0; run < RUNS; run++) steps.push(await makeStep(client, []));
    for (let number = 0; number < CYCLES_PER_RUN; number++) {
      const field = `Cycle ${number}`;
      for (const { run, step } of steps) {
        // Through the API these alone would take longer than everything else.
        const row = ion.sandbox.data.runStepFields.insert(
          blankField(step, field, 'STRING', number),
        );
        fields.push(row.id);
        const cycle = `${run}/${number}`;
        cycles.push({ cycle, run, step: 'Example step', field, value: `Value of ${cycle}` });
      }
    }
    return { cycles, fields };
  }
});
