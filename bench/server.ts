// A server that answers runs from memory, so that it is not what is measured. A process of its own:
//   node --import tsx bench/server.ts <runs> <latency in ms>
// It prints its URL and ends with its standard input.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cursorAt, offsetOf } from '../nodes/client/offsets.js';

const runs = Number(process.argv[2] ?? 1000);
const latency = Number(process.argv[3] ?? 0);

const token = JSON.stringify({
  access_token: 'x'.repeat(900),
  token_type: 'Bearer',
  expires_in: 3600,
});
const edges = Array.from({ length: runs }, (_, index) => {
  const step = (n: number) => ({ id: index * 3 + n, title: `Step ${n}`, status: 'COMPLETE' });
  const node = {
    id: index + 1,
    title: `Example run ${index + 1}`,
    status: 'COMPLETE',
    steps: [step(1), step(2), step(3)],
  };
  return JSON.stringify({ node });
});

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  response.setHeader('content-type', 'application/json');
  if (request.url?.endsWith('/token')) {
    response.end(token);
    return;
  }
  const { variables } = JSON.parse(Buffer.concat(chunks).toString());
  const begin = (offsetOf(variables?.after) ?? -1) + 1;
  const page = edges.slice(begin, begin + (variables?.first ?? 100));
  const end = begin + page.length;
  const pageInfo = JSON.stringify({
    hasNextPage: end < runs,
    startCursor: cursorAt(begin),
    endCursor: cursorAt(end - 1),
    totalCount: runs,
  });
  if (latency > 0) await sleep(latency);
  response.end(`{"data":{"runs":{"edges":[${page.join(',')}],"pageInfo":${pageInfo}}}}`);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.stdin.resume().on('end', () => process.exit());
