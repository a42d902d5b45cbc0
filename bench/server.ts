// A server that answers runs from memory, so that it is not what is measured. A process of its own:
//   node --import tsx bench/server.ts '<options as JSON>'
// It prints its URL and ends with its standard input.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cursorAt, offsetOf } from '../nodes/client/offsets.js';
import type { ServerOptions, ServerStatistics } from './processes.js';
import { TOKEN } from './request.js';

const { runs, latency, tokenSeconds, tokenLatency }: Required<ServerOptions> = {
  runs: 1000,
  latency: 0,
  tokenSeconds: 3600,
  tokenLatency: 0,
  ...JSON.parse(process.argv[2] ?? '{}'),
};

/** Long ago, so that no change is so new that it is read again. */
const firstUpdate = Date.now() - 3_600_000;
const updated = new Array<number>(runs).fill(firstUpdate);
let lastUpdate = firstUpdate;

function runAt(index: number): string {
  const _updated = new Date(updated[index] ?? 0).toISOString();
  const step = (n: number) => ({
    id: index * 3 + n,
    title: `Step ${n}`,
    status: 'COMPLETE',
    ...(isChanges && { _updated, _etag: '1' }),
  });
  return JSON.stringify({
    node: {
      id: index + 1,
      title: `Example run ${index + 1}`,
      status: 'COMPLETE',
      ...(isChanges && { _updated, _etag: '1' }),
      steps: [step(1), step(2), step(3)],
    },
  });
}

let isChanges = false;
const edges = Array.from({ length: runs }, (_, index) => runAt(index));
/** Whole answers by the body that asked for them. */
const answers = new Map<string, string>();
const statistics: ServerStatistics = { tokensAt: [], requests: 0 };

function answerTo(body: string): string {
  const { query, variables } = JSON.parse(body);
  // The etags are only sent where they are asked for: they would make every answer larger.
  isChanges = String(query).includes('_etag');
  const since = Date.parse(/"gte":"([^"]+)"/.exec(JSON.stringify(variables ?? {}))?.[1] ?? '');
  const matching = Number.isNaN(since)
    ? undefined
    : updated.flatMap((at, index) => (at >= since ? [index] : []));
  const total = matching?.length ?? runs;
  const begin = (offsetOf(variables?.after) ?? -1) + 1;
  const end = Math.min(total, begin + (variables?.first ?? 100));
  const page: string[] = [];
  for (let row = begin; row < end; row++) {
    const index = matching?.[row] ?? row;
    page.push(isChanges ? runAt(index) : (edges[index] ?? ''));
  }
  const pageInfo = JSON.stringify({
    hasNextPage: end < total,
    startCursor: cursorAt(begin),
    endCursor: cursorAt(end - 1),
    totalCount: total,
  });
  return `{"data":{"runs":{"edges":[${page.join(',')}],"pageInfo":${pageInfo}}}}`;
}

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  response.setHeader('content-type', 'application/json');
  if (request.url?.endsWith('/token')) {
    statistics.tokensAt.push(Date.now());
    if (tokenLatency > 0) await sleep(tokenLatency);
    const token = { access_token: TOKEN, token_type: 'Bearer', expires_in: tokenSeconds };
    response.end(JSON.stringify(token));
  } else if (request.url === '/statistics') {
    response.end(JSON.stringify(statistics));
  } else if (request.url?.startsWith('/touch/')) {
    // So many runs change, at the same time.
    lastUpdate += 1000;
    updated.fill(lastUpdate, 0, Number(request.url.slice('/touch/'.length)));
    answers.clear();
    response.end('{}');
  } else {
    statistics.requests++;
    if (latency > 0) await sleep(latency);
    let answer = answers.get(body);
    if (answer === undefined) {
      answer = answerTo(body);
      if (answers.size < 10) answers.set(body, answer);
    }
    response.end(answer);
  }
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.stdin.resume().on('end', () => process.exit());
