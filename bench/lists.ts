// npm run bench:lists – memory of a long list that is streamed, and what prefetching brings.
import { IonClient } from '../nodes/client/client.js';
import { parseOperation } from '../nodes/client/operation.js';
import { pages } from '../nodes/client/pages.js';
import { withNodeRed, withServer } from './processes.js';

const QUERY = '{ runs { edges { node { id title status steps { id title status } } } } }';
const LENGTHS = [1000, 10_000, 100_000];
const ROUNDS = 5;
const MEGABYTE = 1024 * 1024;
const KEY = { clientId: 'bench', clientSecret: 'bench-secret' };

interface Streamed {
  runs: number;
  seconds: number;
  peak: number;
}

/** Streams a list page by page through a fresh Node-RED. */
function stream(runs: number): Promise<Streamed> {
  return withServer({ runs, latency: 0 }, (server) =>
    withNodeRed(streamFlow(server), { config: KEY }, async ({ url, peakMemory }) => {
      const startedAt = performance.now();
      const read = Number(await (await fetch(`${url}/stream`)).text());
      if (read !== runs) throw new Error(`${read} runs instead of ${runs}`);
      return { runs, seconds: (performance.now() - startedAt) / 1000, peak: await peakMemory() };
    }),
  );
}

function streamFlow(server: string): object[] {
  const place = { z: 'flow', x: 0, y: 0 };
  return [
    { id: 'flow', type: 'tab', label: 'bench' },
    { id: 'config', type: 'ion-config', environment: 'custom', apiUrl: server, authUrl: server },
    ...[
      { id: 'in', type: 'http in', url: '/stream', method: 'get', wires: [['node']] },
      {
        id: 'node',
        type: 'ion-graphql',
        config: 'config',
        query: QUERY,
        queryType: 'graphql',
        variables: 'variables',
        variablesType: 'msg',
        pages: 'stream',
        pageSize: 100,
        limit: 0,
        output: 'payload',
        wires: [['count']],
      },
      {
        id: 'count',
        type: 'function',
        func: `const count = (context.get('count') ?? 0) + msg.payload.runs.edges.length;
          context.set('count', count);
          if (msg.complete) { msg.payload = String(count); return msg; }`,
        wires: [['out']],
      },
      { id: 'out', type: 'http response', wires: [] },
    ].map((node) => ({ ...node, ...place })),
  ];
}

/** Seconds that 10,000 runs take at 100 a page and 50 ms a request. */
async function readAll(server: string, prefetch: boolean): Promise<number> {
  const client = new IonClient({
    environment: 'custom',
    apiUrl: server,
    authUrl: server,
    key: KEY,
  });
  const { signal } = new AbortController();
  const options = { pageSize: 100, limit: 0, signal, prefetch };
  const startedAt = performance.now();
  let rows = 0;
  for await (const { edges } of pages(client, parseOperation(QUERY), options)) rows += edges.length;
  const seconds = (performance.now() - startedAt) / 1000;
  await client.close();
  if (rows !== 10_000) throw new Error(`${rows} rows`);
  return seconds;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function verdict(holds: boolean): string {
  if (!holds) process.exitCode = 1;
  return holds ? 'PASS' : 'FAIL';
}

async function main(): Promise<void> {
  console.log('Streaming a list through Node-RED, 100 runs a page\n');
  const streamed: Streamed[] = [];
  for (const runs of LENGTHS) streamed.push(await stream(runs));
  const [smallest] = streamed;
  console.log('     runs   seconds   peak memory   above 1,000 runs');
  for (const { runs, seconds, peak } of streamed) {
    const above = (peak - (smallest?.peak ?? 0)) / MEGABYTE;
    console.log(
      `${String(runs).padStart(9)}${seconds.toFixed(2).padStart(10)}${(peak / MEGABYTE).toFixed(0).padStart(11)} MB${above.toFixed(0).padStart(16)} MB`,
    );
  }
  const above = ((streamed.at(-1)?.peak ?? 0) - (smallest?.peak ?? 0)) / MEGABYTE;
  console.log(`\n${verdict(above <= 60)}: 100,000 runs take at most 60 MB more than 1,000\n`);

  await withServer({ runs: 10_000, latency: 50 }, async (server) => {
    const oneByOne: number[] = [];
    const prefetched: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      oneByOne.push(await readAll(server, false));
      prefetched.push(await readAll(server, true));
    }
    const share = median(prefetched) / median(oneByOne);
    console.log('10,000 runs, 100 a page, 50 ms a request (median of 5 interleaved rounds)\n');
    console.log(`  one by one   ${median(oneByOne).toFixed(2)} s`);
    console.log(`  prefetched   ${median(prefetched).toFixed(2)} s   ${share.toFixed(2)} of it`);
    console.log(`\n${verdict(share <= 0.2)}: prefetching takes at most a fifth of the time`);
  });
}

void main();
