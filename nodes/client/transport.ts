import { isUtf8 } from 'node:buffer';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { closedError, IonError } from './errors.js';

/** Largest answer that is read, in bytes, compressed or not. */
export const LARGEST_ANSWER = 64 * 1024 * 1024;

const LONGEST_CONNECT_MS = 10_000;

export type TlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, 'ALPNProtocols' | 'rejectUnauthorized' | 'servername'>;

export interface TransportOptions {
  /** For one exchange: connection, headers and body, in ms. */
  timeoutMs: number;
  /** Connections to each host at once. */
  connections: number;
  tls?: TlsOptions | undefined;
  /** Without it, the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count. */
  proxy?: HttpProxy | undefined;
  largestAnswer?: number | undefined;
}

export interface HttpProxy {
  /** With user and password in it, percent-encoded, where the proxy asks for them. */
  url: string;
  /** Hosts that are reached directly. */
  except: string[];
}

export interface HttpRequest {
  url: URL;
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The decompressed body. */
  text: string;
}

/** One HTTP exchange at a time: POST a body, read the whole answer. Redirects are not followed. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #largestAnswer: number;
  readonly #dispatcher: Dispatcher;
  readonly #underWay = new Set<AbortController>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#largestAnswer = options.largestAnswer ?? LARGEST_ANSWER;
    this.#dispatcher = createDispatcher(options, this.#largestAnswer);
  }

  /**
   * @throws IonError `ION_NETWORK`, `ION_TIMEOUT`, `ION_RESPONSE` (too large, unreadable) or
   * `ION_CLOSED`; an HTTP error status is an answer, not an error.
   */
  async post({ url, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    if (this.#closed || signal.aborted) throw closedError();
    const { timeoutMs } = this.#options;
    const controller = new AbortController();
    const stop = () => controller.abort(closedError({ mayHaveRun: true }));
    const timer = setTimeout(() => controller.abort(timeoutError(url, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    this.#underWay.add(controller);
    try {
      const answer = await this.#dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: { 'accept-encoding': 'gzip, br', ...headers },
        body,
        signal: controller.signal,
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      const text = await this.#readText(url, bytes, answer.headers['content-encoding']);
      return { status: answer.statusCode, headers: answer.headers, text };
    } catch (thrown) {
      // What was aborted here reports why, however undici wraps it.
      const reason = controller.signal.aborted ? controller.signal.reason : thrown;
      if (codeOf(reason) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
        throw tooLargeError(url, this.#largestAnswer);
      }
      throw networkError(reason, url);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      this.#underWay.delete(controller);
    }
  }

  /** Breaks off what is under way (`ION_CLOSED`) and closes all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#underWay) controller.abort(closedError({ mayHaveRun: true }));
    await this.#dispatcher.destroy();
  }

  async #readText(
    url: URL,
    bytes: Buffer,
    encoding: string | string[] | undefined,
  ): Promise<string> {
    const plain = await this.#decompress(url, bytes, String(encoding ?? 'identity').toLowerCase());
    if (!isUtf8(plain)) {
      throw new IonError('ION_RESPONSE', `The answer of ${url.host} is not valid UTF-8 text.`, {
        mayHaveRun: true,
      });
    }
    return plain.toString('utf8');
  }

  async #decompress(url: URL, bytes: Buffer, encoding: string): Promise<Buffer> {
    const decompress = decompressors[encoding];
    if (bytes.length === 0 || encoding === 'identity') return bytes;
    if (!decompress) {
      throw new IonError(
        'ION_RESPONSE',
        `${url.host} answered in an encoding that was not asked for ("${encoding.slice(0, 40)}").`,
        { mayHaveRun: true },
      );
    }
    try {
      return await decompress(bytes, { maxOutputLength: this.#largestAnswer });
    } catch (cause) {
      if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLargeError(url, this.#largestAnswer);
      throw new IonError('ION_RESPONSE', `The compressed answer of ${url.host} is broken.`, {
        cause,
        mayHaveRun: true,
      });
    }
  }
}

type Decompress = (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>;
const decompressors: Record<string, Decompress | undefined> = {
  gzip: promisify(gunzip) as Decompress,
  'x-gzip': promisify(gunzip) as Decompress,
  br: promisify(brotliDecompress) as Decompress,
};

function createDispatcher(options: TransportOptions, largestAnswer: number): Dispatcher {
  // Half of the timeout, so that an unreachable host is told from a slow answer.
  const connectTimeout = Math.min(LONGEST_CONNECT_MS, options.timeoutMs / 2);
  const tls = { ...options.tls, timeout: connectTimeout };
  const common = {
    connections: options.connections,
    maxResponseSize: largestAnswer,
    // One deadline for the whole exchange replaces undici's own timers.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  };
  const { proxy } = options;
  if (!proxy && !hasProxyVariables()) return new Agent({ ...common, connect: tls });
  try {
    return new EnvHttpProxyAgent({
      ...common,
      connect: tls,
      requestTls: tls,
      // As proxies expect it: a tunnel for https, plain http handed over as it is.
      proxyTunnel: false,
      ...(proxy && {
        httpProxy: proxy.url,
        httpsProxy: proxy.url,
        noProxy: proxy.except.join(','),
      }),
    });
  } catch {
    // Without the cause, which may repeat the password in the URL.
    throw new IonError(
      'ION_CONFIG',
      'The URL of the proxy cannot be used. It should look like http://proxy.example.com:3128; see the proxy in the ION config node, or the environment variables HTTP_PROXY and HTTPS_PROXY.',
    );
  }
}

function hasProxyVariables(): boolean {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY } = process.env;
  return Boolean(http_proxy || HTTP_PROXY || https_proxy || HTTPS_PROXY);
}

function timeoutError(url: URL, timeoutMs: number): IonError {
  return new IonError(
    'ION_TIMEOUT',
    `${url.host} gave no complete answer within ${timeoutMs / 1000} s. Ask for less at once, or raise the timeout in the ION config node.`,
    { transient: true, mayHaveRun: true },
  );
}

function tooLargeError(url: URL, limit: number): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The answer of ${url.host} is larger than ${Math.round(limit / 1024 / 1024)} MiB. Select fewer fields or read it page by page.`,
    { mayHaveRun: true },
  );
}

function codeOf(thrown: unknown): string {
  const { code } = (thrown ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** Codes of OpenSSL and Node for a certificate that is not accepted. */
const CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/;

/** How undici reports a proxy that refuses a tunnel, or a request that it should forward. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d+)\)/;

function networkError(thrown: unknown, url: URL): IonError {
  if (thrown instanceof IonError) return thrown;
  const code = codeOf(thrown);
  const host = url.host;
  const refusal = PROXY_REFUSAL.exec(textOf(thrown))?.[1];
  if (refusal !== undefined) {
    return new IonError(
      'ION_NETWORK',
      `The proxy does not connect to ${host} (HTTP ${refusal}). Check its user and password, and which hosts it lets through.`,
      { cause: thrown, transient: Number(refusal) >= 500 },
    );
  }
  switch (code) {
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return closedError({ mayHaveRun: true });
    case 'UND_ERR_INVALID_ARG':
      return new IonError(
        'ION_CONFIG',
        `The request to ${host} could not be made: ${textOf(thrown)}.`,
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new IonError(
        'ION_TIMEOUT',
        `${host} cannot be reached: no connection in time. Check the network, the firewall and the proxy.`,
        { cause: thrown, transient: true },
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new IonError(
        'ION_NETWORK',
        `The name ${url.hostname} cannot be found (DNS). Check the URL in the ION config node and this machine's network.`,
        { cause: thrown, transient: true },
      );
    case 'ECONNREFUSED':
      return new IonError(
        'ION_NETWORK',
        `${host} refuses the connection. Check that the URL is right and the server is up.`,
        { cause: thrown, transient: true },
      );
  }
  if (CERTIFICATE.test(code)) {
    return new IonError(
      'ION_NETWORK',
      `The certificate of ${host} is not trusted (${code}). Choose a TLS configuration with the right CA certificate in the ION config node.`,
      { cause: thrown },
    );
  }
  return new IonError(
    'ION_NETWORK',
    `The connection to ${host} broke before the answer was complete (${code || textOf(thrown)}).`,
    { cause: thrown, transient: true, mayHaveRun: wasWritten(thrown) },
  );
}

/** False only where it is certain that nothing of the request left this machine. */
function wasWritten(thrown: unknown): boolean {
  const { syscall, socket } = thrown as {
    syscall?: unknown;
    socket?: { bytesWritten?: unknown };
  };
  if (syscall === 'connect' || syscall === 'getaddrinfo') return false;
  return socket?.bytesWritten !== 0;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
