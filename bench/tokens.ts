import { messages, targetsFlow } from './flows.js';
import { measure, serverStatistics, withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { percentile, shown, spread } from './statistics.js';

const ROUNDS = 5;
const MESSAGES = 1000;
const PER_SECOND = 200;
const SECONDS = 20;
/** A refresh every 6 s: in the last fifth of 12 s it would be after 6 s already. */
const TOKEN_SECONDS = 12;
const TOKEN_LATENCY_MS = 100;

/** Token requests of a starting flow, and latency around a refresh under load. */
export async function measureTokens(report: Report): Promise<void> {
  report.heading('Access tokens');
  const message = messages['ion-graphql'];
  const requests: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await withServer({ runs: 100, tokenLatency: TOKEN_LATENCY_MS }, (server) =>
      withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
        const { seconds } = await measure(nodeRed, 'ion-graphql', { count: MESSAGES, message });
        times.push(seconds * 1000);
        requests.push((await serverStatistics(server)).tokensAt.length);
      }),
    );
  }
  report.text(
    `${MESSAGES} messages at once in a fresh flow, a token that takes ${TOKEN_LATENCY_MS} ms; minimum / median / maximum of ${ROUNDS} runs: ${shown(spread(requests))} token requests, ${shown(spread(times))} ms to the last response.`,
  );

  const around: number[] = [];
  const outside: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const options = { runs: 100, tokenSeconds: TOKEN_SECONDS, tokenLatency: TOKEN_LATENCY_MS };
    await withServer(options, (server) =>
      withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
        const { latencies, sentAt } = await measure(nodeRed, 'ion-graphql', {
          perSecond: PER_SECOND,
          seconds: SECONDS,
          warmUp: 1,
          message,
        });
        const [, ...refreshes] = (await serverStatistics(server)).tokensAt;
        const isNear = (_: number, index: number) =>
          refreshes.some((at) => Math.abs((sentAt[index] ?? 0) - at) < 500);
        const near = latencies.filter(isNear);
        const far = latencies.filter((latency, index) => !isNear(latency, index));
        if (near.length === 0) throw new Error('no token was refreshed');
        around.push(percentile(near, 0.99));
        outside.push(percentile(far, 0.99));
        ratios.push(percentile(near, 0.99) / percentile(far, 0.99));
      }),
    );
  }
  report.text(
    `At ${PER_SECOND} messages per second, p99 in ms: ${shown(spread(around), 2)} in the second around a refresh, ${shown(spread(outside), 2)} outside.`,
  );
  report.check(
    Math.max(...requests) === 1,
    `${Math.max(...requests)} token request for ${MESSAGES} messages at once (1)`,
  );
  const ratio = spread(around).median / spread(outside).median;
  report.check(
    ratio <= 1.2,
    `p99 around a refresh is ${ratio.toFixed(2)} of p99 outside it (at most 1.2)`,
  );
}
