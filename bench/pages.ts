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
const MORE = 20;
/** In ms. */
const ROW_LATENCIES = [0, 0.2, 2];

const WAYS = {
  fixed: { pageSize: 100, concurrency: CONCURRENCY },
  automatic: { pageSize: 'auto', concurrency: CONCURRENCY },
  more: { pageSize: 'auto', concurrency: MORE },
} as const;
type Way = keyof typeof WAYS;
type Result = Record<Way | 'first' | 'script', Spread>;

/** The automatic page size, if ION also takes time for each row. */
export async function measurePages(report: Report): Promise<void> {
  report.heading('Automatic page size');
  report.text(
    `${RUNS.toLocaleString('en-US')} runs from a server that takes ${LATENCY} ms for each request and a time for each row, with ${CONCURRENCY} concurrent requests, and with ${MORE}; seconds, minimum / median / maximum of ${ROUNDS} interleaved runs. The first export of a Node-RED begins with pages of 100 rows, a later one with the size that was found. The script reads ${PART.toLocaleString('en-US')} runs one page after the other; its time is multiplied by ${RUNS / PART}.`,
  );
  const results = new Map<number, Result>();
  for (const rowLatency of ROW_LATENCIES) results.set(rowLatency, await measured(rowLatency));
  const columns = ['fixed', 'first', 'automatic', 'more', 'script'] as const;
  report.table(
    [
      'a row',
      'pages of 100',
      'automatic, first',
      'automatic',
      `automatic, ${MORE} at once`,
      'Python, pages of 100',
    ],
    [...results].map(([rowLatency, result]) => [
      `${rowLatency} ms`,
      ...columns.map((column) => shown(result[column], 2)),
    ]),
  );
  const compare = (rowLatency: number, way: Way, other: 'script' | 'fixed', least: number) => {
    const result = results.get(rowLatency) as Result;
    const times = result[other].median / result[way].median;
    const what = other === 'script' ? 'the script' : `pages of 100, ${CONCURRENCY} at once`;
    report.check(
      times >= least,
      `${rowLatency} ms a row, ${WAYS[way].concurrency} at once: ${times.toFixed(2)} times as fast as ${what} (at least ${least})`,
    );
  };
  compare(0.2, 'automatic', 'script', 15);
  compare(0.2, 'automatic', 'fixed', 2);
  // The rows alone take 20 s with 10 requests at once, so that 12.5 and 1.25 are the limits.
  compare(2, 'automatic', 'script', 10);
  compare(2, 'automatic', 'fixed', 1.1);
  compare(2, 'more', 'script', 15);
  compare(2, 'more', 'fixed', 2);
}

function measured(rowLatency: number): Promise<Result> {
  const times = { fixed: [], automatic: [], more: [], first: [], script: [] } as Record<
    keyof Result,
    number[]
  >;
  return withServer({ runs: RUNS, latency: LATENCY, rowLatency }, (whole) =>
    withServer({ runs: PART, latency: LATENCY, rowLatency }, async (part) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const way of Object.keys(WAYS) as Way[]) {
          const { first, seconds } = await stream(whole, RUNS, WAYS[way]);
          times[way].push(seconds);
          if (way === 'automatic') times.first.push(first);
        }
        times.script.push(((await python(part, PART)).seconds * RUNS) / PART);
      }
      const { fixed, automatic, more, first, script } = times;
      return {
        fixed: spread(fixed),
        automatic: spread(automatic),
        more: spread(more),
        first: spread(first),
        script: spread(script),
      };
    }),
  );
}
