import { closedError, IonError, quote } from '../errors.js';

/** The servers that requests go to. */
export type Peer = 'api' | 'auth' | 'storage';

/** Codes of OpenSSL and Node for a certificate that is not accepted: because of the time, … */
const OUT_OF_TIME = /^CERT_(?:NOT_YET_VALID|HAS_EXPIRED)$/;
/** … because it is for another host, … */
const OTHER_HOST = /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/;
/** … because nobody who is trusted has signed it, … */
const NOT_TRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER|VERIFY)\w*|CERT_(?:SIGNATURE_FAILURE|UNTRUSTED|REJECTED))$/;
/** … or because of what it is. */
const UNUSABLE =
  /^(?:CERT_|CRL_|ERR_TLS_CERT|ERROR_IN_C|UNABLE_TO_(?:GET|DE)|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|UNSPECIFIED$)/;

/** How a server says that it needs another certificate of this machine. */
const OWN_CERTIFICATE =
  /^ERR_SSL_[A-Z\d]+_ALERT_(?:(?:BAD|NO|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;

/** Codes for a server that does not speak TLS, or not in a way that both sides accept. */
const NO_TLS = /^(ERR_SSL_|EPROTO$)/;

/** How undici reports a proxy that refuses a tunnel, or a request that it should forward. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d+)\)/;

/**
 * What a failed exchange means to a user.
 * @param peer who was asked: the TLS configuration is not for the host that keeps files
 * @param isSent whether the request was handed to a connection, and may have reached the server
 */
export function networkError(
  thrown: unknown,
  url: URL,
  isSent: boolean,
  largestAnswer: number,
  peer: Peer = 'api',
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
  const ofProxy = proxyTrouble(thrown);
  if (ofProxy !== undefined) return new IonError('ION_NETWORK', ofProxy, { cause: thrown });
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || (code === 'ETIMEDOUT' && !isSent)) {
    return new IonError(
      'ION_TIMEOUT',
      `${host} cannot be reached: no connection in time. Check the network, the firewall and the proxy.`,
      { cause: thrown, transient: true },
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
    case 'ENOTFOUND':
    case 'EAI_AGAIN': {
      const name = nameIn(thrown) ?? hostname;
      const what = name === hostname ? 'URL in the ION config node' : 'URL of the proxy';
      return new IonError(
        'ION_NETWORK',
        `The name ${name} cannot be found (DNS). Check the ${what} and this machine's network.`,
        { cause: thrown, transient: true },
      );
    }
    case 'ECONNREFUSED':
      return new IonError(
        'ION_NETWORK',
        `The connection to ${host} is refused (${text || code}). Check that the URL is right and the server, or the proxy before it, is up.`,
        { cause: thrown, transient: true },
      );
  }
  if (OWN_CERTIFICATE.test(code)) {
    return new IonError(
      'ION_NETWORK',
      `${host} does not accept the certificate of this machine, or asks for one (${code}). Check certificate and private key in the TLS configuration in the ION config node.`,
      { cause: thrown },
    );
  }
  const refused = certificateTrouble(code, text, host, peer);
  if (refused !== undefined) return new IonError('ION_NETWORK', refused, { cause: thrown });
  if (!isSent && NO_TLS.test(code)) {
    const trouble = code.endsWith('_ALERT_HANDSHAKE_FAILURE')
      ? `${host} does not agree to an encrypted connection (${code}). It may ask for a certificate of this machine, which belongs in the TLS configuration in the ION config node, or for another version of TLS.`
      : `${host} does not answer as an https server does (${code}). Check scheme and port of the URL in the ION config node.`;
    return new IonError('ION_NETWORK', trouble, { cause: thrown });
  }
  const when = isSent ? 'broke before the answer was complete' : 'could not be made';
  return new IonError('ION_NETWORK', `The connection to ${host} ${when} (${code || text}).`, {
    cause: thrown,
    transient: true,
    mayHaveRun: isSent,
  });
}

/** What is wrong with the TLS of an https proxy; `undefined` for another failure. */
function proxyTrouble(thrown: unknown): string | undefined {
  // undici wraps a certificate that is for another host.
  const failure =
    codeOf(thrown) === 'UND_ERR_PRX_TLS' ? (thrown as { cause?: unknown }).cause : thrown;
  const { proxy } = (failure ?? {}) as { proxy?: string };
  if (proxy === undefined) return undefined;
  const code = codeOf(failure);
  if (NO_TLS.test(code)) {
    return `The proxy ${proxy} does not answer as an https server does (${code}). Check scheme and port of its URL: for most proxies it begins with http://.`;
  }
  return certificateTrouble(code, textOf(failure), `the proxy ${proxy}`, 'proxy');
}

/** What is wrong with the certificate of a host, and what to do; `undefined` for another failure. */
function certificateTrouble(
  code: string,
  text: string,
  host: string,
  peer: Peer | 'proxy',
): string | undefined {
  if (OUT_OF_TIME.test(code)) {
    const state = code.endsWith('EXPIRED') ? 'has expired' : 'is not valid yet';
    const now = new Date().toISOString().slice(0, 19);
    return `The certificate of ${host}, or of its CA, ${state} (${code}) by the clock of this machine, which says ${now}Z. Set the clock if it is wrong; if it is right, ${host} needs a new certificate.`;
  }
  if (OTHER_HOST.test(code)) {
    return `The certificate of ${host} is for another host (${code}: ${quote(text)}). ${adviceOnHost[peer]}`;
  }
  if (NOT_TRUSTED.test(code)) {
    const advice =
      peer === 'storage'
        ? 'It keeps the files of ION, and the TLS configuration is not for it: set NODE_EXTRA_CA_CERTS to the CA certificate.'
        : 'Choose a TLS configuration with the right CA certificate in the ION config node.';
    const missing = code.startsWith('UNABLE_TO_')
      ? ' The server may also have left out an intermediate certificate.'
      : '';
    return `The certificate of ${host} is not trusted (${code}). ${advice}${missing}`;
  }
  if (UNUSABLE.test(code)) {
    return `The certificate of ${host} cannot be used (${code}: ${quote(text)}). Another one is needed for ${host}, or for the firewall that answers in its place.`;
  }
  return undefined;
}

const adviceOnHost: Record<Peer | 'proxy', string> = {
  api: 'Check the URL in the ION config node, and the server name in its TLS configuration.',
  auth: 'Check the URL in the ION config node, and whether a proxy or firewall answers in its place.',
  proxy: 'Check the URL of the proxy.',
  storage: 'ION names this host: a proxy or firewall may answer in its place.',
};

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
