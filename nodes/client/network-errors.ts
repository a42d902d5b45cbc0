import { closedError, IonError } from './errors.js';

/** Codes of OpenSSL and Node for a certificate that is not accepted. */
const CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/;

/** Codes for a server that does not speak TLS, or not in a way that both sides accept. */
const NO_TLS = /^(ERR_SSL_|EPROTO$)/;

/** How undici reports a proxy that refuses a tunnel, or a request that it should forward. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d+)\)/;

/**
 * What a failed exchange means to a user.
 * @param isStorage the host that keeps files, which no TLS configuration is for
 * @param isSent whether the request was handed to a connection, and may have reached the server
 */
export function networkError(
  thrown: unknown,
  url: URL,
  isSent: boolean,
  largestAnswer: number,
  isStorage = false,
): IonError {
  const code = codeOf(thrown);
  const text = textOf(thrown);
  const { host, hostname } = url;
  const refusal = PROXY_REFUSAL.exec(text)?.[1];
  if (refusal !== undefined) {
    return new IonError(
      'ION_NETWORK',
      `The proxy does not connect to ${host} (HTTP ${refusal}). Check its user and password, and which hosts it lets through.`,
      { cause: thrown, transient: Number(refusal) >= 500 },
    );
  }
  switch (code) {
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return tooLargeError(url, largestAnswer);
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return closedError({ mayHaveRun: isSent });
    case 'UND_ERR_INVALID_ARG':
      return new IonError('ION_CONFIG', `The request to ${host} could not be made: ${text}.`);
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
        `The name ${nameIn(thrown) ?? hostname} cannot be found (DNS). Check the URL in the ION config node and this machine's network.`,
        { cause: thrown, transient: true },
      );
    case 'ECONNREFUSED':
      return new IonError(
        'ION_NETWORK',
        `The connection to ${host} is refused (${text || code}). Check that the URL is right and the server, or the proxy before it, is up.`,
        { cause: thrown, transient: true },
      );
  }
  if (CERTIFICATE.test(code)) {
    const advice = isStorage
      ? 'It keeps the files of ION, and the TLS configuration is not for it: set NODE_EXTRA_CA_CERTS to the CA certificate.'
      : 'Choose a TLS configuration with the right CA certificate in the ION config node.';
    return new IonError(
      'ION_NETWORK',
      `The certificate of ${host} is not trusted (${code}). ${advice}`,
      { cause: thrown },
    );
  }
  if (!isSent && NO_TLS.test(code)) {
    return new IonError(
      'ION_NETWORK',
      `${host} does not answer as an https server does (${code}). Check scheme and port of the URL in the ION config node.`,
      { cause: thrown },
    );
  }
  const when = isSent ? 'broke before the answer was complete' : 'could not be made';
  return new IonError('ION_NETWORK', `The connection to ${host} ${when} (${code || text}).`, {
    cause: thrown,
    transient: true,
    mayHaveRun: isSent,
  });
}

/** @param isSent see `networkError` */
export function timeoutError(url: URL, timeoutMs: number, isSent: boolean): IonError {
  return new IonError(
    'ION_TIMEOUT',
    `${url.host} gave no complete answer within ${timeoutMs / 1000} s. Ask for less at once, or raise the timeout in the ION config node.`,
    { transient: true, mayHaveRun: isSent },
  );
}

export function tooLargeError(url: URL, limit: number): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The answer of ${url.host} is larger than ${Math.round(limit / 1024 / 1024)} MiB. Select fewer fields or read it page by page.`,
    { mayHaveRun: true },
  );
}

/** The stable code of an error of Node or undici; of several attempts, the first one's. */
export function codeOf(thrown: unknown): string {
  const { code, errors } = (thrown ?? {}) as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
}

/** The name that DNS did not know, which may be the proxy's. */
function nameIn(thrown: unknown): string | undefined {
  const { hostname } = thrown as { hostname?: unknown };
  return typeof hostname === 'string' ? hostname : undefined;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
