import { closedError, IonError, type IonErrorCode, type Reason } from '../errors.js';
import { certificateProblem, type Peer } from './certificate-problem.js';

/** Codes of a server that requires another client certificate. */
const CLIENT_CERTIFICATE =
  /^ERR_SSL_[A-Z\d]+_ALERT_(?:(?:BAD|NO|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;

/** Codes of a server that does not speak TLS, or no version of it that both sides accept. */
const NO_TLS = /^(ERR_SSL_|EPROTO$)/;

/** undici's message if a proxy refuses a tunnel, or a request that it should forward. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d+)\)/;

/** A failed exchange. */
interface Failure {
  thrown: unknown;
  code: string;
  text: string;
  url: URL;
  peer: Peer;
  /** Whether a connection had taken the request, so that the server may have received it. */
  isSent: boolean;
  maxResponseBytes: number;
}

/**
 * The error of a failed exchange, with the next step for a user.
 * @param isSent whether a connection had taken the request, so that the server may have received it
 * @param maxResponseBytes the limit for a response
 * @param peer the server; the TLS configuration does not apply to the storage host
 */
export function networkError(
  thrown: unknown,
  url: URL,
  isSent: boolean,
  maxResponseBytes: number,
  peer: Peer = 'api',
): IonError {
  const text = messageOf(thrown);
  const failure = { thrown, code: codeOf(thrown), text, url, peer, isSent, maxResponseBytes };
  return (
    proxyError(failure) ?? errorByCode(failure) ?? tlsError(failure) ?? connectionError(failure)
  );
}

/** The proxy refused the request, or its own TLS failed. */
function proxyError({ thrown, text, url }: Failure): IonError | undefined {
  const status = PROXY_REFUSAL.exec(text)?.[1];
  if (status !== undefined) {
    return new IonError(
      'ION_NETWORK',
      `The proxy refused to connect to ${url.host} (HTTP ${status}). Check its user and password, and which hosts it allows.`,
      { cause: thrown, transient: Number(status) >= 500 },
    );
  }
  const problem = proxyTlsProblem(thrown);
  return problem === undefined
    ? undefined
    : new IonError('ION_NETWORK', problem, { cause: thrown });
}

function errorByCode(failure: Failure): IonError | undefined {
  const { thrown, code, text, url, isSent } = failure;
  const { host, hostname } = url;
  const passing = (ionCode: IonErrorCode, message: string, reason: Reason) =>
    new IonError(ionCode, message, { cause: thrown, transient: true, reason });
  switch (code) {
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return tooLargeError(host, failure.maxResponseBytes);
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return closedError({ mayHaveRun: isSent });
    case 'UND_ERR_INVALID_ARG':
      return new IonError('ION_CONFIG', `The request to ${host} could not be made: ${text}.`);
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      // The connection was open when it timed out.
      if (isSent && code === 'ETIMEDOUT') return undefined;
      return passing(
        'ION_TIMEOUT',
        `${host} cannot be reached: no connection in time. Check the network, the firewall and the proxy.`,
        { key: 'unreachable', name: host },
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN': {
      const name = unknownName(thrown) ?? hostname;
      const setting = name === hostname ? 'URL in the ION config node' : 'URL of the proxy';
      return passing(
        'ION_NETWORK',
        `The name ${name} cannot be found (DNS). Check the ${setting} and this machine's network.`,
        { key: 'unknownHost', name },
      );
    }
    case 'ECONNREFUSED':
      return passing(
        'ION_NETWORK',
        `The connection to ${host} was refused (${text || code}). Check that the URL is right, and that the server, or the proxy before it, is running.`,
        { key: 'connectionRefused', name: host },
      );
    default:
      return undefined;
  }
}

function tlsError({ thrown, code, text, url, peer, isSent }: Failure): IonError | undefined {
  const { host } = url;
  const permanent = (message: string, reason?: Reason) =>
    new IonError('ION_NETWORK', message, { cause: thrown, reason });
  if (CLIENT_CERTIFICATE.test(code)) {
    return permanent(
      `${host} rejected the client certificate, or requires one (${code}). Check certificate and private key in the TLS configuration of the ION config node.`,
    );
  }
  const problem = certificateProblem(code, text, host, peer);
  if (problem !== undefined) return permanent(problem, { key: 'certificate' });
  if (isSent || !NO_TLS.test(code)) return undefined;
  return permanent(
    code.endsWith('_ALERT_HANDSHAKE_FAILURE')
      ? `${host} refused the TLS connection (${code}). It may require a client certificate, which belongs in the TLS configuration of the ION config node, or another version of TLS.`
      : `${host} does not respond like an https server (${code}). Check scheme and port of the URL in the ION config node.`,
  );
}

function connectionError({ thrown, code, text, url, isSent }: Failure): IonError {
  const problem = isSent ? 'broke before the response was complete' : 'could not be established';
  const message = `The connection to ${url.host} ${problem} (${code || text}).`;
  return new IonError('ION_NETWORK', message, {
    cause: thrown,
    transient: true,
    mayHaveRun: isSent,
  });
}

/** A message about the TLS of an https proxy; `undefined` for another failure. */
function proxyTlsProblem(thrown: unknown): string | undefined {
  // undici wraps the error of a certificate for another host.
  const failure =
    codeOf(thrown) === 'UND_ERR_PRX_TLS' ? (thrown as { cause?: unknown }).cause : thrown;
  const { proxy } = (failure ?? {}) as { proxy?: string };
  if (proxy === undefined) return undefined;
  const code = codeOf(failure);
  if (NO_TLS.test(code)) {
    return `The proxy ${proxy} does not respond like an https server (${code}). Check scheme and port of its URL: for most proxies it begins with http://.`;
  }
  return certificateProblem(code, messageOf(failure), `the proxy ${proxy}`, 'proxy');
}

/** @param isSent see `networkError` */
export function timeoutError({ host }: URL, timeoutMs: number, isSent: boolean): IonError {
  return new IonError(
    'ION_TIMEOUT',
    `${host} sent no complete response within ${timeoutMs / 1000} s. Request less data at a time, or raise the timeout in the ION config node.`,
    { transient: true, mayHaveRun: isSent },
  );
}

export function tooLargeError(host: string, maxBytes: number): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The response of ${host} is larger than ${Math.round(maxBytes / 1024 / 1024)} MiB. Select fewer fields or read it page by page.`,
    { reason: { key: 'tooLarge' }, mayHaveRun: true },
  );
}

/** The stable code of an error of Node.js or undici, or of the first of several attempts. */
export function codeOf(thrown: unknown): string {
  const { code, errors } = (thrown ?? {}) as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
}

/** The name that DNS does not know, which may be that of the proxy. */
function unknownName(thrown: unknown): string | undefined {
  const { hostname } = thrown as { hostname?: unknown };
  return typeof hostname === 'string' ? hostname : undefined;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
