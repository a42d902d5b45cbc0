import { isUtf8 } from 'node:buffer';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import type { buildConnector, Dispatcher } from 'undici';
import { closedError, IonError, quote } from '../errors.js';
import { abandonable, addAbortListener } from '../support/abort-listeners.js';
import { isLoopback } from '../support/is-loopback.js';
import { inSlices } from '../support/slices.js';
import { VERSION } from '../version.js';
import { codeOf, networkError, type Peer, timeoutError, tooLargeError } from './network-errors.js';
import { openSocket } from './open-socket.js';
import { type HttpProxy, type Proxies, proxiesFor } from './proxies.js';
import { createSecureContext } from './secure-context.js';

/** Largest answer that is read, in bytes, compressed or not. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Many gateways refuse requests that do not say what sends them. */
const USER_AGENT = `node-red-ion/${VERSION}`;

const MAX_CONNECT_MS = 10_000;
/** In bytes; longer texts are decoded in slices. */
const MAX_DECODED_AT_ONCE = 512 * 1024;
/** Bytes that are read of a storage host's error text. */
const MAX_STORAGE_TEXT = 8192;

export type TlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, 'ALPNProtocols' | 'rejectUnauthorized' | 'servername'>;

export interface TransportOptions {
  /** For one exchange: connection, headers and body, in ms. */
  timeoutMs: number;
  /** Connections to each host at once. */
  connections: number;
  /**
   * For the API and the auth server; a server name is the API's alone. The CA is trusted as well as
   * those that Node.js trusts.
   */
  tls?: TlsOptions | undefined;
  /** Without it, the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count. */
  proxy?: HttpProxy | undefined;
  largestAnswer?: number | undefined;
}

export interface HttpRequest {
  peer: Peer;
  url: URL;
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
}

export interface Upload extends Omit<HttpRequest, 'body' | 'peer'> {
  /** In bytes. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

interface Exchange extends Omit<HttpRequest, 'body'> {
  method: 'GET' | 'POST' | 'PUT';
  body?: string | AsyncIterable<Uint8Array>;
  /** The answer ends with its head. */
  headOnly?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The decompressed body. */
  text: string;
}

/** The value of a header, the first one where it is repeated. */
export function headerOf(headers: HttpResponse['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

interface RawResponse extends Omit<HttpResponse, 'text'> {
  bytes: Buffer;
}

/** One HTTP exchange at a time: send a body, read the whole answer. Redirects are not followed. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #largestAnswer: number;
  readonly #dispatchers: Dispatchers;
  readonly #closing = new AbortController();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#largestAnswer = options.largestAnswer ?? MAX_RESPONSE_BYTES;
    this.#dispatchers = new Dispatchers(options, this.#closing.signal);
  }

  /**
   * @throws IonError `ION_NETWORK`, `ION_TIMEOUT`, `ION_RESPONSE` (too large, unreadable) or
   * `ION_CLOSED`; an HTTP error status is an answer, not an error.
   */
  async post(request: HttpRequest): Promise<HttpResponse> {
    if (this.#closing.signal.aborted || request.signal.aborted) throw closedError();
    const { url } = request;
    const { status, headers, bytes } = await this.#exchange({ ...request, method: 'POST' });
    const encoding = headerOf(headers, 'content-encoding');
    const plain = encoding === undefined ? bytes : await this.#decompress(url, bytes, encoding);
    const text = decode(url, plain);
    if (typeof text === 'string') return { status, headers, text };
    const closed = () => closedError({ mayHaveRun: true });
    return { status, headers, text: await abandonable(text, request.signal, closed) };
  }

  /**
   * Sends bytes to where a pre-signed URL points, as they come: the deadline is for each step, not
   * for the whole.
   * @throws as `post` does, and what the body throws
   */
  async put({ size, body, ...upload }: Upload): Promise<HttpResponse> {
    if (this.#closing.signal.aborted || upload.signal.aborted) throw closedError();
    const headers = { ...upload.headers, 'content-length': String(size) };
    const request: Exchange = { ...upload, peer: 'storage', method: 'PUT', headers, body };
    const { status, headers: received, bytes } = await this.#exchange(request);
    return { status, headers: received, text: bytes.toString('utf8', 0, MAX_STORAGE_TEXT) };
  }

  /** Status and headers of what a URL holds, without reading it. */
  async head(url: URL, signal: AbortSignal): Promise<Omit<HttpResponse, 'text'>> {
    if (this.#closing.signal.aborted || signal.aborted) throw closedError();
    const headers = { 'accept-encoding': 'identity' };
    const request: Exchange = { peer: 'storage', url, headers, signal, method: 'GET' };
    return this.#exchange({ ...request, headOnly: true });
  }

  /** Breaks off what is under way (`ION_CLOSED`) and closes all connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#dispatchers.destroy();
  }

  /**
   * Ends when the answer is there, or at once when it is broken off, in whatever state the
   * connection is: undici itself can only abort a request that has one.
   */
  #exchange(exchange: Exchange): Promise<RawResponse> {
    const { peer, url, method, headers, body, headOnly, signal } = exchange;
    const { timeoutMs } = this.#options;
    const dispatcher = this.#dispatchers.for(peer, url);
    return new Promise((resolve, reject) => {
      let connection: Dispatcher.DispatchController | undefined;
      let isSent = false;
      let brokenOff: IonError | undefined;
      const answer: RawResponse = { status: 0, headers: {}, bytes: Buffer.alloc(0) };
      const chunks: Buffer[] = [];

      const end = () => {
        clearTimeout(timer);
        for (const stopListening of listening) stopListening();
      };
      const breakOff = (reason: IonError) => {
        brokenOff = reason;
        end();
        reject(reason);
        connection?.abort(reason);
      };
      const stop = () => breakOff(closedError({ mayHaveRun: isSent }));
      const timer = setTimeout(() => breakOff(timeoutError(url, timeoutMs, isSent)), timeoutMs);
      const listening = [signal, this.#closing.signal].map((each) => addAbortListener(each, stop));

      dispatcher.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          headers: { 'accept-encoding': 'gzip, br', ...headers, 'user-agent': USER_AGENT },
          body:
            typeof body === 'object' ? Readable.from(refreshDeadline(body, timer)) : (body ?? null),
        },
        {
          onRequestStart(controller) {
            connection = controller;
            if (brokenOff) controller.abort(brokenOff);
            else isSent = true;
          },
          onResponseStart(controller, status, received) {
            answer.status = status;
            answer.headers = received;
            if (!headOnly) return;
            end();
            resolve(answer);
            controller.abort(closedError());
          },
          onResponseData(_controller, chunk) {
            chunks.push(chunk);
          },
          onResponseEnd() {
            end();
            answer.bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
            chunks.length = 0;
            resolve(answer);
          },
          onResponseError: (_controller, error) => {
            end();
            // The body may have its own reason, such as a file that cannot be read.
            if (error instanceof IonError) reject(error);
            else reject(networkError(error, url, isSent, this.#largestAnswer, peer));
          },
        },
      );
    });
  }

  async #decompress(url: URL, bytes: Buffer, encoding: string): Promise<Buffer> {
    if (encoding.toLowerCase() === 'identity' || bytes.length === 0) return bytes;
    const decompress = decompressors.get(encoding.toLowerCase());
    if (!decompress) {
      throw new IonError(
        'ION_RESPONSE',
        `${url.host} answered in an encoding that was not asked for ("${quote(encoding)}").`,
        { transient: true, mayHaveRun: true },
      );
    }
    try {
      return await decompress(bytes, { maxOutputLength: this.#largestAnswer });
    } catch (cause) {
      if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLargeError(url, this.#largestAnswer);
      throw new IonError('ION_RESPONSE', `The compressed answer of ${url.host} is broken.`, {
        cause,
        transient: true,
        mayHaveRun: true,
      });
    }
  }
}

/** Every piece that is sent puts the deadline off. */
async function* refreshDeadline(
  body: AsyncIterable<Uint8Array>,
  timer: NodeJS.Timeout,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    timer.refresh();
    yield chunk;
  }
}

/** Long texts are decoded in slices, because that can take longer than everybody else may wait. */
function decode(url: URL, bytes: Buffer): string | Promise<string> {
  if (bytes.length > MAX_DECODED_AT_ONCE) return decodeInSlices(url, bytes);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw notUtf8(url);
}

function decodeInSlices(url: URL, bytes: Buffer): Promise<string> {
  return inSlices(async (slices) => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const pieces: string[] = [];
    for (let at = 0; at < bytes.length; at += MAX_DECODED_AT_ONCE) {
      const piece = bytes.subarray(at, at + MAX_DECODED_AT_ONCE);
      const stream = at + piece.length < bytes.length;
      try {
        pieces.push(decoder.decode(piece, { stream }));
      } catch {
        throw notUtf8(url);
      }
      if (slices.isOver) await slices.pause();
    }
    return pieces.join('');
  });
}

function notUtf8({ host }: URL): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The answer of ${host} is not valid UTF-8 text. A proxy or firewall in between may have damaged it.`,
    { transient: true, mayHaveRun: true },
  );
}

type Decompress = (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>;
const decompressors = new Map([
  ['gzip', promisify(gunzip) as Decompress],
  ['x-gzip', promisify(gunzip) as Decompress],
  ['br', promisify(brotliDecompress) as Decompress],
]);

type ParsedTls = Pick<ConnectionOptions, 'secureContext'>;

/** Dispatchers by TLS options, each made with the first request that needs it. */
class Dispatchers {
  readonly #options: TransportOptions;
  readonly #closing: AbortSignal;
  readonly #proxies: Proxies | undefined;
  readonly #tls: Record<Peer, TlsOptions | undefined>;
  readonly #proxyTls: ParsedTls = {};
  readonly #direct = new Map<TlsOptions | undefined, Dispatcher>();
  readonly #proxied = new Map<TlsOptions | undefined, Dispatcher>();

  /** @throws IonError `ION_CONFIG` for a proxy or TLS options that cannot be used */
  constructor(options: TransportOptions, closing: AbortSignal) {
    const tls = options.tls && { ...options.tls, secureContext: createSecureContext(options.tls) };
    this.#options = options;
    this.#closing = closing;
    this.#proxies = proxiesFor(options.proxy);
    const { ca } = options.tls ?? {};
    // Who trusts a CA trusts it for the proxy as well, whichever host is behind it.
    if (this.#proxies && ca) this.#proxyTls = { secureContext: createSecureContext({ ca }) };
    this.#tls = { api: tls, auth: withoutServerName(tls), storage: undefined };
  }

  for(peer: Peer, { hostname }: URL): Dispatcher {
    // A proxy would be handed, in clear text, what is meant for this machine alone.
    const isDirect = !this.#proxies || isLoopback(hostname);
    return this.#dispatcher(this.#tls[peer], isDirect);
  }

  async destroy(): Promise<void> {
    const all = [...this.#direct.values(), ...this.#proxied.values()];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #dispatcher(tls: TlsOptions | undefined, isDirect: boolean): Dispatcher {
    const made = isDirect ? this.#direct : this.#proxied;
    let dispatcher = made.get(tls);
    if (!dispatcher) {
      const proxies = isDirect ? undefined : this.#proxies;
      const given = { ...this.#options, tls, proxyTls: this.#proxyTls };
      dispatcher = createDispatcher(given, proxies, this.#closing);
      made.set(tls, dispatcher);
    }
    return dispatcher;
  }
}

function withoutServerName(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls?.servername === undefined) return tls;
  const { servername, ...others } = tls;
  return others;
}

function createDispatcher(
  options: TransportOptions & { proxyTls: ParsedTls },
  proxies: Proxies | undefined,
  closing: AbortSignal,
): Dispatcher {
  // With the first client only: it takes longer to load than all else that the nodes need.
  const undici = require('undici') as typeof import('undici');
  const { Agent, EnvHttpProxyAgent, Pool } = undici;
  // Half of the timeout, so that an unreachable host is told from a slow answer.
  const timeoutMs = Math.min(MAX_CONNECT_MS, options.timeoutMs / 2);
  const tls = { ...options.tls, timeout: timeoutMs };
  const connect = connectorFor(undici, tls, timeoutMs, closing);
  const common = {
    connections: options.connections,
    maxResponseSize: options.largestAnswer ?? MAX_RESPONSE_BYTES,
    // One deadline for the whole exchange replaces undici's own timers.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  };
  if (!proxies) return new Agent({ ...common, connect });
  const proxyTls = { ...options.proxyTls, timeout: timeoutMs };
  const connectToProxy = toProxy(connectorFor(undici, proxyTls, timeoutMs, closing));
  return new EnvHttpProxyAgent({
    ...common,
    connect,
    requestTls: tls,
    // What is not tunnelled gets its connection from Node.js.
    proxyTls: { ...proxyTls, autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / 4) },
    clientFactory: (origin, given) => new Pool(origin, { ...given, connect: connectToProxy }),
    // For the proxy itself, which asks for nothing else when it is to make a tunnel.
    headers: { 'user-agent': USER_AGENT },
    // As proxies expect it: a tunnel for https, plain http handed over as it is.
    proxyTunnel: false,
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    ...(proxies.except !== undefined && { noProxy: proxies.except }),
  });
}

/** Connects as undici does, but to all addresses of a name; the time is for each of two steps. */
function connectorFor(
  { buildConnector }: typeof import('undici'),
  tls: TlsOptions & ParsedTls & { timeout: number },
  timeoutMs: number,
  signal: AbortSignal,
): buildConnector.connector {
  const shakeHands = buildConnector({ ...tls, allowH2: false });
  return (options, callback) => {
    const { hostname: host, protocol } = options;
    const isSecure = protocol === 'https:';
    const port = Number(options.port) || (isSecure ? 443 : 80);
    openSocket({ host, port, timeoutMs, signal }, (error, socket) => {
      if (error) callback(error, null);
      else if (isSecure) shakeHands({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    });
  };
}

/** Names the proxy in what the connection to it failed with. */
function toProxy(connector: buildConnector.connector): buildConnector.connector {
  return ({ servername = '', ...options }, callback) => {
    const { host, hostname } = options;
    // An address is no server name: undici gives it, with the brackets of IPv6.
    const name = isIP(hostname) === 0 ? servername : '';
    connector({ ...options, servername: name }, (...[error, socket]) => {
      if (error) callback(Object.assign(error, { proxy: host ?? hostname }), null);
      else callback(null, socket);
    });
  };
}
