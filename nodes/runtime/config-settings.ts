import type { Node, NodeAPI } from 'node-red';
import type { IonClientSettings } from '../client/client.js';
import { describe } from '../client/describe.js';
import type { EnvironmentName } from '../client/environments.js';
import { IonError, quote } from '../client/errors.js';
import { isTimeZone, TimeZone } from '../client/time-zone.js';
import type { HttpProxy, TlsOptions } from '../client/transport.js';
import type { OutboxLimits } from '../outbox/store.js';

/** The properties of an `ion-config` node, as the editor stores them. */
export interface ConfigValues {
  environment: EnvironmentName;
  apiUrl?: string;
  authUrl?: string;
  audience?: string;
  authScheme?: 'raw' | 'bearer';
  /** In seconds. */
  timeout?: number | string;
  concurrency?: number | string;
  queueLimit?: number | string;
  retries?: number | string;
  /** IANA name; of dates without a zone. */
  timeZone?: string;
  /** Entries that the outbox holds at most. */
  outboxLimit?: number | string;
  /** In MiB. */
  outboxSize?: number | string;
  /** Ids of a `tls-config` and an `http proxy` node. */
  tls?: string;
  proxy?: string;
  allowHttp?: boolean;
}

const OUTBOX_ENTRIES = 1_000_000;
const OUTBOX_MEBIBYTES = 1024;

/** How much the outbox of a config node may hold. */
export function outboxLimits({ outboxLimit, outboxSize }: ConfigValues): OutboxLimits {
  const entries = Number(outboxLimit) || OUTBOX_ENTRIES;
  return { entries, bytes: (Number(outboxSize) || OUTBOX_MEBIBYTES) * 1024 * 1024 };
}

interface TlsConfigNode extends Node {
  addTLSOptions(options: TlsOptions): TlsOptions;
}

interface ProxyNode extends Node {
  url: string;
  noproxy?: string[];
  credentials: { username?: string; password?: string };
}

/**
 * What the client needs, from the properties of a config node.
 * @throws IonError `ION_CONFIG` for a value that cannot work
 */
export function clientSettings(
  RED: NodeAPI,
  values: ConfigValues,
  key: { clientId?: string; clientSecret?: string },
): IonClientSettings {
  return {
    environment: values.environment,
    apiUrl: values.apiUrl,
    authUrl: values.authUrl,
    audience: values.audience,
    allowHttp: values.allowHttp ?? false,
    authScheme: values.authScheme ?? 'raw',
    key: { clientId: key.clientId ?? '', clientSecret: key.clientSecret ?? '' },
    timeoutMs: atLeast('timeout', values.timeout, 30, 0.1) * 1000,
    concurrency: atLeast('concurrency', values.concurrency, 10, 1),
    queueLimit: atLeast('queue limit', values.queueLimit, 1000, 0),
    retries: atLeast('number of retries', values.retries, 3, 0),
    tls: tlsOptions(RED, values.tls),
    proxy: proxy(RED, values.proxy),
  };
}

/**
 * The time zone of dates without one; `undefined` where they are refused.
 * @throws IonError `ION_CONFIG` for a name that is not known
 */
export function timeZoneOf({ timeZone }: ConfigValues): TimeZone | undefined {
  const name = typeof timeZone === 'string' ? timeZone.trim() : timeZone;
  if (name === undefined || name === null || name === '') return undefined;
  if (typeof name === 'string' && isTimeZone(name)) return new TimeZone(name);
  throw new IonError(
    'ION_CONFIG',
    `The time zone in the ION config node is ${describe(name)}, which this Node.js does not know. Enter a name such as Europe/Berlin, or leave it empty.`,
  );
}

function atLeast(
  what: string,
  value: number | string | undefined,
  otherwise: number,
  least: number,
): number {
  if (value === undefined || value === '') return otherwise;
  // An object would say itself which number it is.
  const result = typeof value === 'object' ? Number.NaN : Number(value);
  if (Number.isFinite(result) && result >= least) return result;
  const given = typeof value === 'string' ? `"${quote(value)}"` : describe(value);
  throw new IonError(
    'ION_CONFIG',
    `The ${what} in the ION config node is ${given}. It must be a number of at least ${least}.`,
  );
}

function tlsOptions(RED: NodeAPI, id: string | undefined): TlsOptions | undefined {
  if (!id) return undefined;
  const node = RED.nodes.getNode(id) as TlsConfigNode | null;
  if (typeof node?.addTLSOptions === 'function') return node.addTLSOptions({});
  // Going on without it would trust other certificates than the user chose.
  throw missing('TLS configuration');
}

function proxy(RED: NodeAPI, id: string | undefined): HttpProxy | undefined {
  if (!id) return undefined;
  const node = RED.nodes.getNode(id) as ProxyNode | null;
  if (!node) throw missing('proxy');
  if (!URL.canParse(node.url)) {
    // The URL itself is not repeated, because it may hold a password.
    throw new IonError('ION_CONFIG', 'The URL of the proxy configuration is not valid.');
  }
  const url = new URL(node.url);
  const { username, password } = node.credentials ?? {};
  if (username) url.username = encodeURIComponent(username);
  if (password) url.password = encodeURIComponent(password);
  return { url: url.href, except: node.noproxy ?? [] };
}

function missing(what: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The ${what} that the ION config node uses does not exist or is disabled. Choose it anew.`,
  );
}
