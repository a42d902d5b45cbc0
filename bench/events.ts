import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../sandbox/server.js';
import { eventsNode, sandboxConfig } from '../tools/flow-nodes.js';
import { withNodeRed } from './processes.js';
import type { Report } from './report.js';
import { shown, spread } from './statistics.js';

const CHANGES = 30;
const INTERVAL_SECONDS = 1;
const SECRET = 'example-secret';
const WAYS = ['webhook', 'poll'] as const;
const place = { z: 'flow', x: 0, y: 0 };

/** Delay between a change in ION and its message in a flow. */
export async function measureEvents(report: Report): Promise<void> {
  report.heading('Events');
  report.text(
    `Time from a change of a step in the sandbox until the message of ion-events has left Node-RED through an http request node, in ms; minimum / median / maximum of ${CHANGES} changes, each at a different point of the polling interval of ${INTERVAL_SECONDS} s. The sandbox runs in the measuring process.`,
  );
  const sandbox = await startSandbox({ port: 0, runs: CHANGES });
  /** Arrival times of messages, by their path and the new title of the step. */
  const arrivedAt = new Map<string, number>();
  let arrived = () => {};
  const listener = createServer((request, response) => {
    arrivedAt.set(String(request.url), Date.now());
    request.resume();
    response.end();
    arrived();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const to = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;

  const flow = (publicUrl: string) => [
    { id: 'flow', type: 'tab', label: 'bench' },
    sandboxConfig(sandbox),
    ...WAYS.map((via) => ({
      ...eventsNode,
      id: via,
      via,
      fields: ['id', 'title'],
      interval: INTERVAL_SECONDS,
      register: true,
      publicUrl,
      wires: [[`${via} out`]],
      ...place,
    })),
    ...WAYS.map((via) => ({
      id: `${via} out`,
      type: 'http request',
      method: 'GET',
      ret: 'txt',
      url: `${to}/${via}/{{payload.title}}`,
      ...place,
    })),
  ];
  const { clientId, clientSecret, data } = sandbox;
  const credentials = { config: { clientId, clientSecret }, webhook: { secret: SECRET } };
  const took: Record<(typeof WAYS)[number], number[]> = { webhook: [], poll: [] };
  try {
    await withNodeRed(flow, credentials, async () => {
      const polls = () => sandbox.control.counters().api.total;
      while (data.webhookSubscriptions.all().length < 2) await sleep(10);
      // The first messages set the checkpoints.
      const before = polls();
      while (polls() < before + 4) await sleep(10);
      for (let change = 0; change < CHANGES; change++) {
        await sleep((change / CHANGES) * INTERVAL_SECONDS * 1000);
        const [step] = data.runSteps.of(change + 1);
        const all = new Promise<void>((resolve) => {
          arrived = () => {
            if (WAYS.every((via) => arrivedAt.has(`/${via}/${change}`))) resolve();
          };
        });
        const changedAt = Date.now();
        data.runSteps.update(Number(step?.id), { title: String(change) });
        await all;
        for (const via of WAYS) {
          took[via].push(Number(arrivedAt.get(`/${via}/${change}`)) - changedAt);
        }
      }
    });
  } finally {
    await sandbox.close();
    listener.close();
  }
  report.table(
    ['way', 'ms'],
    WAYS.map((via) => [via, shown(spread(took[via]))]),
  );
  const webhook = spread(took.webhook).max;
  report.check(webhook <= 1000, `webhook: ${webhook} ms at most (limit: 1000)`);
  const intervals = spread(took.poll).max / (INTERVAL_SECONDS * 1000);
  report.check(
    intervals <= 1.1,
    `poll: ${intervals.toFixed(2)} intervals at most (limit: 1.1, one interval plus the response)`,
  );
}
