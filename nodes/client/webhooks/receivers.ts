import type { IonResponse } from '../client.js';
import { IonError } from '../errors.js';
import type { Origin } from '../graphql/mutation-log.js';
import type { Operation, SentOperation } from '../graphql/operation.js';
import { ownOperation } from '../graphql/own-operation.js';
import { flattenResponse } from '../lists/rows.js';
import type { PageSource } from '../paging/page-reader.js';
import { pages } from '../paging/paginator.js';
import { isPlainObject } from '../support/json.js';
import { type Id, idIn } from '../support/known-columns.js';

/** A webhook receiver as ION returns it. */
export interface Receiver {
  id: Id;
  _etag: string;
  name: string;
  webhookUri: string;
  /** An ION may not have it; then every receiver is active. */
  active?: boolean;
  subscriptions: Subscription[];
}

/** A webhook subscription as ION returns it. */
export interface Subscription {
  id: Id;
  _etag: string;
  resource: string;
  action: string;
  /** An ION may not have it; then every subscription is active. */
  active?: boolean;
}

/** The columns of a receiver that can be written. */
export interface ReceiverColumns {
  name: string;
  webhookUri: string;
  sharedSecret: string;
  expectedResponseCode: number;
  active: boolean;
}

/** Receivers that are read; ION is asked for no more. */
export const MAX_RECEIVERS = 100;
/** Subscriptions of one receiver; more in a response are ignored. */
const MAX_SUBSCRIPTIONS = 100;

// The secret is not selected: the error of a partial response carries its data into a message.
const RECEIVERS = ownOperation(
  `query WebhookReceivers($filters: WebhookReceiversInputFilters) {
  webhookReceivers(filters: $filters, sort: [ID_ASC]) @wished(arguments: [filters, sort]) {
    edges {
      node {
        id
        _etag
        name
        webhookUri
        ... on WebhookReceiver @wished { active }
        subscriptions { id _etag resource action ... on WebhookSubscription @wished { active } }
      }
    }
  }
}`,
  // The receivers are compared again in any case.
  ['filters.name', 'filters.webhookUri'],
);
const CREATE_RECEIVER = ownOperation(
  `mutation CreateWebhookReceiver($input: CreateWebhookReceiverInput!) {
  createWebhookReceiver(input: $input) { webhookReceiver { id } }
}`,
  ['input.expectedResponseCode', 'input.active'],
);
const UPDATE_RECEIVER = ownOperation(
  `mutation UpdateWebhookReceiver($input: UpdateWebhookReceiverInput!) {
  updateWebhookReceiver(input: $input) {
    ... on UpdateWebhookReceiver @wished { webhookReceiver { id } }
  }
}`,
  ['input.expectedResponseCode', 'input.active'],
);
const DELETE_RECEIVER = ownOperation(
  `mutation DeleteWebhookReceiver($etag: String!, $id: ID!) {
  deleteWebhookReceiver(etag: $etag, id: $id) { ... on DeleteWebhookReceiver @wished { id } }
}`,
);
const CREATE_SUBSCRIPTION = ownOperation(
  `mutation CreateWebhookSubscription($input: CreateWebhookSubscriptionInput!) {
  createWebhookSubscription(input: $input) {
    ... on CreateWebhookSubscription @wished { webhookSubscription { id } }
  }
}`,
  ['input.active'],
);
const UPDATE_SUBSCRIPTION = ownOperation(
  `mutation UpdateWebhookSubscription($input: UpdateWebhookSubscriptionInput!) {
  updateWebhookSubscription(input: $input) {
    ... on UpdateWebhookSubscription @wished { webhookSubscription { id } }
  }
}`,
);
const DELETE_SUBSCRIPTION = ownOperation(
  `mutation DeleteWebhookSubscription($etag: String!, $id: ID!) {
  deleteWebhookSubscription(etag: $etag, id: $id) {
    ... on DeleteWebhookSubscription @wished { id }
  }
}`,
);

/** The operations of a registration. Receivers and subscriptions that exist are changed or deleted. */
export const REGISTRATION_OPERATIONS: readonly SentOperation[] = [
  ...[RECEIVERS, CREATE_RECEIVER, UPDATE_RECEIVER, CREATE_SUBSCRIPTION].map((operation) => ({
    operation,
  })),
  ...[UPDATE_SUBSCRIPTION, DELETE_SUBSCRIPTION, DELETE_RECEIVER].map((operation) => ({
    operation,
    isRare: true,
  })),
];

/** Reads and writes webhook receivers and their subscriptions in ION. Each method throws `IonError`. */
export class Receivers {
  readonly #client: PageSource;
  readonly #signal: AbortSignal;
  readonly #origin: Origin | undefined;

  /** @param node ID of the node for which it writes */
  constructor(client: PageSource, signal: AbortSignal, node?: string) {
    this.#client = client;
    this.#signal = signal;
    this.#origin = node === undefined ? undefined : { node };
  }

  /** The receivers that match, by id. */
  async find(filters: Record<string, unknown>): Promise<Receiver[]> {
    const found: Receiver[] = [];
    for await (const { edges, response } of pages(this.#client, RECEIVERS, {
      ...{ variables: { filters }, pageSize: MAX_RECEIVERS, limit: MAX_RECEIVERS },
      signal: this.#signal,
    })) {
      const receivers = (await flattenResponse({ edges }, response)) as (Receiver | null)[];
      const named = receivers.filter((each) => typeof each?.name === 'string') as Receiver[];
      for (const each of named) found.push({ ...each, subscriptions: subscriptionsOf(each) });
    }
    return found;
  }

  /** @returns the id of the new receiver */
  async create(columns: ReceiverColumns): Promise<Id> {
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
    receiverId: Id,
    subscriptions: readonly Subscription[],
    { resource, actions }: { resource: string; actions: readonly string[] },
  ): Promise<void> {
    const missing = new Set(actions.map(nameOf));
    for (const subscription of subscriptions) {
      const { id, _etag: etag, action, active } = subscription;
      const isWanted =
        nameOf(subscription.resource) === nameOf(resource) && missing.delete(nameOf(action));
      if (!isWanted) await this.#deleteSubscription(subscription);
      else if (active === false)
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

  #request(operation: Operation, variables: Record<string, unknown>): Promise<IonResponse> {
    const options = { variables, signal: this.#signal, origin: this.#origin };
    return this.#client.request(operation, options);
  }
}

/** A value of an enum in the case of the schema: some versions of ION may answer in lower case. */
function nameOf(value: unknown): string {
  return String(value).toUpperCase();
}

function subscriptionsOf({ subscriptions }: { subscriptions: unknown }): Subscription[] {
  const list: unknown[] = Array.isArray(subscriptions) ? subscriptions : [];
  const isSubscription = (each: unknown): each is Subscription => isPlainObject(each);
  return list.slice(0, MAX_SUBSCRIPTIONS).filter(isSubscription);
}

function createdId(data: Record<string, unknown>): Id {
  const { webhookReceiver } = (data.createWebhookReceiver ?? {}) as {
    webhookReceiver?: { id?: unknown } | null;
  };
  const id = idIn(webhookReceiver?.id);
  if (id !== null) return id;
  throw new IonError(
    'ION_RESPONSE',
    'ION did not return the ID of the webhook receiver that it created.',
  );
}
