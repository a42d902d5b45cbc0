import type { IonClient } from './client.js';
import { IonError, toIonError } from './errors.js';
import { parseOperation } from './operation.js';
import { withoutSecrets } from './redaction.js';
import { flatten } from './rows.js';

/** What ION shall tell to whom. */
export interface Registration {
  /** Tells the receiver from all others, over all deploys. */
  key: string;
  /** Where ION sends to. */
  webhookUri: string;
  sharedSecret: string;
  expectedResponseCode: number;
  /** A value of `ResourceEnum`. */
  resource: string;
  actions: readonly string[];
}

interface Receiver {
  id: number;
  _etag: string;
  name: string;
  subscriptions: Subscription[] | null;
}

interface Subscription {
  id: number;
  _etag: string;
  resource: string;
  action: string;
  active: boolean;
}

type Client = Pick<IonClient, 'request'>;

/** Somebody else may change the receiver meanwhile; then all is looked at anew. */
const MOST_TRIES = 3;

// Without the secret: an answer that ION could give only in part would carry it into a message.
const RECEIVERS = `query WebhookReceivers($filters: WebhookReceiversInputFilters) {
  webhookReceivers(filters: $filters, sort: [ID_ASC], first: 100) {
    edges { node { id _etag name subscriptions { id _etag resource action active } } }
  }
}`;
const CREATE_RECEIVER = `mutation CreateWebhookReceiver($input: CreateWebhookReceiverInput!) {
  createWebhookReceiver(input: $input) { webhookReceiver { id } }
}`;
const UPDATE_RECEIVER = `mutation UpdateWebhookReceiver($input: UpdateWebhookReceiverInput!) {
  updateWebhookReceiver(input: $input) { webhookReceiver { id } }
}`;
const DELETE_RECEIVER = `mutation DeleteWebhookReceiver($etag: String!, $id: ID!) {
  deleteWebhookReceiver(etag: $etag, id: $id) { id }
}`;
const CREATE_SUBSCRIPTION = `mutation CreateWebhookSubscription($input: CreateWebhookSubscriptionInput!) {
  createWebhookSubscription(input: $input) { webhookSubscription { id } }
}`;
const UPDATE_SUBSCRIPTION = `mutation UpdateWebhookSubscription($input: UpdateWebhookSubscriptionInput!) {
  updateWebhookSubscription(input: $input) { webhookSubscription { id } }
}`;
const DELETE_SUBSCRIPTION = `mutation DeleteWebhookSubscription($etag: String!, $id: ID!) {
  deleteWebhookSubscription(etag: $etag, id: $id) { id }
}`;

/** What the receiver with that key is called in ION. */
export function receiverName(key: string): string {
  return `Node-RED ion-events (${key})`;
}

/**
 * Makes ION hold exactly one receiver with the key, and one subscription of it for each action,
 * whatever it holds before.
 * @throws IonError, without the secret in its texts
 */
export async function register(
  client: Client,
  registration: Registration,
  signal: AbortSignal,
): Promise<void> {
  const ion = new Registrar(client, signal);
  try {
    await ion.untilUndisturbed(() => ion.register(registration));
  } catch (thrown) {
    throw withoutSecrets(toIonError(thrown), [registration.sharedSecret]);
  }
}

/**
 * Removes all receivers with the key from ION, and their subscriptions.
 * @throws IonError
 */
export async function unregister(client: Client, key: string, signal: AbortSignal): Promise<void> {
  const ion = new Registrar(client, signal);
  await ion.untilUndisturbed(() => ion.unregister(key));
}

class Registrar {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async untilUndisturbed(work: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (thrown) {
        const isDisturbed = thrown instanceof IonError && thrown.code === 'ION_CONFLICT';
        if (!isDisturbed || tries === MOST_TRIES) throw thrown;
      }
    }
  }

  async register(registration: Registration): Promise<void> {
    const [receiver, ...others] = await this.#receivers(registration.key);
    // A creation whose answer was lost may have left another one.
    for (const other of others) await this.#delete(other);
    const { key, webhookUri, sharedSecret, expectedResponseCode } = registration;
    const columns = {
      name: receiverName(key),
      webhookUri,
      sharedSecret,
      expectedResponseCode,
      active: true,
    };
    if (receiver) {
      const { id, _etag: etag } = receiver;
      await this.#send(UPDATE_RECEIVER, { input: { id, etag, ...columns } });
      await this.#subscribe(id, receiver.subscriptions ?? [], registration);
    } else {
      const data = await this.#send(CREATE_RECEIVER, { input: columns });
      await this.#subscribe(createdId(data), [], registration);
    }
  }

  async unregister(key: string): Promise<void> {
    for (const receiver of await this.#receivers(key)) await this.#delete(receiver);
  }

  async #receivers(key: string): Promise<Receiver[]> {
    const name = receiverName(key);
    const data = await this.#send(RECEIVERS, { filters: { name: { eq: name } } });
    const receivers = flatten(data.webhookReceivers);
    if (!Array.isArray(receivers)) {
      throw new IonError('ION_RESPONSE', "ION's answer has no list of webhook receivers.");
    }
    return (receivers as (Receiver | null)[]).filter(
      (receiver): receiver is Receiver => receiver?.name === name,
    );
  }

  async #subscribe(
    receiverId: number,
    subscriptions: readonly Subscription[],
    { resource, actions }: Registration,
  ): Promise<void> {
    const missing = new Set(actions);
    for (const subscription of subscriptions) {
      const { id, _etag: etag, action, active } = subscription;
      const fits = subscription.resource === resource && missing.delete(action);
      if (!fits) await this.#send(DELETE_SUBSCRIPTION, { id, etag });
      else if (!active)
        await this.#send(UPDATE_SUBSCRIPTION, { input: { id, etag, active: true } });
    }
    for (const action of missing) {
      const input = { resource, action, receiverId, active: true };
      await this.#send(CREATE_SUBSCRIPTION, { input });
    }
  }

  async #delete({ id, _etag: etag, subscriptions }: Receiver): Promise<void> {
    for (const subscription of subscriptions ?? []) {
      await this.#send(DELETE_SUBSCRIPTION, { id: subscription.id, etag: subscription._etag });
    }
    await this.#send(DELETE_RECEIVER, { id, etag });
  }

  async #send(text: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    const options = { variables, signal: this.#signal };
    return (await this.#client.request(parseOperation(text), options)).data;
  }
}

function createdId(data: Record<string, unknown>): number {
  const { webhookReceiver } = (data.createWebhookReceiver ?? {}) as {
    webhookReceiver?: { id?: unknown } | null;
  };
  if (typeof webhookReceiver?.id === 'number') return webhookReceiver.id;
  throw new IonError(
    'ION_RESPONSE',
    'ION does not tell the id of the webhook receiver it created.',
  );
}
