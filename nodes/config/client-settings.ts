import type { Node, NodeAPI } from 'node-red';
import type { AuthScheme } from '../client/auth/auth-schemes.js';
import type { EndpointSettings, EnvironmentName } from '../client/auth/environments.js';
import type { OperationsPerRequest } from '../client/batching/batch-size.js';
import { IonError } from '../client/errors.js';
import type { Mode } from '../client/graphql/dry-run-api.js';
import { type HttpProxy, proxyUrl } from '../client/http/proxies.js';
import type { IonClientSettings } from '../client/ion-client-settings.js';
import { readWritesPerRequest, writesPerRequest as setting } from '../client/settings.js';
import { describe } from '../client/support/describe.js';
import { isTimeZone, TimeZone } from '../client/support/time-zone.js';
import { trimEnds } from '../client/support/trim-ends.js';
import type { OutboxLimits } from '../outbox/store/counters.js';
import {
  requireNoReference,
  requireResolved,
  requireUrlWithoutReference,
} from '../shared/environment-references.js';
import { requireNumber, requireSwitch, requireValid } from '../shared/property-checks.js';
import { tlsOptions } from './tls-options.js';

export interface ApiKeyCredentials {
  clientId?: string;
  clientSecret?: string;
}

/** The properties of an `ion-config` node. */
export interface ConfigValues {
  environment: EnvironmentName;
  /** Missing in a node that an older version saved: `live`. */
  mode?: Mode;
  apiUrl?: string;
  authUrl?: string;
  audience?: string;
  authScheme?: AuthScheme | 'auto';
  /** In seconds. */
  timeout?: number | string;
  concurrency?: number | string;
  queueLimit?: number | string;
  retries?: number | string;
  /** The IANA name of the zone of dates without one. */
  timeZone?: string;
  /** The number of writes of the outbox in one request. */
  writesPerRequest?: OperationsPerRequest | string;
  /** The maximum of entries in the outbox. */
  outboxLimit?: number | string;
  /** In MiB. */
  outboxSize?: number | string;
  /** Max. age of pending writes and of an outage in a healthy state, in minutes; 0 for any. */
  healthAge?: number | string;
  /** The number of rejected writes from which the state is unhealthy; 0 for any. */
  healthRejected?: number | string;
  /** The ids of a `tls-config` and an `http proxy` node. */
  tls?: string;
  proxy?: string;
  allowHttp?: boolean | string;
  trace?: boolean | string;
  audit?: boolean | string;
}

const NODE = 'ion-config';

/**
 * The limits of the outbox of a config node, whose other setting is checked as well.
 * @throws IonError `ION_CONFIG`
 */
export function outboxLimits(values: ConfigValues): OutboxLimits {
  const { outboxLimit, outboxSize } = values;
  writesPerRequest(values);
  const entries = requireNumber(NODE, 'outboxLimit', outboxLimit);
  return { entries, bytes: requireNumber(NODE, 'outboxSize', outboxSize) * 1024 * 1024 };
}

/**
 * The number of writes of the outbox in one request; `auto` by default.
 * @throws IonError `ION_CONFIG`
 */
export function writesPerRequest({ writesPerRequest: value }: ConfigValues): OperationsPerRequest {
  const { label, min, max } = setting;
  requireResolved(`"${label}" of the ${NODE} node`, value);
  const operations = readWritesPerRequest(value);
  if (operations !== undefined) return operations;
  const given = typeof value === 'number' ? String(value) : describe(value);
  throw new IonError(
    'ION_CONFIG',
    `"${label}" of the ${NODE} node is ${given}, but must be "auto" or a whole number from ${min} to ${max}. Open the node, correct it and deploy.`,
  );
}

/**
 * Whether messages without a valid `traceparent` get one; false by default.
 * @throws IonError `ION_CONFIG`
 */
export function makesTraces({ trace }: ConfigValues): boolean {
  return requireSwitch(NODE, 'trace', trace, false);
}

interface ProxyNode extends Node {
  url: string;
  noproxy?: string[];
  credentials: { username?: string; password?: string };
}

const inNode = (what: string) => `The ${what} in the ION config node`;

/**
 * The settings of the API and the auth server, from the properties of a config node.
 * @throws IonError `ION_CONFIG` for a reference to an environment variable that was not replaced
 */
export function endpointSettings(values: ConfigValues): EndpointSettings {
  const { apiUrl, authUrl, audience } = values;
  requireResolved(inNode('environment'), values.environment);
  const environment = trimmed(values.environment);
  if (environment === 'custom') {
    requireUrlWithoutReference(inNode('API URL'), apiUrl);
    requireUrlWithoutReference(inNode('auth URL'), authUrl);
  }
  requireNoReference(inNode('audience'), audience);
  const allowHttp = requireSwitch(NODE, 'allowHttp', values.allowHttp, false);
  return { environment, apiUrl, authUrl, audience, allowHttp };
}

/**
 * The settings of the client, from the properties of a config node.
 * @throws IonError `ION_CONFIG` for a value that cannot work
 */
export function clientSettings(
  RED: NodeAPI,
  values: ConfigValues,
  key: ApiKeyCredentials,
): IonClientSettings {
  const { authScheme = 'auto', tls, proxy: proxyId } = values;
  requireNoReference(inNode('client ID'), key.clientId);
  // A secret may contain any text, so a reference in the middle is allowed.
  requireResolved(inNode('client secret'), key.clientSecret);
  requireResolved(inNode('authorization header'), authScheme);
  requireResolved(inNode('TLS configuration'), tls);
  requireResolved(inNode('proxy'), proxyId);
  return {
    ...endpointSettings(values),
    mode: modeOf(values),
    authScheme: trimmed(authScheme) || 'auto',
    key: { clientId: textOf(key.clientId), clientSecret: textOf(key.clientSecret) },
    timeoutMs: requireNumber(NODE, 'timeout', values.timeout) * 1000,
    concurrency: requireNumber(NODE, 'concurrency', values.concurrency),
    queueLimit: requireNumber(NODE, 'queueLimit', values.queueLimit),
    retries: requireNumber(NODE, 'retries', values.retries),
    tls: tls ? tlsOptions(RED, tls) : undefined,
    proxy: proxy(RED, proxyId),
  };
}

/** @throws IonError `ION_CONFIG`: with a misspelt value, writes would reach ION */
function modeOf({ mode }: ConfigValues): Mode {
  requireResolved(inNode('mode'), mode);
  const given = trimmed(mode ?? 'live') || 'live';
  requireValid(NODE, 'mode', given, given === 'live' || given === 'dryRun', '"live" or "dryRun"');
  return given;
}

/** A choice may come from a variable, whose value may end in a line break. */
function trimmed<Choice extends string>(choice: Choice): Choice {
  return typeof choice === 'string' ? (trimEnds(choice) as Choice) : choice;
}

/**
 * The time zone of dates without one; `undefined` if they are rejected.
 * @throws IonError `ION_CONFIG` for an unknown name
 */
export function timeZoneOf({ timeZone }: ConfigValues): TimeZone | undefined {
  requireResolved(inNode('time zone'), timeZone);
  const name = typeof timeZone === 'string' ? trimEnds(timeZone) : timeZone;
  if (name === undefined || name === null || name === '') return undefined;
  if (typeof name === 'string' && isTimeZone(name)) return new TimeZone(name);
  throw new IonError(
    'ION_CONFIG',
    `The time zone in the ION config node is ${describe(name)}, which this Node.js does not know. Enter a name such as Europe/Berlin, or leave it empty.`,
  );
}

/** An environment variable of a flow can be a number. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function proxy(RED: NodeAPI, id: string | undefined): HttpProxy | undefined {
  if (!id) return undefined;
  const node = RED.nodes.getNode(id) as ProxyNode | null;
  if (!node) throw missing('proxy');
  requireUrlWithoutReference('The URL of the proxy configuration', node.url);
  const url = proxyUrl('The URL of the proxy configuration', String(node.url ?? ''));
  const { username, password } = node.credentials ?? {};
  requireResolved('The user of the proxy configuration', username);
  requireResolved('The password of the proxy configuration', password);
  if (username) url.username = encodeURIComponent(trimEnds(username));
  if (password) url.password = encodeURIComponent(trimEnds(password));
  return { url: url.href, except: node.noproxy ?? [] };
}

function missing(what: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The ${what} that the ION config node uses does not exist or is disabled. Select it again.`,
  );
}
