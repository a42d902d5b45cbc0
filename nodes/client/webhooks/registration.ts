import { withoutSecrets } from '../auth/redaction.js';
import type { IonClient, IonResponse } from '../client.js';
import { IonError, toIonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import { flattenResponse } from '../lists/rows.js';
import { isPlainObject } from '../support/json.js';

/** The owner of a receiver; both ids are in the receiver's name in ION. */
export interface ReceiverOwner {
  nodeId: string;
  /** The Node-RED, because another one may have a copy of the same flow. */
  instanceId: string;
}

/** What ION shall tell to whom. */
export interface Registration extends ReceiverOwner {
  /** Where ION sends to. */
  webhookUri: string;
  /** Earlier addresses that the same process registered. */
  formerUris: readonly string[];
  sharedSecret: string;
  expectedResponseCode: number;
  /** A value of `ResourceEnum`. */
  resource: string;
  actions: readonly string[];
}

/** A receiver of the same node that may belong to another Node-RED, and is left as it is. */
export interface OtherReceiver {
  id: number;
  name: string;
  webhookUri: string;
}

interface Receiver extends OtherReceiver {
  _etag: string;
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
const MAX_TRIES = 3;

/** As many as are asked for at once. */
const MAX_RECEIVERS = 100;
const MAX_SUBSCRIPTIONS = 100;

// Without the secret: an answer that ION could give only in part would carry it into a message.
const RECEIVERS = `query WebhookReceivers($filters: WebhookReceiversInputFilters) {
  webhookReceivers(filters: $filters, sort: [ID_ASC], first: 100) {
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

/** The name of the owner's receiver in ION. */
export function receiverName({ nodeId, instanceId }: ReceiverOwner): string {
  return `Node-RED ion-events (${nodeId}, ${instanceId})`;
}

/** The name that version 1.0.0 gave it. */
function formerName(nodeId: string): string {
  return `Node-RED ion-events (${nodeId})`;
}

/** Whether the node, in whichever Node-RED, has receivers of that name. */
function isNameFor(nodeId: string, name: string): boolean {
  return name === formerName(nodeId) || name.startsWith(`Node-RED ion-events (${nodeId}, `);
}

/**
 * Makes ION hold exactly one receiver of the owner, with this address, and one subscription of it
 * for each action. What may belong to another Node-RED is not touched.
 * @returns receivers of the same node that were left as they are
 * @throws IonError, without the secret in its texts
 */
export async function register(
  client: Client,
  registration: Registration,
  signal: AbortSignal,
): Promise<OtherReceiver[]> {
  const ion = new Registrar(client, signal);
  try {
    return await ion.untilUndisturbed(() => ion.register(registration));
  } catch (thrown) {
    throw withoutSecrets(toIonError(thrown), [registration.sharedSecret]);
  }
}

/**
 * Removes the receivers of the owner with these addresses from ION, and their subscriptions.
 * @throws IonError
 */
export async function unregister(
  client: Client,
  owner: ReceiverOwner,
  webhookUris: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const ion = new Registrar(client, signal);
  await ion.untilUndisturbed(() => ion.unregister(owner, webhookUris));
}

class Registrar {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async untilUndisturbed<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (thrown) {
        const isDisturbed = thrown instanceof IonError && thrown.code === 'ION_CONFLICT';
        if (!isDisturbed || tries === MAX_TRIES) throw thrown;
      }
    }
  }

  async register(registration: Registration): Promise<OtherReceiver[]> {
    const { webhookUri, sharedSecret, expectedResponseCode, nodeId } = registration;
    const name = receiverName(registration);
    const found = await this.#receiversOfNode(registration);
    const isHere = (receiver: Receiver) => isSameUri(receiver.webhookUri, webhookUri);
    const own = found.filter((receiver) => receiver.name === name);
    const moved = own.filter(
      (receiver) => !isHere(receiver) && isOneOf(receiver.webhookUri, registration.formerUris),
    );
    const fromVersion1 = found.filter(
      (receiver) => receiver.name === formerName(nodeId) && isHere(receiver),
    );
    // A creation whose answer was lost may have left more than one.
    const [receiver, ...surplus] = [...own.filter(isHere), ...moved, ...fromVersion1];
    for (const each of surplus) await this.#delete(each);
    const columns = { name, webhookUri, sharedSecret, expectedResponseCode, active: true };
    if (receiver) {
      const { id, _etag: etag } = receiver;
      await this.#send(UPDATE_RECEIVER, { input: { id, etag, ...columns } });
      await this.#subscribe(id, receiver.subscriptions ?? [], registration);
    } else {
      const data = await this.#send(CREATE_RECEIVER, { input: columns });
      await this.#subscribe(createdId(data), [], registration);
    }
    return found.filter((each) => each !== receiver && !surplus.includes(each));
  }

  async unregister(owner: ReceiverOwner, webhookUris: readonly string[]): Promise<void> {
    const name = receiverName(owner);
    for (const receiver of await this.#receivers({ name: { eq: name } })) {
      const isOwn = receiver.name === name && isOneOf(receiver.webhookUri, webhookUris);
      if (isOwn) await this.#delete(receiver);
    }
  }

  /** Receivers with a name that this Node-RED may have given them, or with the address. */
  async #receiversOfNode(registration: Registration): Promise<Receiver[]> {
    const { nodeId, webhookUri } = registration;
    const names = [receiverName(registration), formerName(nodeId)];
    const named = await this.#receivers({ name: { in: names } });
    const here = await this.#receivers({ webhookUri: { eq: webhookUri } });
    const found = new Map([...named, ...here].map((each) => [each.id, each]));
    // Names may be compared without regard to case.
    return [...found.values()].filter(({ name, webhookUri: uri }) =>
      isSameUri(uri, webhookUri) ? isNameFor(nodeId, name) : names.includes(name),
    );
  }

  async #receivers(filters: Record<string, unknown>): Promise<Receiver[]> {
    const answer = await this.#request(RECEIVERS, { filters });
    const receivers = await flattenResponse(answer.data.webhookReceivers, answer);
    if (!Array.isArray(receivers)) {
      throw new IonError('ION_RESPONSE', "ION's answer has no list of webhook receivers.");
    }
    // More than were asked for are of no ION.
    return (receivers as (Receiver | null)[])
      .slice(0, MAX_RECEIVERS)
      .filter((receiver): receiver is Receiver => typeof receiver?.name === 'string')
      .map((receiver) => ({ ...receiver, subscriptions: subscriptionsOf(receiver) }));
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
    return (await this.#request(text, variables)).data;
  }

  #request(text: string, variables: Record<string, unknown>): Promise<IonResponse> {
    return this.#client.request(parseOperation(text), { variables, signal: this.#signal });
  }
}

function subscriptionsOf({ subscriptions }: Receiver): Subscription[] {
  const list: unknown[] = Array.isArray(subscriptions) ? subscriptions : [];
  const isSubscription = (each: unknown): each is Subscription => isPlainObject(each);
  return list.slice(0, MAX_SUBSCRIPTIONS).filter(isSubscription);
}

function isOneOf(uri: string, uris: readonly string[]): boolean {
  return uris.some((each) => isSameUri(uri, each));
}

/** ION may have written an address in another way than it was given. */
function isSameUri(one: string, other: string): boolean {
  return normal(one) === normal(other);
}

function normal(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).href : uri;
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
