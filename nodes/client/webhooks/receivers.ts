import type { IonClient, IonResponse } from '../client.js';
import { IonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import { flattenResponse } from '../lists/rows.js';
import { isPlainObject } from '../support/json.js';

/** A webhook receiver as ION returns it. */
export interface Receiver {
  id: number;
  _etag: string;
  name: string;
  webhookUri: string;
  subscriptions: Subscription[];
}

/** A webhook subscription as ION returns it. */
export interface Subscription {
  id: number;
  _etag: string;
  resource: string;
  action: string;
  active: boolean;
}

/** The columns of a receiver that can be written. */
export interface ReceiverColumns {
  name: string;
  webhookUri: string;
  sharedSecret: string;
  expectedResponseCode: number;
  active: boolean;
}

/** Receivers that are requested; more in a response are ignored. */
const MAX_RECEIVERS = 100;
/** Subscriptions of one receiver; more in a response are ignored. */
const MAX_SUBSCRIPTIONS = 100;

// The secret is not selected: the error of a partial response carries its data into a message.
const RECEIVERS = `query WebhookReceivers($filters: WebhookReceiversInputFilters) {
  webhookReceivers(filters: $filters, sort: [ID_ASC], first: ${MAX_RECEIVERS}) {
    edges { node { id _etag name webhookUri subscriptions { id _etag resource action active } } }
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

/** Reads and writes webhook receivers and their subscriptions in ION. Each method throws `IonError`. */
export class Receivers {
  readonly #client: Pick<IonClient, 'request'>;
  readonly #signal: AbortSignal;

  constructor(client: Pick<IonClient, 'request'>, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** The receivers that match, by id. */
  async find(filters: Record<string, unknown>): Promise<Receiver[]> {
    const response = await this.#request(RECEIVERS, { filters });
    const receivers = await flattenResponse(response.data.webhookReceivers, response);
    if (!Array.isArray(receivers)) {
      throw new IonError('ION_RESPONSE', "ION's response has no list of webhook receivers.");
    }
    return (receivers as (Receiver | null)[])
      .slice(0, MAX_RECEIVERS)
      .filter((receiver): receiver is Receiver => typeof receiver?.name === 'string')
      .map((receiver) => ({ ...receiver, subscriptions: subscriptionsOf(receiver) }));
  }

  /** @returns the id of the new receiver */
  async create(columns: ReceiverColumns): Promise<number> {
    const { data } = await this.#request(CREATE_RECEIVER, { input: columns });
    return createdId(data);
  }

  async update({ id, _etag: etag }: Receiver, columns: ReceiverColumns): Promise<void> {
    await this.#request(UPDATE_RECEIVER, { input: { id, etag, ...columns } });
  }

  /** Deletes a receiver and its subscriptions. */
  async delete({ id, _etag: etag, subscriptions }: Receiver): Promise<void> {
    for (const subscription of subscriptions) await this.#deleteSubscription(subscription);
    await this.#request(DELETE_RECEIVER, { id, etag });
  }

  /**
   * Makes a receiver have one active subscription for each action, and no others.
   * @param subscriptions the receiver's subscriptions so far
   */
  async subscribe(
    receiverId: number,
    subscriptions: readonly Subscription[],
    { resource, actions }: { resource: string; actions: readonly string[] },
  ): Promise<void> {
    const missing = new Set(actions);
    for (const subscription of subscriptions) {
      const { id, _etag: etag, action, active } = subscription;
      const isWanted = subscription.resource === resource && missing.delete(action);
      if (!isWanted) await this.#deleteSubscription(subscription);
      else if (!active)
        await this.#request(UPDATE_SUBSCRIPTION, { input: { id, etag, active: true } });
    }
    for (const action of missing) {
      const input = { resource, action, receiverId, active: true };
      await this.#request(CREATE_SUBSCRIPTION, { input });
    }
  }

  async #deleteSubscription({ id, _etag: etag }: Subscription): Promise<void> {
    await this.#request(DELETE_SUBSCRIPTION, { id, etag });
  }

  #request(text: string, variables: Record<string, unknown>): Promise<IonResponse> {
    return this.#client.request(parseOperation(text), { variables, signal: this.#signal });
  }
}

function subscriptionsOf({ subscriptions }: { subscriptions: unknown }): Subscription[] {
  const list: unknown[] = Array.isArray(subscriptions) ? subscriptions : [];
  const isSubscription = (each: unknown): each is Subscription => isPlainObject(each);
  return list.slice(0, MAX_SUBSCRIPTIONS).filter(isSubscription);
}

function createdId(data: Record<string, unknown>): number {
  const { webhookReceiver } = (data.createWebhookReceiver ?? {}) as {
    webhookReceiver?: { id?: unknown } | null;
  };
  if (typeof webhookReceiver?.id === 'number') return webhookReceiver.id;
  throw new IonError(
    'ION_RESPONSE',
    'ION did not return the ID of the webhook receiver that it created.',
  );
}
