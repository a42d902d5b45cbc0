import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import { isLoopback } from '../support/is-loopback.js';
import { VERSION } from '../version.js';
import type { Peer } from './certificate-problem.js';
import { openSocket } from './open-socket.js';
import { type HttpProxy, type Proxies, proxiesFor } from './proxies.js';
import { createSecureContext } from './secure-context.js';

/** Many gateways refuse requests without a user agent. */
export const USER_AGENT = `node-red-ion/${VERSION}`;

const MAX_CONNECT_MS = 10_000;

export type TlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, 'ALPNProtocols' | 'rejectUnauthorized' | 'servername'>;

export interface DispatcherOptions {
  /** Limit for one exchange, in ms. */
  timeoutMs: number;
  /** Maximum number of connections to each host. */
  connections: number;
  /**
   * For the API and the auth server; the server name is used for the API only. The CA is trusted in
   * addition to those that Node.js trusts.
   */
  tls?: TlsOptions | undefined;
  /** @default the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` */
  proxy?: HttpProxy | undefined;
  /** Limit for a response as it is transferred, in bytes. */
  maxResponseBytes: number;
}

type ParsedTls = Pick<ConnectionOptions, 'secureContext'>;

/** undici's dispatchers (connection pools), one for each combination of TLS options and proxy. */
export class Dispatchers {
  readonly #options: DispatcherOptions;
  readonly #closing: AbortSignal;
  readonly #proxies: Proxies | undefined;
  readonly #tls: Record<Peer, TlsOptions | undefined>;
  readonly #proxyTls: ParsedTls = {};
  readonly #direct = new Map<TlsOptions | undefined, Dispatcher>();
  readonly #proxied = new Map<TlsOptions | undefined, Dispatcher>();

  /**
   * @param closing aborts connections that are being opened
   * @throws IonError `ION_CONFIG` for a proxy or TLS options that cannot be used
   */
  constructor(options: DispatcherOptions, closing: AbortSignal) {
    const tls = options.tls && { ...options.tls, secureContext: createSecureContext(options.tls) };
    this.#options = options;
    this.#closing = closing;
    this.#proxies = proxiesFor(options.proxy);
    const { ca } = options.tls ?? {};
    // A proxy that inspects TLS has its certificate from the same CA.
    if (this.#proxies && ca) this.#proxyTls = { secureContext: createSecureContext({ ca }) };
    this.#tls = { api: tls, auth: withoutServerName(tls), storage: undefined };
  }

  for(peer: Peer, { hostname }: URL): Dispatcher {
    // A proxy would receive requests to this machine in clear text.
    const isDirect = !this.#proxies || isLoopback(hostname);
    const tls = this.#tls[peer];
    const cache = isDirect ? this.#direct : this.#proxied;
    let dispatcher = cache.get(tls);
    if (!dispatcher) {
      const proxies = isDirect ? undefined : this.#proxies;
      const options = { ...this.#options, tls, proxyTls: this.#proxyTls };
      dispatcher = createDispatcher(options, proxies, this.#closing);
      cache.set(tls, dispatcher);
    }
    return dispatcher;
  }

  async destroy(): Promise<void> {
    const all = [...this.#direct.values(), ...this.#proxied.values()];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }
}

function withoutServerName(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls?.servername === undefined) return tls;
  const { servername, ...others } = tls;
  return others;
}

function createDispatcher(
  options: DispatcherOptions & { proxyTls: ParsedTls },
  proxies: Proxies | undefined,
  closing: AbortSignal,
): Dispatcher {
  // Loaded with the first request, because it takes longer than everything else in the package.
  const undici = require('undici') as typeof import('undici');
  const { Agent, EnvHttpProxyAgent, Pool } = undici;
  // Half of the timeout, so that an unreachable host and a slow response give different errors.
  const timeoutMs = Math.min(MAX_CONNECT_MS, options.timeoutMs / 2);
  const tls = { ...options.tls, timeout: timeoutMs };
  const connect = connectorFor(undici, tls, timeoutMs, closing);
  const common = {
    connections: options.connections,
    maxResponseSize: options.maxResponseBytes,
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
    // Requests without a tunnel get their connection from Node.js.
    proxyTls: { ...proxyTls, autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / 4) },
    clientFactory: (origin, given) => new Pool(origin, { ...given, connect: connectToProxy }),
    // Sent to the proxy with the request for a tunnel.
    headers: { 'user-agent': USER_AGENT },
    // The usual behavior: a tunnel for https only.
    proxyTunnel: false,
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    ...(proxies.except !== undefined && { noProxy: proxies.except }),
  });
}

/**
 * Like undici's connector, but tries all addresses of a host. The timeout is for each of two steps.
 */
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

/** Adds the name of the proxy to connection errors. */
function toProxy(connector: buildConnector.connector): buildConnector.connector {
  return ({ servername = '', ...options }, callback) => {
    const { host, hostname } = options;
    // undici passes an IP address as the server name, which TLS does not allow.
    const name = isIP(hostname) === 0 ? servername : '';
    connector({ ...options, servername: name }, (...[error, socket]) => {
      if (error) callback(Object.assign(error, { proxy: host ?? hostname }), null);
      else callback(null, socket);
    });
  };
}
