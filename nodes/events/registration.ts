import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { withoutSecrets } from '../client/auth/redaction.js';
import { IonClient } from '../client/client.js';
import { IonError, quote, toIonError } from '../client/errors.js';
import type { IonClientSettings } from '../client/ion-client-settings.js';
import { delayAfterFailures } from '../client/support/backoff.js';
import { LruCache } from '../client/support/lru-cache.js';
import { withoutTrailingSlashes } from '../client/support/paths.js';
import { trimEnds } from '../client/support/trim-ends.js';
import { withoutQuery } from '../client/webhooks/public-url.js';
import {
  type OtherReceiver,
  type ReceiverOwner,
  receiverName,
  register,
  secretsOf,
  unregister,
} from '../client/webhooks/registration.js';
import { clientSettings } from '../config/client-settings.js';
import { requireConfig } from '../config/find-config.js';
import type { EventsNode, IonEventsConfig } from './events-config.js';

const FIRST_DELAY_MS = 2500;
/** Node-RED gives a node 15 s to close. */
const MAX_REMOVAL_MS = 10_000;
const MAX_ID_LENGTH = 200;
/** Receivers whose warning is remembered. */
const MAX_WARNINGS = 1000;
const OTHER_ADDRESS = '@ion-nodes/node-red-ion/ion-config:ion-config.log.webhookElsewhere';
const OTHER_NODE_RED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.webhookTwice';

/**
 * The addresses that this process registered, or tried to, by endpoint and node. A receiver with one
 * of them belongs to the node, even if the node has another address now.
 */
const registeredUris = new Map<string, Set<string>>();
/** Receivers that a warning has named, by endpoint, node and receiver. */
const warnedOf = new LruCache<string, true>(MAX_WARNINGS);

/** The webhook that ION delivers to; it receives the result of each attempt to register it. */
export interface RegisteredWebhook {
  readonly path: string;
  readonly secret: string;
  readonly expectedResponseCode: number;
  registered(): void;
  registrationFailed(thrown: unknown): void;
}

export interface WebhookRegistration {
  /** Ends the attempts; if the node was deleted, unregisters the webhook. */
  close(removed: boolean): Promise<void>;
}

/** Registers the webhook in ION, and repeats that until it succeeds. */
export function registerWebhook(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  webhook: RegisteredWebhook,
): WebhookRegistration {
  const closing = new AbortController();
  const { signal } = closing;
  const owner: ReceiverOwner = { nodeId: node.id, instanceId: instanceIdOf(RED) };
  /** Kept for the removal, because the config node may be closed before this node. */
  let settings: IonClientSettings | undefined;

  const registerOnce = async () => {
    const { client, values, credentials } = requireConfig(RED, config);
    const { mutationLog } = client;
    settings = { ...clientSettings(RED, values, credentials ?? {}), mutationLog };
    const { resource, actions } = config;
    const { secret: sharedSecret, expectedResponseCode } = webhook;
    if (sharedSecret === '') {
      throw new IonError('ION_CONFIG', 'The webhook cannot be registered in ION without a secret.');
    }
    const webhookUri = addressOf(config, webhook);
    const key = keyOf(client, node);
    const uris = registeredUris.get(key) ?? new Set();
    registeredUris.set(key, uris.add(webhookUri));
    const formerUris = [...uris];
    const wanted = { webhookUri, formerUris, sharedSecret, expectedResponseCode };
    const others = await register(client, { ...owner, ...wanted, resource, actions }, signal);
    registeredUris.set(key, new Set([webhookUri]));
    for (const other of others) warnOnce(RED, node, key, other, wanted);
  };

  const untilRegistered = async () => {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await registerOnce();
        webhook.registered();
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        webhook.registrationFailed(thrown);
      }
      const delay = delayAfterFailures(FIRST_DELAY_MS, failures);
      await sleep(delay, undefined, { signal }).catch(() => {});
    }
  };

  const remove = async (): Promise<void> => {
    if (!settings) return;
    const client = new IonClient(settings);
    try {
      const key = keyOf(client, node);
      const uris = [...(registeredUris.get(key) ?? [])];
      await unregister(client, owner, uris, AbortSignal.timeout(MAX_REMOVAL_MS));
      registeredUris.delete(key);
    } catch (thrown) {
      const { message } = toIonError(thrown);
      node.warn(`The webhook receiver "${receiverName(owner)}" is still in ION: ${message}`);
    } finally {
      await client.close();
    }
  };

  const ended = untilRegistered();
  return {
    async close(removed) {
      closing.abort();
      await ended;
      if (removed) await remove();
    },
  };
}

function keyOf({ endpoint }: Pick<IonClient, 'endpoint'>, { id }: EventsNode): string {
  return `${endpoint} ${id}`;
}

/** An id that differs between several Node-RED instances with the same flow. */
function instanceIdOf({ settings }: NodeAPI): string {
  const { get, userDir } = settings as { get?(name: string): unknown; userDir?: string };
  try {
    const id = get?.('instanceId');
    if (typeof id === 'string' && id !== '') return id;
  } catch {
    // Without stored settings, Node-RED has no id.
  }
  return createHash('sha256').update(String(userDir)).digest('hex').slice(0, 16);
}

/** Names a receiver that stays in ION, because only a person knows whether it is still needed. */
function warnOnce(
  RED: NodeAPI,
  node: EventsNode,
  key: string,
  { id, name, webhookUri }: OtherReceiver,
  own: Parameters<typeof secretsOf>[0],
): void {
  const receiver = `${key} ${String(id).slice(0, MAX_ID_LENGTH)}`;
  if (warnedOf.get(receiver)) return;
  warnedOf.set(receiver, true);
  const url = withoutQuery(webhookUri);
  const message = url === withoutQuery(own.webhookUri) ? OTHER_NODE_RED : OTHER_ADDRESS;
  const text = RED._(message, { name: quote(name), url });
  // A receiver's name comes from ION and may contain anything, also the secret.
  node.warn(withoutSecrets(new IonError('ION_CONFIG', text), secretsOf(own)).message);
}

/**
 * The URL to which ION sends.
 * @throws IonError `ION_CONFIG`
 */
export function addressOf(
  { publicUrl }: IonEventsConfig,
  { path }: Pick<RegisteredWebhook, 'path'>,
): string {
  const address = withoutTrailingSlashes(trimEnds(publicUrl ?? '')) + path;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new IonError(
    'ION_CONFIG',
    'The public URL of the ion-events node is not an address such as "https://factory.example.com". ION sends events to this address.',
  );
}
