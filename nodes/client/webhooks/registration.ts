import { withoutSecrets } from '../auth/redaction.js';
import { IonError, toIonError } from '../errors.js';
import type { PageSource } from '../paging/page-reader.js';
import { passwordsIn } from '../support/url-password.js';
import { type Receiver, Receivers } from './receivers.js';
import { isSameUri } from './same-uri.js';

/** The owner of a receiver; both ids are in the receiver's name in ION. */
export interface ReceiverOwner {
  nodeId: string;
  /** The id of the Node-RED instance, because another one may have a copy of the same flow. */
  instanceId: string;
}

/** The receiver and the subscriptions that ION should have for one owner. */
export interface Registration extends ReceiverOwner {
  /** The URL to which ION sends. */
  webhookUri: string;
  /** Earlier URLs that the same process registered. */
  formerUris: readonly string[];
  sharedSecret: string;
  expectedResponseCode: number;
  /** A value of ION's `ResourceEnum`. */
  resource: string;
  actions: readonly string[];
}

/** A receiver of the same node that may belong to another Node-RED instance, so it stays unchanged. */
export type OtherReceiver = Pick<Receiver, 'id' | 'name' | 'webhookUri'>;

type Client = PageSource;

/** Each try reads the receivers again, because someone else may have changed them. */
const MAX_TRIES = 3;

/** The name of the owner's receiver in ION. */
export function receiverName({ nodeId, instanceId }: ReceiverOwner): string {
  return `Node-RED ion-events (${nodeId}, ${instanceId})`;
}

/** The name that version 1.0.0 gave a receiver. */
function version1Name(nodeId: string): string {
  return `Node-RED ion-events (${nodeId})`;
}

/** Whether a receiver with this name belongs to the node, in any Node-RED instance. */
function isNameFor(nodeId: string, name: string): boolean {
  return name === version1Name(nodeId) || name.startsWith(`Node-RED ion-events (${nodeId}, `);
}

/**
 * Makes ION have exactly one receiver of the owner, with this URL and with one subscription for each
 * action. Receivers that may belong to another Node-RED instance stay unchanged.
 * @returns the receivers of the same node that stayed unchanged
 * @throws IonError, without the secret in its texts; `ION_CONFLICT` if someone else keeps changing
 * the receivers
 */
export async function register(
  client: Client,
  registration: Registration,
  signal: AbortSignal,
): Promise<OtherReceiver[]> {
  const receivers = new Receivers(client, signal, registration.nodeId);
  try {
    return await retryConflicts(() => registerOnce(receivers, registration));
  } catch (thrown) {
    throw withoutSecrets(toIonError(thrown), secretsOf(registration));
  }
}

/** The shared secret, and the passwords in the URLs, which ION may quote. */
export function secretsOf({
  sharedSecret,
  webhookUri,
  formerUris,
}: Pick<Registration, 'sharedSecret' | 'webhookUri' | 'formerUris'>): string[] {
  return [sharedSecret, ...[webhookUri, ...formerUris].flatMap(passwordsIn)];
}

/**
 * Removes the receivers of the owner with these URLs from ION, and their subscriptions.
 * @throws IonError, `ION_CONFLICT` if someone else keeps changing the receivers
 */
export async function unregister(
  client: Client,
  owner: ReceiverOwner,
  webhookUris: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const receivers = new Receivers(client, signal, owner.nodeId);
  const name = receiverName(owner);
  try {
    await retryConflicts(async () => {
      for (const receiver of await receivers.find({ name: { eq: name } })) {
        const isOwn = receiver.name === name && isOneOf(receiver.webhookUri, webhookUris);
        if (isOwn) await receivers.delete(receiver);
      }
    });
  } catch (thrown) {
    throw withoutSecrets(toIonError(thrown), webhookUris.flatMap(passwordsIn));
  }
}

async function retryConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (thrown) {
      const isConflict = thrown instanceof IonError && thrown.code === 'ION_CONFLICT';
      if (!isConflict || tries === MAX_TRIES) throw thrown;
    }
  }
}

async function registerOnce(
  receivers: Receivers,
  registration: Registration,
): Promise<OtherReceiver[]> {
  const { webhookUri, formerUris, sharedSecret, expectedResponseCode, nodeId } = registration;
  const name = receiverName(registration);
  const found = await receiversOfNode(receivers, registration);
  const isHere = (receiver: Receiver) => isSameUri(receiver.webhookUri, webhookUri);
  const own = found.filter((receiver) => receiver.name === name);
  const moved = own.filter(
    (receiver) => !isHere(receiver) && isOneOf(receiver.webhookUri, formerUris),
  );
  const fromVersion1 = found.filter(
    (receiver) => receiver.name === version1Name(nodeId) && isHere(receiver),
  );
  // A creation whose response was lost may have left a surplus receiver.
  const [receiver, ...surplus] = [...own.filter(isHere), ...moved, ...fromVersion1];
  for (const each of surplus) await receivers.delete(each);
  const columns = { name, webhookUri, sharedSecret, expectedResponseCode, active: true };
  if (receiver) {
    await receivers.update(receiver, columns);
    await receivers.subscribe(receiver.id, receiver.subscriptions, registration);
  } else {
    await receivers.subscribe(await receivers.create(columns), [], registration);
  }
  return found.filter((each) => each !== receiver && !surplus.includes(each));
}

/** Receivers with a name that this Node-RED instance may have given them, or with the URL. */
async function receiversOfNode(
  receivers: Receivers,
  registration: Registration,
): Promise<Receiver[]> {
  const { nodeId, webhookUri } = registration;
  const names = [receiverName(registration), version1Name(nodeId)];
  const named = await receivers.find({ name: { in: names } });
  const here = await receivers.find({ webhookUri: { eq: webhookUri } });
  const byId = new Map([...named, ...here].map((each) => [each.id, each]));
  // Names are compared again, because ION may ignore their case.
  return [...byId.values()].filter(({ name, webhookUri: uri }) =>
    isSameUri(uri, webhookUri) ? isNameFor(nodeId, name) : names.includes(name),
  );
}

function isOneOf(uri: string, uris: readonly string[]): boolean {
  return uris.some((each) => isSameUri(uri, each));
}
