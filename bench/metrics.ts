import { setTimeout as sleep } from 'node:timers/promises';
import { messages, targetsFlow } from './flows.js';
import { type BenchNodeRed, measure, withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { ratios, shown, spread } from './statistics.js';

/** Many short runs, so that neighbours are measured at the same speed of the machine. */
const ROUNDS = 40;
const WARM_UP = 0.05;
/** As long as one scrape and the pause after it. */
const SECONDS = 1;
const SCRAPE_MS = 1000;
/** A throughput of at least 0.97. */
const MAX_COST = 1 / 0.97;
const TARGET = 'ion-graphql';

/** Scrapes once a second until the work is done. */
async function whileScraped<Result>(
  { url }: BenchNodeRed,
  work: () => Promise<Result>,
): Promise<Result> {
  const done = new AbortController();
  const { signal } = done;
  const scraping = (async () => {
    while (!signal.aborted) {
      const response = await fetch(`${url}/ion-config/metrics`);
      if (!(await response.text()).includes('ion_requests_total{')) throw new Error('no metrics');
      await sleep(SCRAPE_MS, undefined, { signal }).catch(() => {});
    }
  })();
  try {
    return await work();
  } finally {
    done.abort();
    await scraping;
  }
}

/** CPU time per message while Prometheus scrapes, compared with the same flow without it. */
export async function measureMetrics(report: Report): Promise<void> {
  report.heading('Metrics');
  report.text(
    `CPU time of Node-RED per message of ion-graphql, in µs, while the metrics are read once a second, and without that; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  const rows: string[][] = [];
  const checks: (() => void)[] = [];
  await withServer({ runs: 100 }, (server) =>
    withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
      for (const inFlight of [1, 10, 50]) {
        const costs = { scraped: [] as number[], alone: [] as number[] };
        const options = { inFlight, seconds: SECONDS, warmUp: WARM_UP, message: messages[TARGET] };
        const once = async () => {
          const { cpuMicros, answered } = await measure(nodeRed, TARGET, options);
          return cpuMicros / answered;
        };
        // The first run compiles the code.
        await once();
        for (let round = 0; round < ROUNDS; round++) {
          const turns = [
            async () => costs.alone.push(await once()),
            async () => costs.scraped.push(await whileScraped(nodeRed, once)),
          ];
          for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
        }
        rows.push([
          `${inFlight}`,
          ...[costs.scraped, costs.alone].map((all) => shown(spread(all))),
        ]);
        checks.push(() =>
          report.checkRatios(
            ratios(costs.scraped, costs.alone),
            MAX_COST,
            `the CPU time without scrapes, ${inFlight} in flight`,
          ),
        );
      }
    }),
  );
  report.table(['in flight', 'scraped', 'not scraped'], rows);
  for (const check of checks) check();
}
