import { python, stream } from './lists.js';
import { withServer } from './processes.js';
import type { Report } from './report.js';
import { type Spread, shown, spread } from './statistics.js';

const ROUNDS = 3;
const RUNS = 100_000;
/** The script reads a part, because it takes minutes for the whole list: its time grows with the rows. */
const PART = 10_000;
const LATENCY = 50;
const CONCURRENCY = 10;
/** In ms. */
const ROW_LATENCIES = [0, 0.2, 2];
const SIZES = [100, 'auto'] as const;

interface Result {
  fixed: Spread;
  automatic: Spread;
  first: Spread;
  script: Spread;
}

/** The automatic page size, if ION also takes time for each row. */
export async function measurePages(report: Report): Promise<void> {
  report.heading('Automatic page size');
  report.text(
    `${RUNS.toLocaleString('en-US')} runs from a server that takes ${LATENCY} ms for each request and a time for each row, with ${CONCURRENCY} concurrent requests; seconds, minimum / median / maximum of ${ROUNDS} interleaved runs. The first export of a Node-RED begins with pages of 100 rows, a later one with the size that was found. The script reads ${PART.toLocaleString('en-US')} runs one page after the other; its time is multiplied by ${RUNS / PART}.`,
  );
  const results = new Map<number, Result>();
  for (const rowLatency of ROW_LATENCIES) results.set(rowLatency, await measured(rowLatency));
  report.table(
    ['a row', 'pages of 100', 'automatic, first', 'automatic', 'Python, pages of 100'],
    [...results].map(([rowLatency, { fixed, first, automatic, script }]) => [
      `${rowLatency} ms`,
      ...[fixed, first, automatic, script].map((seconds) => shown(seconds, 2)),
    ]),
  );
  const compare = (rowLatency: number, overScript: number, overFixed: number) => {
    const { automatic, fixed, script } = results.get(rowLatency) as Result;
    for (const [what, { median }, least] of [
      ['the script', script, overScript],
      ['pages of 100', fixed, overFixed],
    ] as const) {
      const times = median / automatic.median;
      report.check(
        times >= least,
        `${rowLatency} ms a row: ${times.toFixed(2)} times as fast as ${what} (at least ${least})`,
      );
    }
  };
  compare(0.2, 15, 2);
  // The rows alone take 20 s with 10 requests, so that 12.5 and 1.25 are the limits.
  compare(2, 10, 1.1);
}

function measured(rowLatency: number): Promise<Result> {
  const times = { fixed: [], automatic: [], first: [], script: [] } as Record<
    keyof Result,
    number[]
  >;
  return withServer({ runs: RUNS, latency: LATENCY, rowLatency }, (whole) =>
    withServer({ runs: PART, latency: LATENCY, rowLatency }, async (part) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const size of SIZES) {
          const { first, seconds } = await stream(whole, RUNS, size);
          times[size === 'auto' ? 'automatic' : 'fixed'].push(seconds);
          if (size === 'auto') times.first.push(first);
        }
        times.script.push(((await python(part, PART)).seconds * RUNS) / PART);
      }
      const { fixed, automatic, first, script } = times;
      return {
        fixed: spread(fixed),
        automatic: spread(automatic),
        first: spread(first),
        script: spread(script),
      };
    }),
  );
}
