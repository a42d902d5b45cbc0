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
import { percentile, type Spread, shown, spread } from './statistics.js';

const ROUNDS = 7;
const TARGETS: Target[] = ['ion-graphql', 'minimal node', 'http request'];
const BARE = 'bare undici';
const WARM_UP = 0.5;
const SECONDS = 1.5;
/** Minimum factor for ion-graphql, by messages in flight. */
const MIN_RATIOS = { 1: 2.5, 10: 6, 50: 8 };

async function bare(server: string, inFlight: number, perSecond?: number): Promise<Measured> {
  const args = ['--import', 'tsx', join(__dirname, 'peers', 'bare.ts'), server];
  const seconds = perSecond === undefined ? SECONDS : LATENCY_SECONDS;
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

/** Messages per second, by messages in flight. */
export async function measureThroughput(report: Report): Promise<void> {
  report.heading('Messages per second');
  report.text(
    `Responses of 2.7 kB, a token of 900 bytes; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  await withServer({ runs: 100 }, (server) =>
    withNodeRed(targetsFlow(server), { config: KEY }, async (nodeRed) => {
      const rows: string[][] = [];
      const ratios: [number, number, number][] = [];
      for (const inFlight of [1, 10, 50] as const) {
        const rates = new Map<string, number[]>([...TARGETS, BARE].map((name) => [name, []]));
        for (let round = 0; round < ROUNDS; round++) {
          for (const target of inTurn(round)) {
            const options = { inFlight, seconds: SECONDS, warmUp: WARM_UP };
            const { answered, seconds } = await measure(nodeRed, target, {
              ...options,
              message: messages[target],
            });
            rates.get(target)?.push(answered / seconds);
          }
          const { answered, seconds } = await bare(server, inFlight);
          rates.get(BARE)?.push(answered / seconds);
        }
        const [ion, minimal, core, limit] = [...rates.values()].map(spread) as [
          Spread,
          Spread,
          Spread,
          Spread,
        ];
        rows.push([`${inFlight}`, ...[ion, minimal, core, limit].map((rate) => shown(rate))]);
        ratios.push([inFlight, ion.median / minimal.median, ion.median / core.median]);
      }
      report.table(['in flight', ...TARGETS, BARE], rows);
      for (const [inFlight, ofMinimal, ofCore] of ratios) {
        const least = MIN_RATIOS[inFlight as keyof typeof MIN_RATIOS];
        report.check(
          ofMinimal >= 0.9,
          `${inFlight} in flight: ${ofMinimal.toFixed(2)} of the minimal node (at least 0.90)`,
        );
        report.check(
          ofCore >= least,
          `${inFlight} in flight: ${ofCore.toFixed(1)} times the core node (at least ${least})`,
        );
      }
    }),
  );
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
      const [ion, minimal] = p50;
      const added = (ion?.median ?? Number.NaN) - (minimal?.median ?? Number.NaN);
      report.check(
        added <= 0.15,
        `${added.toFixed(3)} ms more than the minimal node at p50 (at most 0.15)`,
      );
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
