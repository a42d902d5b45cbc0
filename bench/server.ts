// A server that returns runs from memory, so that it does not affect the measurement. It is a separate process:
//   node --import tsx bench/server.ts '<options as JSON>'
// It prints its URL and ends with its standard input.
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cursorAt, offsetOf } from '../nodes/client/paging/cursors.js';
import type { ServerOptions, ServerStatistics } from './processes.js';
import { TOKEN } from './request.js';

const { runs, latency, rowLatency, tokenSeconds, tokenLatency }: Required<ServerOptions> = {
  runs: 1000,
  latency: 0,
  rowLatency: 0,
  tokenSeconds: 3600,
  tokenLatency: 0,
  ...JSON.parse(process.argv[2] ?? '{}'),
};

/** Long ago, so that no change is recent enough to be read again. */
const firstUpdate = Date.now() - 3_600_000;
const updated = Array.from({ length: runs }, (_, index) => firstUpdate - index * 1000);
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
type Variables = Record<string, unknown>;

/** Complete responses with headers, by request body. */
const answers = new Map<string, Buffer>();
const statistics: ServerStatistics = { tokensAt: [], requests: 0, writesAt: [] };
/** A step and its only field; the etag is never compared. */
const FIELD = { id: 1, runStepId: 1, name: 'Torque', type: 'NUMBER', value: 1, _etag: '1' };
const STEP = { id: 1, runId: 1, title: 'Step', position: 1, status: 'IN_PROGRESS', entityId: 1 };
const WRITTEN = withHead(
  JSON.stringify({ data: { updateRunStepFieldValue: { runStepField: FIELD } } }),
);
let isDown = false;

function answerOf(url: string, body: string): Buffer {
  if (url.endsWith('/token')) {
    statistics.tokensAt.push(Date.now());
    return withHead(
      JSON.stringify({ access_token: TOKEN, token_type: 'Bearer', expires_in: tokenSeconds }),
    );
  }
  if (url === '/down' || url === '/up') return withHead('{}');
  if (url === '/statistics') return withHead(JSON.stringify(statistics));
  if (url.startsWith('/touch/')) {
    // Changes that many runs, one after the other.
    const count = Number(url.slice('/touch/'.length));
    for (let index = 0; index < count; index++) updated[index] = ++lastUpdate;
    answers.clear();
    return withHead('{}');
  }
  statistics.requests++;
  if (body.includes('Batch(')) return withHead(batchedAnswer(body));
  if (body.includes('updateRunStepFieldValue')) {
    statistics.writesAt.push(Date.now());
    return WRITTEN;
  }
  const known = answers.get(body);
  if (known) return known;
  const answer = withHead(answerTo(body));
  if (answers.size < 10) answers.set(body, answer);
  return answer;
}

function withHead(body: string): Buffer {
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `date: ${new Date().toUTCString()}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function answerTo(body: string): string {
  const { query, variables } = JSON.parse(body);
  if (variables?.id !== undefined) return JSON.stringify({ data: stepsOf(query, variables.id) });
  // Etags are sent only on request: they would make every response larger.
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

/** Root fields of documents that hold several operations: response key, field, name of the ID. */
const batches = new Map<string, [key: string, field: string, variable: string][]>();

/** Several operations in one document, as the package sends them. */
function batchedAnswer(body: string): string {
  const { query, variables } = JSON.parse(body) as { query: string; variables: Variables };
  let fields = batches.get(query);
  if (!fields) {
    const root = /^(?: {2})?(p\d+_\w+): (\w+)\(\w+: \$(p\d+_\w+)\)/gm;
    fields = [...query.matchAll(root)].map(([, ...found]) => found as [string, string, string]);
    batches.set(query, fields);
  }
  const data: Record<string, unknown> = {};
  for (const [key, field, variable] of fields) {
    const value = variables[variable];
    if (field === 'updateRunStepFieldValue') {
      statistics.writesAt.push(Date.now());
      data[key] = { runStepField: { ...FIELD, id: (value as { id: unknown }).id } };
    } else {
      data[key] = Object.values(stepsOf(`${field}(`, String(value)))[0];
    }
  }
  return JSON.stringify({ data });
}

/** Each run has one step with one field, all with the same id. */
function stepsOf(query: string, id: string): object {
  const own = { id: Number(id), _etag: '1' };
  const step = { ...STEP, ...own, runId: own.id };
  if (query.includes('runStep(')) {
    return { runStep: { ...step, fields: [{ ...FIELD, ...own, runStepId: own.id }] } };
  }
  return { run: { id: own.id, steps: [step] } };
}

/** The rows that a request reads. */
function rowsIn(body: string): number {
  if (rowLatency === 0 || body === '') return 0;
  const { after, first = 0 } = JSON.parse(body).variables ?? {};
  return Math.min(first, runs - 1 - (offsetOf(after) ?? -1));
}

/** Speaks just enough HTTP/1.1: Node's own server would occupy a whole core. */
const server = createServer({ noDelay: true }, (socket) => {
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const endOfHead = received.indexOf('\r\n\r\n');
    if (endOfHead < 0) return;
    const head = received.toString('latin1', 0, endOfHead);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const beginOfBody = endOfHead + 4;
    if (received.length < beginOfBody + length) return;
    const [, url = '/'] = head.slice(0, head.indexOf('\r\n')).split(' ');
    const body = received.toString('latin1', beginOfBody, beginOfBody + length);
    // No client sends a request before the response to the last one.
    received = Buffer.alloc(0);
    const delay = url.endsWith('/token') ? tokenLatency : latency + rowLatency * rowsIn(body);
    if (url === '/down' || url === '/up') isDown = url === '/down';
    else if (isDown && url === '/graphql') {
      socket.destroy();
      return;
    }
    if (delay === 0) socket.write(answerOf(url, body));
    else void sleep(delay).then(() => socket.write(answerOf(url, body)));
  });
  // A client that stops resets its connections.
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.stdin.resume().on('end', () => process.exit());
