import assert from 'node:assert/strict';
import { RunningExample } from '../../tools/example.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { fieldValue, makeStep, type StepForTests, stepState } from '../support/steps.js';
import { until } from '../support/until.js';

interface Answer {
  cycle: { number: number };
  code?: string;
  text?: string;
}

describe("example 03, a machine's cycle to a step", () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let broker: Broker;
  let machine: TestMqttClient;
  let example: RunningExample;

  before(async function () {
    broker = await startBroker(this, folder.path);
    machine = await TestMqttClient.connect(broker.url, 'machines/press-1/ion/+');
    example = await RunningExample.start('03-machine-cycle-to-step.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      env: { MQTT_HOST: '127.0.0.1', MQTT_PORT: String(broker.port) },
      settings: { runtimeState: { enabled: true, ui: false } },
    });
    const { nodeRed, prefix } = example;
    await nodeRed.until(() => isConnected(nodeRed.events, `${prefix}cycles`));
  });
  after(async () => {
    await example?.stop();
    await machine?.close();
    await broker?.stop();
  });
  beforeEach(() => machine.received.splice(0));
  afterEach(() => {
    ion.sandbox.control.onCarriedOut = undefined;
  });

  const newStep = () =>
    makeStep(
      ion.client(),
      [
        { name: 'Pressure', type: 'NUMBER' },
        { name: 'Passed', type: 'BOOLEAN' },
        { name: 'Notes', type: 'STRING' },
      ],
      { title: 'Pressure test' },
    );
  const complete = (number: number, { run }: StepForTests, values: object) =>
    machine.publish('machines/press-1/cycle', { run, step: 'Pressure test', number, values });
  const answers = (kind: 'recorded' | 'refused') =>
    machine.received
      .filter(({ topic }) => topic === `machines/press-1/ion/${kind}`)
      .map(({ payload }) => JSON.parse(payload) as Answer);
  const waiting = async () => {
    const url = `${example.nodeRed.url}/ion-config/${example.prefix}config/outbox`;
    return ((await (await fetch(url)).json()) as { waiting: number }).waiting;
  };

  it('records all values of one message, and notifies the machine', async () => {
    const step = await newStep();
    await complete(1, step, { Pressure: 325.5, Passed: true, Notes: 'first cycle' });
    await machine.until(() => answers('recorded').length > 0);
    assert.deepEqual(
      answers('recorded').map(({ cycle }) => cycle.number),
      [1],
    );
    const { fields } = await stepState(ion.client(), step.step);
    assert.deepEqual(Object.fromEntries(fields.map(({ name, value }) => [name, value])), {
      Pressure: 325.5,
      Passed: true,
      Notes: 'first cycle',
    });
    assert.ok(machine.received.every(({ retained }) => !retained));
  });

  it('reports to the machine which values ION rejects, and why', async () => {
    const step = await newStep();
    await complete(2, step, { Pressure: '325,5', Passed: true });
    await machine.publish('machines/press-1/cycle', '{ "run": 3, ');
    await complete(3, { ...step, run: 999_999 }, { Pressure: 1 });
    await machine.until(() => answers('refused').length >= 3);
    const [noRun, noJson, noNumber] = answers('refused').sort(
      (one, other) => (other.cycle?.number ?? 2.5) - (one.cycle?.number ?? 2.5),
    );
    assert.match(`${noNumber?.code} ${noNumber?.text}`, /^ION_VARIABLES .*325,5/);
    assert.match(String(noJson?.text), /JSON/);
    assert.match(`${noRun?.code} ${noRun?.text}`, /^ION_NOT_FOUND .*999999/);
    assert.equal(await fieldValue(ion.client(), step.step, 'Passed'), true);
    assert.match(await example.shown('errors'), /JSON/);
  });

  it('accepts the cycles while ION is unreachable, and records them in order when it is back', async () => {
    const { control } = ion.sandbox;
    const steps = [await newStep(), await newStep()];
    const written = new Map<unknown, unknown[]>();
    control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      const { id, value } = args.input as { id: unknown; value: unknown };
      written.set(Number(id), [...(written.get(Number(id)) ?? []), value]);
    };
    for (const target of ['api', 'token'] as const) {
      control.fault({ target, kind: 'status', status: 503, times: 1e9 });
    }
    const pressures = [310, 311, 312, 313, 314, 315, 316, 317, 318, 319];
    for (const pressure of pressures) {
      for (const step of steps) await complete(pressure, step, { Pressure: pressure });
    }
    await until(async () => (await waiting()) === 20);
    await until(() => (control.counters().api.byStatus[503] ?? 0) > 0);
    assert.equal(machine.received.length, 0);
    control.clearFaults();
    await machine.until(() => answers('recorded').length >= 20);
    for (const { fields } of steps) {
      assert.deepEqual([...new Set(written.get(fields.Pressure))], pressures);
    }
    assert.equal(await waiting(), 0);
  });

  it('receives the cycles that were completed while Node-RED was down', async () => {
    const step = await newStep();
    const { nodeRed, prefix } = example;
    const setState = async (state: 'start' | 'stop') => {
      const response = await fetch(`${nodeRed.url}/flows/state`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ state }),
      });
      assert.ok(response.ok, await response.text());
    };
    nodeRed.events.splice(0);
    await setState('stop');
    await nodeRed.until(() => nodeRed.log.includes('Stopped flows'));
    await complete(4, step, { Pressure: 321 });
    await setState('start');
    await machine.until(() => answers('recorded').length > 0);
    assert.equal(await fieldValue(ion.client(), step.step, 'Pressure'), 321);
    await nodeRed.until(() => isConnected(nodeRed.events, `${prefix}cycles`));
  });
});

function isConnected(
  events: readonly { topic: string; data: Record<string, unknown> }[],
  id: string,
): boolean {
  return events.some(({ topic, data }) => topic === `status/${id}` && data.fill === 'green');
}
