import { randomBytes } from 'node:crypto';
import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** A request whose body has been read. */
export interface Exchange {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  request: IncomingMessage;
}

/** A complete response that is not sent yet, so that a fault can still hit it. */
export interface SandboxResponse {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

const BODY_LIMIT = 32 * 1024 * 1024;
const COMPRESS_FROM = 1024;
const compressors = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: promisify(gzip),
};

/** Reads a request to its end. */
export async function readExchange(request: IncomingMessage): Promise<Exchange> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new RangeError('The request is too large');
    chunks.push(chunk);
  }
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: request.headers,
    body: Buffer.concat(chunks),
    request,
  };
}

export function json(
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): SandboxResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(value === undefined ? '' : JSON.stringify(value)),
  };
}

/** A trace id like the one in each response of ION. */
export function traceId(): string {
  return randomBytes(8).toString('hex');
}

/** Sends a response, compressed if the client accepts it and the size is worth it. */
export async function send(
  response: ServerResponse,
  answer: SandboxResponse,
  acceptEncoding: string | string[] | undefined,
): Promise<void> {
  const { body, headers } = await compress(answer, String(acceptEncoding ?? ''));
  if (response.destroyed) return;
  response.writeHead(answer.status, { ...headers, 'content-length': body.length });
  response.end(body);
}

async function compress(
  answer: SandboxResponse,
  accepted: string,
): Promise<Pick<SandboxResponse, 'body' | 'headers'>> {
  if (answer.body.length < COMPRESS_FROM || answer.headers['content-encoding']) return answer;
  const headers = { ...answer.headers, vary: 'Accept-Encoding' };
  for (const [encoding, compressor] of Object.entries(compressors)) {
    const offer = new RegExp(`(?:^|,)\\s*(?:${encoding}|\\*)\\s*(?:;\\s*q=([\\d.]+))?`).exec(
      accepted,
    );
    if (!offer || Number(offer[1] ?? 1) === 0) continue;
    return {
      body: await compressor(answer.body),
      headers: { ...headers, 'content-encoding': encoding },
    };
  }
  return { body: answer.body, headers };
}

/** Runs a Node request listener on an exchange that has been read, and captures its response. */
export async function capture(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  exchange: Exchange,
  path = exchange.path,
): Promise<SandboxResponse> {
  const request = new IncomingMessage(exchange.request.socket);
  const { headers, method } = exchange;
  // Complete: otherwise its end would count as an abort and close the socket.
  Object.assign(request, {
    method,
    headers,
    url: path,
    originalUrl: exchange.path,
    complete: true,
  });
  request.push(exchange.body);
  request.push(null);
  const response = new CapturedResponse(request);
  await listener(request, response);
  return response.answer();
}

class CapturedResponse extends ServerResponse {
  readonly #chunks: Buffer[] = [];

  override write(chunk: string | Buffer): boolean {
    this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) this.write(chunk);
    this.emit('finish');
    return this;
  }

  answer(): SandboxResponse {
    const headers: OutgoingHttpHeaders = { ...this.getHeaders() };
    // The length is written again when the response is sent.
    delete headers['content-length'];
    delete headers['transfer-encoding'];
    return { status: this.statusCode, headers, body: Buffer.concat(this.#chunks) };
  }
}
