// Name, certificate and clock of the API and of the auth server, without an access token.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { IonClient } from '../../client/client.js';
import { closedError, type IonError, toIonError } from '../../client/errors.js';
import type { ServerCertificate } from '../../client/http/server-certificates.js';
import { ServerCertificates } from '../../client/http/server-certificates.js';
import { type HttpResponse, headerOf } from '../../client/http/transport.js';
import { abandonable } from '../../client/support/abort-listeners.js';
import { isLoopback } from '../../client/support/is-loopback.js';
import { type CheckLine, failed, notChecked, ok, reasonValues, unknown } from './check-line.js';

type Peer = 'api' | 'auth';

interface Server {
  /** The API and the auth server may be one server. */
  peers: Peer[];
  url: URL;
}

export interface CheckedServers {
  lines: CheckLine[];
  /** The servers that responded. */
  reachable: ReadonlySet<Peer>;
}

/** A difference below this has no effect on tokens and times. */
const MAX_SKEW_MS = 30_000;
/** ION's date has no fractions of a second. */
const DATE_RESOLUTION_MS = 1000;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a hint. */
const MIN_VALID_DAYS = 21;
const MAX_ADDRESSES = 3;

export interface ServerSettings {
  /** Whether a proxy resolves the names. */
  hasProxy: boolean;
  /** Whether the TLS configuration lets certificates be verified. */
  isVerifying: boolean;
}

export async function checkServers(
  client: IonClient,
  { hasProxy, isVerifying }: ServerSettings,
  signal: AbortSignal,
): Promise<CheckedServers> {
  const certificates = new ServerCertificates();
  const reachable = new Set<Peer>();
  try {
    const checks = serversOf(client).map(async (server) => {
      const lines = await checkName(server, hasProxy, signal);
      if (lines.some(({ state }) => state === 'failed')) {
        return [...lines, ...notChecked(['tls', 'clock'], 'names')];
      }
      const requestedAt = Date.now();
      try {
        const headers = await client.headersOf(server.peers[0] ?? 'api', signal);
        for (const peer of server.peers) reachable.add(peer);
        const tls = tlsLine(server, certificates.of(server.url), isVerifying);
        return [...lines, tls, clockLine(server, headers, (requestedAt + Date.now()) / 2)];
      } catch (thrown) {
        const line = connectionFailed(server, toIonError(thrown));
        return [...lines, line, ...notChecked(['clock'], 'tls')];
      }
    });
    return { lines: (await Promise.all(checks)).flat(), reachable };
  } finally {
    certificates.close();
  }
}

function serversOf({ endpoint, tokenEndpoint }: IonClient): Server[] {
  const [api, auth] = [new URL(endpoint), new URL(tokenEndpoint)];
  if (api.origin === auth.origin) return [{ peers: ['api', 'auth'], url: api }];
  return [
    { peers: ['api'], url: api },
    { peers: ['auth'], url: auth },
  ];
}

async function checkName(
  { url: { hostname } }: Server,
  hasProxy: boolean,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const host = hostname;
  if (isIP(hostname.replace(/[[\]]/g, '')) !== 0) {
    return [ok('names', 'names.address', { values: { host } })];
  }
  try {
    const found = await abandonable(lookup(hostname, { all: true }), signal, closedError);
    const addresses = found.slice(0, MAX_ADDRESSES).map(({ address }) => address);
    return [ok('names', 'names.found', { values: { host, addresses: addresses.join(', ') } })];
  } catch (thrown) {
    if (signal.aborted) return [unknown('names', 'any.timeLimit')];
    if (hasProxy && !isLoopback(hostname)) {
      return [unknown('names', 'names.byProxy', { values: { host } })];
    }
    const code = String((thrown as NodeJS.ErrnoException).code);
    return [failed('names', 'names.notFound', { values: { host, code }, advice: 'names.check' })];
  }
}

function tlsLine(
  { url }: Server,
  certificate: ServerCertificate | undefined,
  isVerifying: boolean,
): CheckLine {
  const { host, hostname, protocol } = url;
  if (protocol !== 'https:') {
    return isLoopback(hostname)
      ? ok('tls', 'tls.local', { values: { host } })
      : ok('tls', 'tls.plain', { values: { host }, advice: 'tls.useHttps' });
  }
  if (!certificate) return unknown('tls', 'tls.noCertificate', { values: { host } });
  const { issuer, validUntil, isTrusted } = certificate;
  const values = { host, issuer, until: new Date(validUntil).toISOString().slice(0, 10) };
  // Without verification, another server may respond to the next request.
  if (!isTrusted || !isVerifying)
    return unknown('tls', 'tls.unverified', { values, advice: 'tls.verify' });
  const isEnding = validUntil - Date.now() < MIN_VALID_DAYS * DAY_MS;
  return ok('tls', 'tls.valid', { values, advice: isEnding ? 'tls.renew' : undefined });
}

function connectionFailed({ url: { host } }: Server, error: IonError): CheckLine {
  if (error.code === 'ION_CLOSED') return unknown('tls', 'any.timeLimit');
  const advice = error.reason?.key === 'certificate' ? 'tls.certificate' : 'tls.network';
  return failed('tls', 'tls.failed', { values: { host, ...reasonValues(error) }, advice });
}

/** @param nowMs this machine's time when the server responded, in ms since 1970 */
function clockLine(
  { url: { host } }: Server,
  headers: HttpResponse['headers'],
  nowMs: number,
): CheckLine {
  const date = Date.parse(headerOf(headers, 'date') ?? '');
  if (Number.isNaN(date)) return unknown('clock', 'clock.noDate', { values: { host } });
  const aheadMs = nowMs - (date + DATE_RESOLUTION_MS / 2);
  const values = { host, seconds: Math.round(Math.abs(aheadMs) / 1000) };
  if (Math.abs(aheadMs) <= MAX_SKEW_MS) return ok('clock', 'clock.right', { values });
  const finding = aheadMs > 0 ? 'clock.ahead' : 'clock.behind';
  return failed('clock', finding, { values, advice: 'clock.set' });
}
