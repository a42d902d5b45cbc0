import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rollUp } from '../../sandbox/data/computed-fields.js';
import { RunningExample } from '../../tools/example.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { retainedMessages, TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const RUNS = 60;

describe('example 05, changed runs to MQTT', () => {
  const ion = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  let broker: Broker;
  let example: RunningExample;

  const start = async (name: string) => {
    const path = join(folder.path, name);
    await mkdir(path);
    example = await RunningExample.start('05-changed-runs-to-mqtt.json', {
      folder: path,
      sandbox: ion.sandbox,
      env: { MQTT_HOST: '127.0.0.1', MQTT_PORT: String(broker.port) },
      settings: { mqttReconnectTime: 100 },
      changes: { inject: { repeat: '0.3' } },
    });
  };
  before(async function () {
    broker = await startBroker(this, folder.path);
    await start('first');
  });
  after(async () => {
    await example?.stop();
    await broker?.stop();
  });

  /** The topics of all runs according to the sandbox. */
  const expected = () => {
    const { runs, runSteps } = ion.sandbox.data;
    return runs
      .all()
      .map(({ id }) => `ion/runs/${rollUp(runSteps.of(id).map(({ status }) => status))}/${id}`)
      .sort();
  };
  const retained = () => retainedMessages(broker.url, 'ion/#');
  const isComplete = async () =>
    JSON.stringify([...(await retained()).keys()].sort()) === JSON.stringify(expected());
  /** Starts the first step of the first pending run. */
  const startRun = (): number => {
    const { runs, runSteps } = ion.sandbox.data;
    for (const { id } of runs.all()) {
      const steps = runSteps.of(id);
      if (steps.every(({ status }) => status === 'TODO')) {
        runSteps.update(Number(steps[0]?.id), { status: 'IN_PROGRESS' });
        return id;
      }
    }
    return assert.fail('no run waits');
  };

  it('keeps each run under its status for later subscribers', async () => {
    await until(isComplete);
    const messages = await retained();
    assert.equal(messages.size, RUNS);
    for (const [topic, payload] of messages) {
      const { id, title, status, part } = JSON.parse(payload);
      assert.equal(topic, `ion/runs/${status}/${id}`);
      const { runs, parts } = ion.sandbox.data;
      const run = runs.get(id);
      assert.equal(title, run?.title);
      assert.equal(part.partNumber, parts.get(run?.partId ?? 0)?.partNumber);
    }
  });

  it('moves a run whose status changes, and notifies subscribers', async () => {
    const other = await TestMqttClient.connect(broker.url, 'ion/runs/+/+');
    const id = startRun();
    const [former, topic] = [`ion/runs/TODO/${id}`, `ion/runs/IN_PROGRESS/${id}`];
    await other.until(() => other.last(former) === '' && other.last(topic) !== undefined);
    assert.equal(JSON.parse(String(other.last(topic))).status, 'IN_PROGRESS');
    await other.close();
    assert.ok(await isComplete());
  });

  it('restores everything after the broker was down and lost its data', async function () {
    await broker.stop();
    startRun();
    const { control } = ion.sandbox;
    const { total } = control.counters().api;
    // One subscriber from before the change, and one that saw it.
    await until(() => control.counters().api.total > total + 2);
    broker = await startBroker(this, folder.path, [], broker.port);
    await until(isComplete);
  });

  it('clears after a restart the topics of runs that have changed', async () => {
    await example.stop();
    startRun();
    assert.equal(await isComplete(), false);
    await start('second');
    await until(isComplete);
  });
});
