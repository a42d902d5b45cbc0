import type { NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import { readRow } from '../client/lists/row-by-id.js';
import { keyOf } from '../client/lists/row-version.js';
import type { Row } from '../client/lists/rows.js';
import type { RowsQuery } from '../client/lists/rows-query.js';
import { Slices } from '../client/support/slices.js';
import type { WebhookEvent } from '../client/webhooks/event.js';
import { findConfig, requireConfig } from '../config/find-config.js';
import { changedEvents } from './changed-events.js';
import { type EventDetails, eventMessage, reportFailure } from './event-message.js';
import {
  type EventsNode,
  type IonEventsConfig,
  readEventsQuery,
  requireResource,
} from './events-config.js';
import { memoryScope } from './stored-memory.js';
import { WebhookMemory } from './webhook-memory.js';
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
  /** Only if the node watches fields. */
  readonly #memory: WebhookMemory | undefined;

  constructor(RED: NodeAPI, node: EventsNode, config: IonEventsConfig, status: WebhookStatus) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#status = status;
    if (config.changedFields.length > 0) this.#memory = new WebhookMemory(node);
  }

  get isFull(): boolean {
    return this.#reads.size >= MAX_READS;
  }

  /** Never throws, because ION already has its response. */
  deliver(event: WebhookEvent, payload: unknown): void {
    const details = this.#details(event);
    try {
      if (this.#memory) this.#deliverChange(this.#memory, payload, details);
      else if (this.#needsObject(event)) this.#readAndSend(payload, details);
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
    await this.#memory?.close();
  }

  #needsObject({ id, action }: WebhookEvent): boolean {
    const { fields, filters } = this.#config;
    const isUsed = fields?.length > 0 || filters?.length > 0;
    // A deleted object can no longer be read.
    return isUsed && id !== undefined && action !== 'DELETE';
  }

  #readAndSend(payload: unknown, details: EventDetails): void {
    const work = async () => {
      const { read, query } = await this.#reader(details.id);
      const object = await read(query);
      if (object) this.#send(this.#chosen(object, payload), details);
      else if (query.filters.length === 0) throw this.#notFound(details.id);
    };
    this.#track(work(), payload, details);
  }

  /** Sends the event of an object if a watched field changed. */
  #deliverChange(memory: WebhookMemory, payload: unknown, details: EventDetails): void {
    const { id, action } = details;
    if (action === 'DELETE') {
      this.#send(payload, details);
      if (id !== undefined) this.#track(this.#forget(memory, id), payload, details);
    } else if (id === undefined) {
      this.#send(payload, { ...details, previousKnown: false });
    } else {
      this.#track(this.#compareAndSend(memory, payload, details), payload, details);
    }
  }

  #compareAndSend(store: WebhookMemory, payload: unknown, details: EventDetails): Promise<void> {
    const { id, action } = details;
    const key = keyOf(id);
    return store.inOrder(key, async () => {
      const { read, query, scope } = await this.#reader(id);
      const memory = await store.load(scope);
      // An object that does not match the filters is remembered as well.
      const row = await read({ ...query, filters: [] });
      if (!row) throw this.#notFound(id);
      const readMatching = async () => {
        const matching = await read(query);
        return new Map(matching && [[key, matching]]);
      };
      const events = changedEvents(
        memory,
        [{ key, id, row, action, isWanted: true }],
        new Slices(),
        query.filters.length > 0 ? readMatching : undefined,
      );
      for await (const { row: sent, previous, previousKnown } of events) {
        this.#send(this.#chosen(sent, payload), { ...details, previous, previousKnown });
      }
      store.saveSoon();
    });
  }

  #forget(store: WebhookMemory, id: unknown): Promise<void> {
    const key = keyOf(id);
    return store.inOrder(key, async () => {
      const { scope } = await this.#reader(id);
      (await store.load(scope)).forget(key);
      store.saveSoon();
    });
  }

  /** Waits for the work when the node closes, and reports its failure. */
  #track(work: Promise<void>, payload: unknown, details: EventDetails): void {
    const startedAt = performance.now();
    const tracked = work
      .catch((thrown) => this.#report(thrown, payload, details, performance.now() - startedAt))
      .finally(() => this.#reads.delete(tracked));
    this.#reads.add(tracked);
  }

  /** Reads the current state of an object; the reading gives `undefined` if the filters reject it. */
  async #reader(id: unknown) {
    const { client } = requireConfig(this.#RED, this.#config);
    const resource = requireResource(this.#config);
    const query = await readEventsQuery(this.#RED, this.#node, this.#config, ['id']);
    const read = (query: RowsQuery) => readRow(client, resource, id, query, this.#closing.signal);
    return {
      read,
      query,
      scope: memoryScope(client.endpoint, resource.name, this.#config.changedFields),
    };
  }

  #chosen(object: Row, payload: unknown): unknown {
    return this.#config.fields?.length > 0 ? object : payload;
  }

  #notFound(id: unknown): IonError {
    return new IonError(
      'ION_NOT_FOUND',
      `ION reported a change of ${this.#config.resource} ${String(id)}, but the object cannot be read. It may have been deleted since, or the API key has no access to it.`,
    );
  }

  #send(payload: unknown, details: EventDetails): void {
    this.#node.send(eventMessage(payload, details));
    findConfig(this.#RED, this.#config)?.events.add(undefined);
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
