import assert from 'node:assert/strict';
import { RunningExample } from '../../tools/example.js';
import { type Broker, startBroker } from '../../tools/mosquitto.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { TestMqttClient } from '../support/mqtt-client.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const ALARMS = 12;

describe('example 12, alarms to comments', () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let broker: Broker;
  let machine: TestMqttClient;
  let example: RunningExample;

  before(async function () {
    broker = await startBroker(this, folder.path);
    example = await RunningExample.start('12-alarms-to-comments.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      env: { MQTT_HOST: '127.0.0.1', MQTT_PORT: String(broker.port) },
    });
    machine = await TestMqttClient.connect(broker.url);
    await example.nodeRed.until(() =>
      example.nodeRed.events.some(
        ({ topic, data }) =>
          topic === `status/${example.prefix}alarms` && String(data.text).includes('connected'),
      ),
    );
  });
  after(async () => {
    await machine?.close();
    await example?.stop();
    await broker?.stop();
  });

  const contents = () => ion.sandbox.data.comments.all().map(({ content }) => String(content));

  it('writes each alarm once and in order, although ION is out of reach and responses are lost', async () => {
    const { control, data } = ion.sandbox;
    const step = data.runSteps.all()[0]?.id;
    control.fault({ target: 'api', kind: 'reset', times: 3 });
    control.fault({
      target: 'api',
      kind: 'reset',
      execute: true,
      match: 'mutation Comment',
      times: 2,
    });
    for (let number = 1; number <= ALARMS; number++) {
      const key = `press-7/${number}`;
      await machine.publish('line/press-7/alarm', { key, step, text: 'Force too high' });
    }
    const expected = Array.from(
      { length: ALARMS },
      (_each, index) => `Force too high [press-7/${index + 1}]`,
    );
    await until(() => contents().includes(expected.at(-1) ?? ''));
    assert.deepEqual(
      contents().filter((content) => content.startsWith('Force')),
      expected,
    );
    assert.match(await example.shown('written'), /press-7/);
  });

  it('shows a comment that ION rejects', async () => {
    await machine.publish('line/press-7/alarm', {
      key: 'x/1',
      step: 999_999,
      text: 'No such step',
    });
    assert.match(await example.shown('rejected'), /ION_|message/);
  });

  it('sends an alarm of its own for a trial', async () => {
    await example.inject('inject');
    await until(() => contents().some((content) => content.includes('14.2 kN')));
  });
});
