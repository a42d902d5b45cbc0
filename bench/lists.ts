import { join } from 'node:path';
import { graphqlNode, ionConfig } from './flows.js';
import { run, withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { type Spread, shown, spread } from './statistics.js';

const ROUNDS = 5;
const LENGTHS = [1000, 10_000, 100_000];
const LATENCIES = [0, 50];
const QUERY = '{ runs { edges { node { id title status steps { id title status } } } } }';
const MEGABYTE = 1024 * 1024;

interface Exported {
  seconds: number;
  /** Bytes. */
  peak: number;
}

interface StreamOptions {
  /** @default 100 */
  pageSize?: number | 'auto';
  /**
   * Requests at once.
   * @default 10
   */
  concurrency?: number;
}

/** Streams a list twice, page by page, through a fresh Node-RED. `first` are the seconds of the first time. */
export function stream(
  server: string,
  runs: number,
  { pageSize = 100, concurrency = 10 }: StreamOptions = {},
): Promise<Exported & { first: number }> {
  const place = { z: 'flow', x: 0, y: 0 };
  const flow = [
    ...ionConfig(server, { concurrency }),
    { id: 'in', type: 'http in', url: '/stream', method: 'get', wires: [['list']], ...place },
    { ...graphqlNode(QUERY, 'stream', pageSize), id: 'list', wires: [['count']], ...place },
    {
      id: 'count',
      type: 'function',
      func: `const before = msg.parts.index === 0 ? 0 : context.get('count');
        const count = before + msg.payload.runs.edges.length;
        context.set('count', count);
        if (msg.complete) { msg.payload = String(count); return msg; }`,
      wires: [['out']],
      ...place,
    },
    { id: 'out', type: 'http response', wires: [], ...place },
  ];
  return withNodeRed(flow, { config: KEY }, async ({ url, peakMemory }) => {
    const exported = async () => Number(await (await fetch(`${url}/stream`)).text());
    // Unlike a script, Node-RED does not start for each export.
    const begunFirst = performance.now();
    await exported();
    const begun = performance.now();
    const read = await exported();
    if (read !== runs) throw new Error(`${read} runs instead of ${runs}`);
    return {
      first: (begun - begunFirst) / 1000,
      seconds: (performance.now() - begun) / 1000,
      peak: await peakMemory(),
    };
  });
}

/** Reads a list by a script. */
export async function python(server: string, runs: number): Promise<Exported> {
  const begun = performance.now();
  const script = join(__dirname, 'peers', 'export.py');
  // Its last line is the peak of its resident memory in kB.
  const program = `import resource, runpy, sys; sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)`;
  const { stdout } = await run('/usr/bin/python3', ['-c', program, script, server]);
  const [read, peak] = stdout.trim().split('\n').map(Number);
  if (read !== runs) throw new Error(`${read} runs instead of ${runs}`);
  return { seconds: (performance.now() - begun) / 1000, peak: (peak ?? 0) * 1024 };
}

/** The whole list, streamed through Node-RED and by a script. */
export async function measureLists(report: Report): Promise<void> {
  report.heading('Export of a whole list');
  report.text(
    `100 runs per page; minimum / median / maximum of ${ROUNDS} interleaved runs, each in a separate process. The time of Node-RED, which has already run the export once, is measured from the request to the last run; that of the script includes its start (0.1 s).`,
  );
  const rows: string[][] = [];
  const results = new Map<string, { ion: Spread; peak: Spread; script: Spread }>();
  for (const latency of LATENCIES) {
    for (const runs of LENGTHS) {
      await withServer({ runs, latency }, async (server) => {
        const ion: Exported[] = [];
        const script: Exported[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          ion.push(await stream(server, runs));
          script.push(await python(server, runs));
        }
        const seconds = (all: Exported[]) => spread(all.map((each) => each.seconds));
        const peaks = (all: Exported[]) => spread(all.map(({ peak }) => peak / MEGABYTE));
        const result = { ion: seconds(ion), peak: peaks(ion), script: seconds(script) };
        results.set(`${runs} ${latency}`, result);
        rows.push([
          runs.toLocaleString('en-US'),
          `${latency} ms`,
          shown(result.ion, 2),
          shown(result.peak),
          shown(result.script, 2),
          shown(peaks(script)),
        ]);
      });
    }
  }
  report.table(
    ['runs', 'latency', 'Node-RED, s', 'its peak memory, MB', 'Python, s', 'its peak memory, MB'],
    rows,
  );
  const of = (runs: number, latency: number) => {
    const result = results.get(`${runs} ${latency}`);
    if (!result) throw new Error('not measured');
    return result;
  };
  for (const runs of LENGTHS) {
    const { ion, script } = of(runs, 50);
    const times = script.median / ion.median;
    report.check(
      times >= 5,
      `${runs.toLocaleString('en-US')} runs at 50 ms: ${times.toFixed(1)} times as fast as the script (at least 5)`,
    );
  }
  const growth = of(100_000, 50).peak.median - of(1000, 50).peak.median;
  report.check(
    growth <= 60,
    `peak memory: ${growth.toFixed(0)} MB more for 100,000 runs than for 1,000 (at most 60)`,
  );
  for (const latency of LATENCIES) {
    const times = of(100_000, latency).ion.median / of(10_000, latency).ion.median;
    report.check(
      times <= 12,
      `100,000 runs take ${times.toFixed(1)} times as long as 10,000 at ${latency} ms (at most 12)`,
    );
  }
}
