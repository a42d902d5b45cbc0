import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { closedError } from '../errors.js';
import { abandonable } from '../support/abort-listeners.js';
import type { Peer } from './certificate-problem.js';
import { Deadlines } from './deadlines.js';
import { type DispatcherOptions, Dispatchers, USER_AGENT } from './dispatchers.js';
import { Exchange, type RawResponse } from './exchange.js';
import { decode, decompress } from './response-text.js';

/** Default limit for a response, in bytes, compressed or not. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Limit for the error text of a storage host, in bytes. */
const MAX_STORAGE_TEXT = 8192;

export interface TransportOptions extends Omit<DispatcherOptions, 'maxResponseBytes'> {
  /**
   * Limit for a response, in bytes, compressed or not.
   * @default 67_108_864
   */
  maxResponseBytes?: number | undefined;
}

export interface HttpRequest {
  peer: Peer;
  url: URL;
  headers: Record<string, string>;
  body: string;
  /** Ends the exchange with `ION_CLOSED`. */
  signal: AbortSignal;
}

export interface Upload extends Omit<HttpRequest, 'body' | 'peer'> {
  /** In bytes. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

interface RawRequest extends Omit<HttpRequest, 'body'> {
  method: 'GET' | 'POST' | 'PUT';
  body?: string | AsyncIterable<Uint8Array>;
  /** Ends the exchange after the headers of the response. */
  headOnly?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The decompressed body. */
  text: string;
}

interface Target {
  peer: Peer;
  dispatcher: Dispatcher;
  origin: string;
  path: string;
}

/** The value of a header. A repeated header has its first value. */
export function headerOf(headers: HttpResponse['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** HTTP exchanges: sends a request and reads the whole response. Redirects are not followed. */
export class Transport {
  readonly #timeoutMs: number;
  readonly #maxResponseBytes: number;
  /** The exchanges in progress, by the ends of their time limits. */
  readonly #deadlines: Deadlines<Exchange<unknown>>;
  readonly #dispatchers: Dispatchers;
  /** A URL computes its parts each time, and that of the API is the same for all requests. */
  readonly #targets = new WeakMap<URL, Target>();
  readonly #closing = new AbortController();

  /** @throws IonError `ION_CONFIG` for a proxy or TLS options that cannot be used */
  constructor(options: TransportOptions) {
    const maxResponseBytes = options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
    this.#timeoutMs = options.timeoutMs;
    this.#deadlines = new Deadlines(options.timeoutMs);
    this.#maxResponseBytes = maxResponseBytes;
    this.#dispatchers = new Dispatchers({ ...options, maxResponseBytes }, this.#closing.signal);
  }

  /**
   * @throws IonError `ION_NETWORK`, `ION_TIMEOUT`, `ION_RESPONSE` (too large, unreadable) or
   * `ION_CLOSED`. An HTTP error status is a response, not an error.
   */
  post(request: HttpRequest): Promise<HttpResponse> {
    const { peer, url, headers, body, signal } = request;
    const exchange: RawRequest = { peer, url, headers, body, signal, method: 'POST' };
    return this.#exchange(exchange, (response) => this.#read(request, response));
  }

  /** The response with its text. A short one needs no promise, which saves a turn of the event loop. */
  #read(
    { url, signal }: HttpRequest,
    { status, headers, bytes }: RawResponse,
  ): HttpResponse | Promise<HttpResponse> {
    const encoding = headerOf(headers, 'content-encoding');
    const text =
      encoding === undefined ? decode(url, bytes) : this.#decompressed(url, bytes, encoding);
    if (typeof text === 'string') return { status, headers, text };
    const closed = () => closedError({ mayHaveRun: true });
    return abandonable(text, signal, closed).then((read) => ({ status, headers, text: read }));
  }

  async #decompressed(url: URL, bytes: Buffer, encoding: string): Promise<string> {
    return decode(url, await decompress(url, bytes, encoding, this.#maxResponseBytes));
  }

  /**
   * Streams a file to a pre-signed URL. The timeout applies to each chunk, not to the whole file.
   * @throws like `post`, and the errors of the body
   */
  async put({ size, body, ...upload }: Upload): Promise<HttpResponse> {
    const headers = { ...upload.headers, 'content-length': String(size) };
    const request: RawRequest = { ...upload, peer: 'storage', method: 'PUT', headers, body };
    const { status, headers: received, bytes } = await this.#exchange(request, asItIs);
    return { status, headers: received, text: bytes.toString('utf8', 0, MAX_STORAGE_TEXT) };
  }

  /**
   * Status and headers of a response. A GET, because a pre-signed URL permits one method only.
   * @throws like `post`
   */
  async head(
    url: URL,
    signal: AbortSignal,
    peer: Peer = 'storage',
  ): Promise<Omit<HttpResponse, 'text'>> {
    const headers = { 'accept-encoding': 'identity' };
    const request: RawRequest = { peer, url, headers, signal, method: 'GET' };
    return this.#exchange({ ...request, headOnly: true }, asItIs);
  }

  /** Aborts all exchanges (`ION_CLOSED`) and closes all connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#deadlines.close((exchange) => exchange.close());
    await this.#dispatchers.destroy();
  }

  #checkOpen(signal: AbortSignal): void {
    if (this.#closing.signal.aborted || signal.aborted) throw closedError();
  }

  #targetOf(url: URL, peer: Peer): Target {
    const known = this.#targets.get(url);
    if (known?.peer === peer) return known;
    const dispatcher = this.#dispatchers.for(peer, url);
    const target = { peer, dispatcher, origin: url.origin, path: url.pathname + url.search };
    this.#targets.set(url, target);
    return target;
  }

  /** @param read makes the result of the response */
  #exchange<Result>(
    { peer, url, method, headers, body, headOnly, signal }: RawRequest,
    read: (response: RawResponse) => Result | Promise<Result>,
  ): Promise<Result> {
    const timeoutMs = this.#timeoutMs;
    const maxResponseBytes = this.#maxResponseBytes;
    return new Promise((resolve, reject) => {
      this.#checkOpen(signal);
      const { dispatcher, origin, path } = this.#targetOf(url, peer);
      const options = { url, peer, signal, headOnly, timeoutMs, maxResponseBytes, read };
      const exchange = new Exchange(options, this.#deadlines, resolve, reject);
      dispatcher.dispatch(
        {
          origin,
          path,
          method,
          headers: { 'accept-encoding': 'gzip, br', ...headers, 'user-agent': USER_AGENT },
          body:
            typeof body === 'object'
              ? Readable.from(withEachChunk(body, () => exchange.renew()))
              : (body ?? null),
        },
        exchange,
      );
    });
  }
}

function asItIs(response: RawResponse): RawResponse {
  return response;
}

async function* withEachChunk(
  body: AsyncIterable<Uint8Array>,
  act: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    act();
    yield chunk;
  }
}
