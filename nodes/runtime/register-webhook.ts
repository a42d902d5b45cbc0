import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { delayAfterFailures } from '../client/back-off.js';
import { IonClient, type IonClientSettings } from '../client/client.js';
import { IonError, toIonError } from '../client/errors.js';
import { receiverName, register, unregister } from '../client/webhook-registration.js';
import { clientSettings } from './config-settings.js';
import type { EventsNode, IonEventsConfig } from './events-config.js';
import { requireConfig } from './on-message.js';

const FIRST_DELAY_MS = 2500;
/** Node-RED gives a node 15 s to close. */
const LONGEST_REMOVAL_MS = 10_000;

/** Where deliveries are to go, and who hears how its registration goes. */
export interface RegisteredWebhook {
  readonly path: string;
  readonly secret: string;
  readonly expectedResponseCode: number;
  registered(): void;
  registrationFailed(thrown: unknown): void;
}

export interface WebhookRegistration {
  /** Ends the tries; where the node was deleted, takes back what was registered. */
  close(removed: boolean): Promise<void>;
}

/** Makes ION send to the webhook, however long that takes. */
export function registerWebhook(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  webhook: RegisteredWebhook,
): WebhookRegistration {
  const closing = new AbortController();
  const { signal } = closing;
  /** For the removal: by then, the config node may be closed already. */
  let settings: IonClientSettings | undefined;

  const registerOnce = async () => {
    const { client, values, credentials } = requireConfig(RED, config);
    settings = clientSettings(RED, values, credentials ?? {});
    const { resource, actions } = config;
    const { secret: sharedSecret, expectedResponseCode } = webhook;
    if (sharedSecret === '') {
      throw new IonError('ION_CONFIG', 'The webhook is not registered in ION without a secret.');
    }
    const webhookUri = addressOf(config, webhook);
    const wanted = { webhookUri, sharedSecret, expectedResponseCode, resource, actions };
    await register(client, { key: node.id, ...wanted }, signal);
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
      await unregister(client, node.id, AbortSignal.timeout(LONGEST_REMOVAL_MS));
    } catch (thrown) {
      const { message } = toIonError(thrown);
      node.warn(`The webhook receiver "${receiverName(node.id)}" is still in ION: ${message}`);
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

/** @throws IonError `ION_CONFIG` */
function addressOf({ publicUrl }: IonEventsConfig, { path }: RegisteredWebhook): string {
  const address = `${(publicUrl ?? '').trim().replace(/\/+$/, '')}${path}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new IonError(
    'ION_CONFIG',
    'The public URL of the ion-events node is not an address such as "https://factory.example.com". ION needs it to know where to send to.',
  );
}
