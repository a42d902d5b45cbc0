import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatMicros } from '../../sandbox/data/clock.js';
import { RunningExample } from '../../tools/example.js';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { retainedMessages, TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const TWO_DAYS_MS = 48 * 3_600_000;

type Status = 'TODO' | 'IN_PROGRESS' | 'COMPLETE' | 'HOLD' | 'FAILED' | 'CANCELED';

describe('example 06, an andon light at a workcenter', () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let broker: Broker;
  let example: RunningExample | undefined;
  let light: TestMqttClient | undefined;

  before(async function () {
    broker = await startBroker(this, folder.path);
  });
  after(() => broker?.stop());
  afterEach(async () => {
    await light?.close();
    await example?.stop();
  });

  const stepsAt = (workcenter: string) => {
    const { locations, runSteps } = ion.sandbox.data;
    const location = locations.find(({ name }) => name === workcenter);
    return runSteps.all().filter(({ locationId }) => locationId === location?.id);
  };
  const move = (id: number | undefined, status: Status, changes: object = {}) =>
    ion.sandbox.data.runSteps.update(Number(id), { status, ...changes });
  const topicOf = (workcenter: string) => `andon/${workcenter}/light`;
  const start = async (name: string, changes: Record<string, object>) => {
    const path = join(folder.path, name);
    await mkdir(path);
    example = await RunningExample.start('06-andon-light.json', {
      folder: path,
      sandbox: ion.sandbox,
      env: { MQTT_HOST: '127.0.0.1', MQTT_PORT: String(broker.port) },
      changes,
      credentials: { webhook: { secret: 'example-secret' } },
    });
    return example;
  };

  /** Lets two steps begin, stop and end at a workcenter, and watches its light. */
  const checkLight = async (workcenter: string) => {
    const topic = topicOf(workcenter);
    const client = await TestMqttClient.connect(broker.url, topic);
    light = client;
    const [one, other] = stepsAt(workcenter).filter(({ status }) => status === 'TODO');
    const shows = async (colour: string, id: number | undefined, status: Status) => {
      const told = client.received.length;
      move(id, status);
      await client.until(() => client.received.length > told);
      assert.equal(client.last(topic), colour, `${id} is ${status}`);
    };
    await client.until(() => client.last(topic) === 'off');
    await shows('green', one?.id, 'IN_PROGRESS');
    await shows('green', other?.id, 'IN_PROGRESS');
    await shows('red', other?.id, 'FAILED');
    await shows('green', other?.id, 'IN_PROGRESS');
    await shows('green', one?.id, 'COMPLETE');
    await shows('red', other?.id, 'HOLD');
    await shows('off', other?.id, 'CANCELED');
    assert.equal((await retainedMessages(broker.url, topic)).get(topic), 'off');
  };

  it('shows the state of each workcenter from the start, and follows it by polling', async () => {
    const { data, control } = ion.sandbox;
    // The test ignores the state that the seed left.
    for (const { id, status } of data.runSteps.all()) {
      if (status !== 'TODO') move(id, 'COMPLETE');
    }
    move(stepsAt('Oven 1')[0]?.id, 'IN_PROGRESS');
    move(stepsAt('Kitting')[0]?.id, 'HOLD');
    const _updated = formatMicros((Date.now() - TWO_DAYS_MS) * 1000);
    move(stepsAt('Bonding 1')[0]?.id, 'FAILED', { _updated });
    await start('poll', { poll: { interval: 0.2 } });
    const workcenters = data.locations.all().filter(({ type }) => type === 'WORKCENTER');
    const retained = () => retainedMessages(broker.url, 'andon/#');
    await until(async () => (await retained()).size >= workcenters.length);
    const colours: Record<string, string> = { 'Oven 1': 'green', Kitting: 'red' };
    assert.deepEqual(
      Object.fromEntries(await retained()),
      Object.fromEntries(workcenters.map(({ name }) => [topicOf(name), colours[name] ?? 'off'])),
    );
    const { total } = control.counters().api;
    await until(() => control.counters().api.total > total + 2);
    await checkLight('Assembly 1');
  });

  it('follows it by a webhook', async () => {
    const { nodeRed } = await start('webhook', { poll: { d: true }, webhook: { d: false } });
    // The port is known only now; in a factory it is fixed.
    const publicUrl = nodeRed.url;
    const flows = (await (await fetch(`${nodeRed.url}/flows`)).json()) as FlowNode[];
    await nodeRed.deploy(
      flows.map((node) => (node.type === 'ion-events' ? { ...node, publicUrl } : node)),
    );
    await until(() => ion.sandbox.data.webhookSubscriptions.all().length === 2);
    await checkLight('Test Stand 1');
  });
});
