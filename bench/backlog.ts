import { prepareUserDir } from '../tools/node-red.js';
import { outboxFlow, untilEmpty } from './outbox.js';
import {
  type BenchNodeRed,
  heapOf,
  measure,
  serverStatistics,
  withNodeRed,
  withNodeRedIn,
  withServer,
  withUserDir,
} from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { shown, spread } from './statistics.js';

const ROUNDS = 3;
const LATENCY = 100;
const RUNS = 200;
const WRITES = 20_000;
/** One per request takes minutes for all of them: its time grows with the writes. */
const PART = 2000;
const FIRST_WRITES = 1000;
const MANY = 100_000;
const MEGABYTE = 1024 * 1024;
const IN_FLIGHT = 1000;
const message = { payload: 12.5 };

interface Drained {
  seconds: number;
  requests: number;
}

/** The delivery of many pending writes, several in one request, and what the outbox needs until then. */
export async function measureBacklog(report: Report): Promise<void> {
  report.heading('Many pending writes');
  report.text(
    `The outbox when ION is back, which takes ${LATENCY} ms for each request, with 10 concurrent requests: ${WRITES.toLocaleString('en-US')} writes over ${RUNS} runs, several in one request and one per request (${PART.toLocaleString('en-US')} writes, their time multiplied by ${WRITES / PART}), and the first writes to ${FIRST_WRITES.toLocaleString('en-US')} runs, which include the look-ups of their steps. Minimum / median / maximum of ${ROUNDS} interleaved runs, each in a separate process.`,
  );
  const automatic: Drained[] = [];
  const single: Drained[] = [];
  const first: Drained[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    automatic.push(await drain({ writes: WRITES, runs: RUNS }));
    single.push(await drain({ writes: PART, runs: RUNS, config: { writesPerRequest: 1 } }));
    first.push(await drain({ writes: FIRST_WRITES, runs: FIRST_WRITES }));
  }
  const seconds = (all: Drained[], times = 1) => spread(all.map((each) => each.seconds * times));
  const requests = (all: Drained[]) => spread(all.map((each) => each.requests));
  const [ofAutomatic, ofSingle] = [seconds(automatic), seconds(single, WRITES / PART)];
  report.table(
    ['', 'seconds', 'requests'],
    [
      ['several in one request', shown(ofAutomatic, 1), shown(requests(automatic))],
      ['one per request', shown(ofSingle, 1), `${shown(requests(single))} for the part`],
      ['first writes', shown(seconds(first), 1), shown(requests(first))],
    ],
  );
  const times = ofSingle.median / ofAutomatic.median;
  report.check(times >= 8, `${times.toFixed(1)} times as fast as one per request (at least 8)`);
  const most = requests(first).max;
  report.check(most <= 150, `${most} requests for ${FIRST_WRITES} first writes (at most 150)`);
}

/** Accepts writes while ION is unreachable, and delivers them. */
function drain(options: { writes: number; runs: number; config?: object }): Promise<Drained> {
  const { writes, runs, config } = options;
  return withServer({ runs: 1, latency: LATENCY }, (server) =>
    withNodeRed(
      outboxFlow(server, { writesPerRequest: 'auto', ...config }),
      { config: KEY },
      async (nodeRed) => {
        await fetch(`${server}/down`);
        await accept(nodeRed, writes, runs);
        const before = await serverStatistics(server);
        await fetch(`${server}/up`);
        const upAt = Date.now();
        const { writesAt, requests } = await untilEmpty(nodeRed.url, server);
        if (writesAt.length < writes)
          throw new Error(`${writesAt.length} of ${writes} were written`);
        return {
          seconds: (Number(writesAt.at(-1)) - upAt) / 1000,
          requests: requests - before.requests,
        };
      },
    ),
  );
}

/** Memory and start-up time with many pending writes. */
export async function measureWaiting(report: Report): Promise<void> {
  const count = MANY.toLocaleString('en-US');
  report.heading('A full outbox');
  report.text(
    `${count} pending writes over ${RUNS} runs: the heap of Node-RED with them compared with an empty outbox, after a garbage collection, and the time from the start of its flows to the first write in ION. Minimum / median / maximum of ${ROUNDS} runs.`,
  );
  const grown: number[] = [];
  const started: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await withServer({ runs: 1 }, (server) =>
      withUserDir(async (userDir) => {
        const flow = outboxFlow(server, { writesPerRequest: 'auto', outboxLimit: MANY + RUNS });
        await prepareUserDir(userDir, flow, { config: KEY });
        await fetch(`${server}/down`);
        await withNodeRedIn(userDir, async (nodeRed) => {
          await accept(nodeRed, RUNS, RUNS);
          const before = await heapOf(nodeRed);
          await accept(nodeRed, MANY - RUNS, RUNS);
          grown.push((await heapOf(nodeRed)) - before);
        });
        await fetch(`${server}/up`);
        await withNodeRedIn(userDir, async ({ upAt }) => {
          let { writesAt } = await serverStatistics(server);
          while (writesAt.length === 0) ({ writesAt } = await serverStatistics(server));
          started.push((Number(writesAt[0]) - upAt) / 1000);
        });
      }),
    );
  }
  const megabytes = spread(grown.map((bytes) => bytes / MEGABYTE));
  report.table(
    ['heap growth, MB', 'first write after a restart, s'],
    [[shown(megabytes, 1), shown(spread(started), 2)]],
  );
  const { median } = spread(started);
  report.check(megabytes.median <= 5, `${megabytes.median.toFixed(1)} MB more heap (at most 5)`);
  report.check(
    median <= 2,
    `${median.toFixed(2)} s to the first write after a restart (at most 2)`,
  );
}

async function accept(nodeRed: BenchNodeRed, count: number, runs: number): Promise<void> {
  // More at once would be held in memory by the flow.
  await measure(nodeRed, 'ion-step', {
    count,
    runs,
    message,
    inFlight: Math.min(count, IN_FLIGHT),
  });
}
