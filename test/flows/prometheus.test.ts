import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { type Gate, gate } from '../support/gate.js';
import { valueIn } from '../support/metrics.js';
import { type Prometheus, runPromtool, startPrometheus } from '../support/prometheus.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

// Node-RED's own library, which it uses to check the hashes.
const fromNodeRed = createRequire(createRequire(__filename).resolve('node-red'));
const bcrypt: { hashSync(text: string, rounds: number): string } = fromNodeRed('bcryptjs');

const TOKEN = 'a-token-for-this-test-only';

interface Alert {
  state: string;
  labels: Record<string, string>;
}

describe('Prometheus and a real Node-RED with users', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let api: Gate;
  let nodeRed: RunningNodeRed;
  let prometheus: Prometheus | undefined;

  before(async () => {
    const { clientId, clientSecret, url } = context.sandbox;
    api = await gate(url);
    const { fields } = await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }]);
    const place = { z: 'flow', x: 0, y: 0 };
    const field = {
      field: String(fields.Log),
      fieldType: 'str',
      value: 'payload',
      valueType: 'msg',
    };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'Line "3"', apiUrl: api.url }),
      {
        ...{ id: 'in', type: 'inject', ...place, wires: [['read', 'write']] },
        ...{ props: [{ p: 'payload' }], payload: '', payloadType: 'date', repeat: '0.1' },
      },
      { ...graphqlNode, ...place, id: 'read', query: 'query Me { me { id } }', wires: [[]] },
      {
        ...stepNode,
        ...field,
        ...place,
        id: 'write',
        delivery: 'outbox',
        outputs: 2,
        wires: [[], []],
      },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    const password = bcrypt.hashSync('no one logs in with it', 4);
    nodeRed = await RunningNodeRed.start(folder.path, {
      settings: {
        adminAuth: {
          type: 'credentials',
          users: [{ username: 'monitoring', password, permissions: 'ion-config.read' }],
          tokens: [{ token: TOKEN, user: 'monitoring', scope: 'ion-config.read' }],
        },
      },
    });
  });
  after(async () => {
    await prometheus?.stop();
    await nodeRed?.stop();
    await api?.close();
  });

  const scrape = async (accept?: string) => {
    const response = await fetch(`${nodeRed.url}/ion-config/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}`, ...(accept && { accept }) },
    });
    assert.equal(response.status, 200);
    return response.text();
  };
  /** A YAML block of the documentation, by a text in it. */
  const documented = async (text: string) => {
    const page = await readFile(join(root, 'docs/monitoring.md'), 'utf8');
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
    const found = blocks.find((block) => block.includes(text));
    assert.ok(found, text);
    return found;
  };

  it('have metrics in which promtool finds nothing', async function () {
    await until(async () => Number(valueIn(await scrape(), 'ion_outbox_delivered_total')) > 0);
    const text = await scrape();
    const checked = await runPromtool(this, ['check', 'metrics'], text);
    assert.deepEqual(checked, { output: '', code: 0 });
    for (const name of ['ion_requests_total', 'ion_request_duration_seconds_count']) {
      assert.ok(Number(valueIn(text, name, { config: 'Line \\"3\\"', id: 'config' })) > 0, name);
    }
    assert.ok(!text.includes(context.sandbox.clientSecret) && !text.includes(TOKEN));
  });

  it('have an alert when the outbox grows, because ION is cut off', async function () {
    this.timeout(60_000);
    const [rules, config, tokenFile] = ['alerts.yml', 'prometheus.yml', 'node-red.token'].map(
      (name) => join(folder.path, name),
    ) as [string, string, string];
    // As documented, but faster.
    const alerts = (await documented('IonOutboxGrows'))
      .replaceAll(/\[\d+m\]/g, '[4s]')
      .replaceAll(/for: \d+m/g, 'for: 1s');
    const settings = (await documented('scrape_configs'))
      .replace('/etc/prometheus/node-red.token', tokenFile)
      .replace('127.0.0.1:1880', new URL(nodeRed.url).host);
    const fast = {
      scrape_interval: '500ms',
      scrape_timeout: '500ms',
      evaluation_interval: '500ms',
    };
    await Promise.all([
      writeFile(rules, alerts),
      writeFile(config, `${settings}\nglobal: ${JSON.stringify(fast)}\nrule_files: ["${rules}"]\n`),
      writeFile(tokenFile, TOKEN),
    ]);
    const { output, code } = await runPromtool(this, ['check', 'config', config]);
    assert.equal(code, 0, output);

    prometheus = await startPrometheus(this, folder.path, config);
    const { read } = prometheus;
    const firing = async () => {
      const { alerts: all } = (await read('alerts')) as { alerts: Alert[] };
      return all.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
    };
    const value = async (query: string) => {
      const { result } = (await read(`query?query=${encodeURIComponent(query)}`)) as {
        result: { value: [number, string] }[];
      };
      return Number(result[0]?.value[1]);
    };
    await until(async () => (await value('ion_requests_total{operation="Me",code="ok"}')) > 0);
    assert.equal(await value('up{job="node-red"}'), 1);
    assert.deepEqual(
      (await firing()).filter(({ alertname }) => alertname === 'IonOutboxGrows'),
      [],
    );

    api.shut();
    let grows: Alert['labels'] | undefined;
    await until(async () => {
      grows = (await firing()).find(({ alertname }) => alertname === 'IonOutboxGrows');
      return grows !== undefined;
    });
    assert.deepEqual([grows?.config, grows?.id], ['Line "3"', 'config']);
    assert.ok((await value('ion_outbox_waiting')) > 0);
    assert.ok((await value('ion_outbox_oldest_seconds')) > 0);

    api.open();
    await until(async () => (await value('ion_outbox_waiting')) === 0);
    await until(
      async () => !(await firing()).some(({ alertname }) => alertname === 'IonOutboxGrows'),
    );
  });
});
