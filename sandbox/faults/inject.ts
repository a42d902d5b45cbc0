import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { json, type SandboxResponse, send } from '../http/exchange.js';
import type { Fault } from './fault.js';

const CHUNK = 64 * 1024;

interface Hit {
  fault: Fault;
  response: ServerResponse;
  /** The real response; made at most once, and only by the faults that need it. */
  answer: () => Promise<SandboxResponse>;
  acceptEncoding: string | string[] | undefined;
  /** Aborted when the sandbox closes. */
  signal: AbortSignal;
}

/** Answers a request as its fault says. */
export async function inject(hit: Hit): Promise<void> {
  const { fault, response, signal } = hit;
  const executed = fault.execute ? await hit.answer() : undefined;
  if (fault.executeAfter !== undefined) void executeLater(hit, fault.executeAfter);
  const reply = (answer: SandboxResponse) => send(response, answer, hit.acceptEncoding);
  switch (fault.kind) {
    case 'latency':
      await sleep(fault.ms, undefined, { signal });
      return reply(executed ?? (await hit.answer()));
    case 'status':
      return reply({
        status: fault.status,
        headers: { 'content-type': fault.contentType ?? 'text/plain', ...fault.headers },
        body: Buffer.from(fault.body ?? ''),
      });
    case 'body':
      return reply({
        status: 200,
        headers: { 'content-type': fault.contentType ?? 'application/json' },
        body: Buffer.from(fault.base64 ?? fault.body ?? '', fault.base64 ? 'base64' : 'utf8'),
      });
    case 'redirect':
      return reply(json(fault.status ?? 307, undefined, { location: fault.location }));
    case 'unauthorized':
      return reply(json(401, { errors: [{ message: fault.message ?? 'Token is expired.' }] }));
    case 'graphql':
      return reply(json(200, { data: fault.data ?? null, errors: fault.errors }));
    case 'reset':
      return reset(response);
    case 'hang':
      return;
    case 'half':
      return half(response, executed ?? filler());
    case 'drip':
      return drip(response, executed ?? filler(), fault.ms, signal);
    case 'big':
      return big(response, fault.bytes);
    case 'gzip-bomb':
      return gzipBomb(response, fault.bytes);
  }
}

async function executeLater({ answer, signal }: Hit, ms: number): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    return;
  }
  await answer();
}

/** A placeholder for a response that was never made. */
function filler(): SandboxResponse {
  return json(200, { data: { filler: 'x'.repeat(200) } });
}

function reset(response: ServerResponse): void {
  const { socket } = response;
  // Only a TCP socket can send RST; one under TLS is just cut.
  if (socket && 'encrypted' in socket) socket.destroy();
  else socket?.resetAndDestroy();
}

async function half(response: ServerResponse, answer: SandboxResponse): Promise<void> {
  const { body } = answer;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  await new Promise((done) => response.write(body.subarray(0, body.length >> 1), done));
  response.socket?.destroy();
}

async function drip(
  response: ServerResponse,
  answer: SandboxResponse,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
  response.flushHeaders();
  for (const byte of answer.body) {
    await sleep(ms, undefined, { signal });
    if (response.destroyed) return;
    response.write(Buffer.from([byte]));
  }
  response.end();
}

/** A GraphQL response of an exact number of bytes, made while it is sent. */
function* bigAnswer(bytes: number): Generator<Buffer> {
  const head = '{"data":{"filler":"';
  const tail = '"}}';
  const chunk = Buffer.alloc(CHUNK, 'x');
  yield Buffer.from(head);
  for (let left = bytes - head.length - tail.length; left > 0; left -= CHUNK) {
    yield chunk.subarray(0, Math.min(left, CHUNK));
  }
  yield Buffer.from(tail);
}

async function big(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes });
  await pipeline(Readable.from(bigAnswer(bytes)), response);
}

async function gzipBomb(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  await pipeline(Readable.from(bigAnswer(bytes)), createGzip(), response);
}
