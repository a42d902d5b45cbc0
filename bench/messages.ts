import { join } from 'node:path';
import { messages, type Target, targetsFlow } from './flows.js';
import {
  type BenchNodeRed,
  type Measured,
  measure,
  run,
  withNodeRed,
  withServer,
} from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { percentile, ratios, shown, spread } from './statistics.js';

const ROUNDS = 9;
/** Many short runs, so that neighbours are measured at the same speed of the machine. */
const SHORT_ROUNDS = 60;
const TARGETS: Target[] = ['ion-graphql', 'minimal node', 'http request'];
const BARE = 'bare undici';
const WARM_UP = 0.5;
const SHORT_WARM_UP = 0.05;
const SHORT_SECONDS = 0.25;
const BARE_SECONDS = 1.5;
/** The most CPU time of ion-graphql per message, compared with its peers. */
const LIMITS = [
  { inFlight: 1, ofMinimal: 1.05, ofCore: 0.28 },
  { inFlight: 10, ofMinimal: 1.05, ofCore: 0.17 },
  { inFlight: 50, ofMinimal: 1.05, ofCore: 0.15 },
];

type Quantity = 'rates' | 'costs';

async function bare(server: string, inFlight: number, perSecond?: number): Promise<Measured> {
  const args = ['--import', 'tsx', join(__dirname, 'peers', 'bare.ts'), server];
  const seconds = perSecond === undefined ? BARE_SECONDS : LATENCY_SECONDS;
  const { stdout } = await run(
    process.execPath,
    [...args, `${inFlight}`, `${WARM_UP}`, `${seconds}`, ...(perSecond ? [`${perSecond}`] : [])],
    { maxBuffer: 1 << 28 },
  );
  return JSON.parse(stdout) as Measured;
}

/** Each target is measured after each other target. */
function inTurn(round: number): Target[] {
  return round % 2 === 0 ? TARGETS : TARGETS.toReversed();
}

/** Messages per second and CPU time per message, by messages in flight. */
export async function measureThroughput(report: Report): Promise<void> {
  report.heading('Messages');
  report.text(
    `Responses of 2.7 kB, a token of 900 bytes; minimum / median / maximum of ${SHORT_ROUNDS} interleaved runs of ${SHORT_SECONDS} s, ${ROUNDS} of the bare loop.`,
  );
  const names = [...TARGETS, BARE];
  const results: Record<Quantity, Map<string, number[]>>[] = [];
  await withServer({ runs: 100 }, (server) =>
    withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
      for (const { inFlight } of LIMITS) {
        const rates = new Map<string, number[]>(names.map((name) => [name, []]));
        const costs = new Map<string, number[]>(names.map((name) => [name, []]));
        const keep = (name: string, { answered, seconds, cpuMicros }: Measured) => {
          rates.get(name)?.push(answered / seconds);
          costs.get(name)?.push(cpuMicros / answered);
        };
        const short = (target: Target, warmUp: number) => {
          const message = messages[target];
          return measure(nodeRed, target, { inFlight, seconds: SHORT_SECONDS, warmUp, message });
        };
        // The first runs compile the code.
        for (const target of TARGETS) await short(target, WARM_UP * 4);
        for (let round = 0; round < SHORT_ROUNDS; round++) {
          for (const target of inTurn(round)) keep(target, await short(target, SHORT_WARM_UP));
        }
        for (let round = 0; round < ROUNDS; round++) keep(BARE, await bare(server, inFlight));
        results.push({ rates, costs });
      }
    }),
  );
  for (const [quantity, title] of [
    ['rates', 'Messages per second'],
    ['costs', 'CPU time of the process per message, in µs'],
  ] as const) {
    report.text(`${title}:`);
    report.table(
      ['in flight', ...names],
      LIMITS.map(({ inFlight }, index) => [
        `${inFlight}`,
        ...[...(results[index]?.[quantity].values() ?? [])].map((all) => shown(spread(all))),
      ]),
    );
  }
  for (const [index, { inFlight, ofMinimal, ofCore }] of LIMITS.entries()) {
    const [ion = [], minimal = [], core = []] = results[index]?.costs.values() ?? [];
    const what = (peer: string) => `the CPU time of the ${peer}, ${inFlight} in flight`;
    report.checkRatios(ratios(ion, minimal), ofMinimal, what('minimal node'));
    report.checkRatios(ratios(ion, core), ofCore, what('core node'));
  }
}

const PER_SECOND = 200;
const LATENCY_SECONDS = 5;

/** Latency that the node adds to a message, at a rate that does not load the machine. */
export async function measureLatency(report: Report): Promise<void> {
  report.heading('Latency');
  report.text(
    `${PER_SECOND} messages per second, in ms; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  await withServer({ runs: 100 }, (server) =>
    withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
      const runs = new Map<string, number[][]>([...TARGETS, BARE].map((name) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const target of inTurn(round)) {
          runs.get(target)?.push((await pace(nodeRed, target)).latencies);
        }
        runs.get(BARE)?.push((await bare(server, 50, PER_SECOND)).latencies);
      }
      const of = (share: number) =>
        [...runs.values()].map((all) => spread(all.map((each) => percentile(each, share))));
      const [p50, p99] = [of(0.5), of(0.99)];
      report.table(
        ['', ...TARGETS, BARE],
        [
          ['p50', ...p50.map((each) => shown(each, 2))],
          ['p99', ...p99.map((each) => shown(each, 2))],
        ],
      );
      const [ion = [], minimal = []] = runs.values();
      const at = (share: number) =>
        [ion, minimal].map((all) => all.map((each) => percentile(each, share)));
      const [ofIon = [], ofMinimal = []] = at(0.5);
      const { median } = spread(ofIon.map((each, index) => each - Number(ofMinimal[index])));
      report.check(
        median <= 0.1,
        `${median.toFixed(3)} ms more than the minimal node at p50, median of neighbouring runs (at most 0.10)`,
      );
      const [slowest = [], slowestMinimal = []] = at(0.99);
      report.checkRatios(ratios(slowest, slowestMinimal), 1.2, 'the p99 of the minimal node');
    }),
  );
}

function pace(nodeRed: BenchNodeRed, target: Target): Promise<Measured> {
  return measure(nodeRed, target, {
    perSecond: PER_SECOND,
    seconds: LATENCY_SECONDS,
    warmUp: WARM_UP,
    message: messages[target],
  });
}
