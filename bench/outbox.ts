import { stepNode } from '../tools/flow-nodes.js';
import { graphqlNode, ionConfig, measured } from './flows.js';
import {
  measure,
  type ServerStatistics,
  serverStatistics,
  withNodeRed,
  withServer,
} from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { shown, spread } from './statistics.js';

const ROUNDS = 5;
const RUNS = 100;
const IN_FLIGHT = 1000;
const CONCURRENCY = 10;
const SECONDS = 2;
const DRAINED = 20_000;
const WRITE = `mutation UpdateRunStepFieldValue($input: UpdateRunStepFieldValueInput!) { updateRunStepFieldValue(input: $input) { runStepField { id name type value unit valid notApplicable runStepId _updated _etag } } }`;
const place = { z: 'flow', x: 0, y: 0 };

/** Rates at which writes are accepted, each synced to disk, and delivered. */
export async function measureOutbox(report: Report): Promise<void> {
  report.heading('Outbox');
  report.text(
    `Accepted: ion-step with ${IN_FLIGHT} messages at once, over ${RUNS} runs, while ION is unreachable; each is synced to disk before its message is done. Drained: ${DRAINED.toLocaleString('en-US')} pending writes when ION is back, compared with ion-graphql and the same mutation; ${CONCURRENCY} concurrent requests. Writes per second, minimum / median / maximum of ${ROUNDS} interleaved runs, each in a separate process.`,
  );
  const accepted: number[] = [];
  const drained: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await withServer({ runs: 1 }, (server) =>
      withNodeRed(outboxFlow(server), { config: KEY }, async (nodeRed) => {
        await fetch(`${server}/down`);
        const message = { payload: 12.5 };
        const options = { inFlight: IN_FLIGHT, runs: RUNS, seconds: SECONDS, warmUp: 1, message };
        const { answered, seconds } = await measure(nodeRed, 'ion-step', options);
        accepted.push(answered / seconds);
        const enough = { count: DRAINED, runs: RUNS, message };
        await measure(nodeRed, 'ion-step', enough);
        await fetch(`${server}/up`);
        const { writesAt } = await untilEmpty(nodeRed.url, server);
        // Without the first writes, which look up their steps.
        const steady = writesAt.slice(RUNS);
        const ms = Number(steady.at(-1)) - Number(steady[0]);
        drained.push((steady.length / ms) * 1000);
        const input = { id: 1, etag: '1', value: 12.5 };
        const mutation = { inFlight: CONCURRENCY, seconds: SECONDS, warmUp: 1 };
        const same = await measure(nodeRed, 'ion-graphql', {
          ...mutation,
          message: { payload: '', variables: { input } },
        });
        direct.push(same.answered / same.seconds);
      }),
    );
  }
  report.table(
    ['', 'writes per second'],
    [
      ['accepted by the outbox', shown(spread(accepted))],
      ['drained by the outbox', shown(spread(drained))],
      ['the same mutation by ion-graphql', shown(spread(direct))],
    ],
  );
  const rate = spread(accepted).median;
  report.check(rate >= 10_000, `${rate.toFixed(0)} accepted per second (at least 10,000)`);
  const share = spread(drained).median / spread(direct).median;
  report.check(share >= 0.8, `drains at ${share.toFixed(2)} of ion-graphql's rate (at least 0.80)`);
}

/** An ion-step with an outbox whose messages are done when their writes are on the disk. */
export function outboxFlow(server: string, config: object = {}): object[] {
  const step = { ...stepNode, delivery: 'outbox', outputs: 2 };
  const [source, node, failed] = measured('ion-step', step) as [object, object, object];
  return [
    ...ionConfig(server, { concurrency: CONCURRENCY, writesPerRequest: 1, ...config }),
    source,
    { ...node, wires: [[], []] },
    failed,
    // Writes on disk count, not writes in ION.
    { id: 'done', type: 'complete', scope: ['ion-step node'], wires: [['ion-step']], ...place },
    ...measured('ion-graphql', graphqlNode(WRITE, 'one')),
  ];
}

/** Waits until the outbox is empty. @returns what the server has counted */
export async function untilEmpty(nodeRed: string, server: string): Promise<ServerStatistics> {
  for (;;) {
    const response = await fetch(`${nodeRed}/ion-config/config/outbox`);
    const { waiting } = (await response.json()) as { waiting: number };
    if (waiting === 0) return serverStatistics(server);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
