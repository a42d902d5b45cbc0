import type { NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import { readRow } from '../client/lists/row-by-id.js';
import type { WebhookEvent } from '../client/webhooks/event.js';
import { requireConfig } from '../config/find-config.js';
import { type EventDetails, eventMessage, reportFailure } from './event-message.js';
import {
  type EventsNode,
  type IonEventsConfig,
  readEventsQuery,
  requireResource,
} from './events-config.js';
import type { WebhookStatus } from './webhook-status.js';

/** Events whose objects are being read. */
const MAX_READS = 1000;

/** Sends the events of a webhook into the flow, with the object read back from ION if needed. */
export class EventDelivery {
  readonly #RED: NodeAPI;
  readonly #node: EventsNode;
  readonly #config: IonEventsConfig;
  readonly #status: WebhookStatus;
  readonly #closing = new AbortController();
  readonly #reads = new Set<Promise<void>>();

  constructor(RED: NodeAPI, node: EventsNode, config: IonEventsConfig, status: WebhookStatus) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#status = status;
  }

  get isFull(): boolean {
    return this.#reads.size >= MAX_READS;
  }

  /** Never throws, because ION already has its response. */
  deliver(event: WebhookEvent, payload: unknown): void {
    const details = this.#details(event);
    try {
      if (this.#needsObject(event)) this.#readAndSend(payload, details);
      else this.#send(payload, details);
    } catch (thrown) {
      this.#report(thrown, payload, details);
    }
  }

  /** Reports a failure that belongs to no event. */
  reportFailure(thrown: unknown): void {
    this.#report(thrown, undefined, this.#details({}));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#reads);
  }

  #needsObject({ id, action }: WebhookEvent): boolean {
    const { fields, filters } = this.#config;
    const isUsed = fields?.length > 0 || filters?.length > 0;
    // A deleted object can no longer be read.
    return isUsed && id !== undefined && action !== 'DELETE';
  }

  #readAndSend(payload: unknown, details: EventDetails): void {
    const startedAt = performance.now();
    const read = this.#readObject(details.id)
      .then((object) => {
        if (object) this.#send(this.#config.fields?.length > 0 ? object : payload, details);
      })
      .catch((thrown) => this.#report(thrown, payload, details, performance.now() - startedAt))
      .finally(() => this.#reads.delete(read));
    this.#reads.add(read);
  }

  /** @returns the object as it is now; `undefined` if the filters reject it */
  async #readObject(id: unknown): Promise<Record<string, unknown> | undefined> {
    const { client } = requireConfig(this.#RED, this.#config);
    const resource = requireResource(this.#config);
    const query = await readEventsQuery(this.#RED, this.#node, this.#config, ['id']);
    const object = await readRow(client, resource, id, query, this.#closing.signal);
    if (object || query.filters.length > 0) return object;
    throw new IonError(
      'ION_NOT_FOUND',
      `ION reported a change of ${resource.name} ${String(id)}, but the object cannot be read. It may have been deleted since, or the API key has no access to it.`,
    );
  }

  #send(payload: unknown, details: EventDetails): void {
    this.#node.send(eventMessage(payload, details));
    this.#status.countSent();
  }

  #report(thrown: unknown, payload: unknown, details: EventDetails, durationMs = 0): void {
    reportFailure(this.#node, thrown, eventMessage(payload, details), durationMs);
    this.#status.show();
  }

  #details({ action, id, eventId }: WebhookEvent): EventDetails {
    const { resource } = this.#config;
    const receivedAt = new Date().toISOString();
    return { resource, action, id, eventId, receivedAt, via: 'webhook' };
  }
}
