import type { OutgoingHttpHeaders } from 'node:http';
import type { WebhookEventRow, WebhookReceiverRow } from '../data/model.js';
import { sign } from '../data/signature.js';
import type { Change, Store } from '../data/store.js';
import type { Settings } from '../faults/settings.js';
import { payload, resourceOf } from './payload.js';
import { post, reasonOf } from './post.js';

const IN_FLIGHT = 10;
const MAX_DELAY_MS = 60_000;
const MAX_EVENTS = 10_000;

/** Back-off in milliseconds after a number of tries. */
export function retryDelay(tries: number, firstDelay: number): number {
  return Math.min(firstDelay * 2 ** (tries - 1), MAX_DELAY_MS);
}

/** A pending event: queued, being sent, or waiting for its retry. */
interface Delivery {
  eventId: number;
  subscriptionId: number;
  queue: Queue;
  tries: number;
  retry: NodeJS.Timeout | undefined;
  /** Whether it must be sent once more after it has ended. */
  again: boolean;
}

/** The deliveries to one receiver. */
interface Queue {
  waiting: Set<Delivery>;
  inFlight: number;
}

type Answered = Pick<WebhookEventRow, 'responseStatusCode' | 'responseReceivedAt' | 'responseData'>;

/** Delivers every change to the receivers that are subscribed to it, at least once. */
export class Webhooks {
  readonly #queues = new Map<number, Queue>();
  /** Pending events, by the id of the event. */
  readonly #deliveries = new Map<number, Delivery>();
  readonly #finished = new Set<number>();
  /** Requests in flight: how to abort each one, and the promise of its end. */
  readonly #requests = new Map<AbortController, Promise<void>>();
  #closed = false;

  constructor(
    private readonly store: Store,
    private readonly settings: Settings,
    private readonly keptEvents = MAX_EVENTS,
  ) {
    store.onChange = (change, transactionId) => this.#changed(change, transactionId);
  }

  /** Sends an event once more, whether or not it has been delivered. */
  redeliver(eventId: number): void {
    const event = this.store.webhookEvents.get(eventId);
    if (!event) throw new Error(`WebhookEvent with id ${eventId} was not found.`);
    const receiver = this.#receiverOf(event.subscriptionId);
    if (!receiver) throw new Error(`The subscription of event ${eventId} is gone or not active.`);
    const delivery = this.#deliveries.get(eventId);
    if (!delivery) {
      this.#finished.delete(eventId);
      this.store.webhookEvents.update(eventId, { status: 'SENDING', numberOfRetries: 0 });
      this.#begin(event, receiver);
    } else if (delivery.retry) {
      this.#cancelRetry(delivery);
      delivery.tries = 0;
      this.#enqueue(delivery);
    } else {
      delivery.again = true;
    }
  }

  /** Ends all deliveries, also those in flight, and starts no other. */
  async close(): Promise<void> {
    this.#closed = true;
    this.store.onChange = undefined;
    for (const delivery of this.#deliveries.values()) this.#cancelRetry(delivery);
    for (const controller of this.#requests.keys()) controller.abort();
    await Promise.all(this.#requests.values());
  }

  #changed(change: Change, transactionId: number): void {
    const resource = resourceOf(change);
    for (const subscription of this.store.webhookSubscriptions.all()) {
      if (subscription.resource !== resource || subscription.action !== change.action) continue;
      const receiver = this.#receiverOf(subscription.id);
      if (!receiver) continue;
      this.#makeRoom();
      const { webhookEvents } = this.store;
      const ids = { eventId: webhookEvents.nextId, subscriptionId: subscription.id };
      const event = webhookEvents.insert({
        subscriptionId: subscription.id,
        status: 'SENDING',
        numberOfRetries: 0,
        responseStatusCode: null,
        responseReceivedAt: null,
        requestData: payload({ ...ids, resource, transactionId }, change, this.settings),
        responseData: null,
      });
      this.#begin(event, receiver);
    }
  }

  /** The receiver of a subscription's changes; none if it or the subscription is inactive. */
  #receiverOf(subscriptionId: number): WebhookReceiverRow | undefined {
    const subscription = this.store.webhookSubscriptions.get(subscriptionId);
    if (!subscription?.active) return undefined;
    const receiver = this.store.webhookReceivers.get(subscription.receiverId ?? 0);
    return receiver?.active ? receiver : undefined;
  }

  #makeRoom(): void {
    if (this.#finished.size + this.#deliveries.size < this.keptEvents) return;
    // If none has finished, no receiver responds: the oldest event is dropped to bound memory.
    const [oldest] = this.#finished.size > 0 ? this.#finished : this.#deliveries.keys();
    if (oldest === undefined) return;
    const delivery = this.#deliveries.get(oldest);
    if (delivery) this.#cancelRetry(delivery);
    delivery?.queue.waiting.delete(delivery);
    this.#deliveries.delete(oldest);
    this.#finished.delete(oldest);
    this.store.webhookEvents.delete(oldest);
  }

  #begin(event: WebhookEventRow, receiver: WebhookReceiverRow): void {
    let queue = this.#queues.get(receiver.id);
    if (!queue) {
      queue = { waiting: new Set(), inFlight: 0 };
      this.#queues.set(receiver.id, queue);
    }
    const { id: eventId, subscriptionId } = event;
    const delivery = { eventId, subscriptionId, queue, tries: 0, retry: undefined, again: false };
    this.#deliveries.set(eventId, delivery);
    this.#enqueue(delivery);
  }

  #enqueue(delivery: Delivery): void {
    delivery.queue.waiting.add(delivery);
    // Not in the request that made the change, which must not wait for a receiver.
    setImmediate(() => this.#sendNext(delivery.queue));
  }

  #sendNext(queue: Queue): void {
    while (!this.#closed && queue.inFlight < IN_FLIGHT) {
      const [delivery] = queue.waiting;
      if (!delivery) return;
      queue.waiting.delete(delivery);
      queue.inFlight++;
      const controller = new AbortController();
      const ended = this.#try(delivery, controller).finally(() => {
        this.#requests.delete(controller);
        queue.inFlight--;
        this.#sendNext(queue);
      });
      this.#requests.set(controller, ended);
    }
  }

  async #try(delivery: Delivery, controller: AbortController): Promise<void> {
    const event = this.store.webhookEvents.get(delivery.eventId);
    if (!event) return;
    // The receiver's current state, so that a retry follows it to a new address.
    const receiver = this.#receiverOf(delivery.subscriptionId);
    if (!receiver) return this.#end(delivery, 'FAILED', {});
    delivery.tries++;
    const answered = await this.#send(receiver, event, controller);
    // The event may have been dropped in the meantime.
    if (this.#closed || !this.store.webhookEvents.get(event.id)) return;
    if (answered.responseStatusCode === receiver.expectedResponseCode) {
      this.#end(delivery, 'SUCCEEDED', answered);
    } else if (!this.#isTriedAgain(delivery, answered)) {
      this.#end(delivery, 'FAILED', answered);
    } else {
      this.#retry(delivery, answered);
    }
  }

  #isTriedAgain({ tries }: Delivery, { responseStatusCode }: Answered): boolean {
    const { webhookRetriesOn404, webhookTries } = this.settings;
    return tries < webhookTries && (webhookRetriesOn404 || responseStatusCode !== 404);
  }

  async #send(
    receiver: WebhookReceiverRow,
    event: WebhookEventRow,
    controller: AbortController,
  ): Promise<Answered> {
    const { webhookTimeout } = this.settings;
    const timeout = setTimeout(() => controller.abort(), webhookTimeout);
    try {
      const body = Buffer.from(event.requestData);
      const headers = this.#headers(receiver, body);
      const { status, text } = await post(receiver.webhookUri, body, headers, controller.signal);
      return {
        responseStatusCode: status,
        responseReceivedAt: this.store.clock.now(),
        responseData: text,
      };
    } catch (error) {
      const { signal } = controller;
      const reason = signal.aborted ? `No answer within ${webhookTimeout} ms` : reasonOf(error);
      return { responseStatusCode: null, responseReceivedAt: null, responseData: reason };
    } finally {
      clearTimeout(timeout);
    }
  }

  #headers(receiver: WebhookReceiverRow, body: Buffer): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {};
    for (const id of receiver.headerIds) {
      const header = this.store.webhookHeaders.get(id);
      if (header) headers[header.key.toLowerCase()] = header.value;
    }
    return {
      ...headers,
      'content-type': 'application/json',
      'content-length': body.length,
      'x-ion-signature': sign(body, receiver.sharedSecret, this.settings.webhookSignature),
    };
  }

  #retry(delivery: Delivery, answered: Answered): void {
    this.store.webhookEvents.update(delivery.eventId, {
      ...answered,
      status: 'RETRYING',
      numberOfRetries: delivery.tries - 1,
    });
    if (delivery.again) {
      delivery.again = false;
      delivery.tries = 0;
      this.#enqueue(delivery);
      return;
    }
    delivery.retry = setTimeout(
      () => {
        delivery.retry = undefined;
        this.#enqueue(delivery);
      },
      retryDelay(delivery.tries, this.settings.webhookRetryDelay),
    );
  }

  #cancelRetry(delivery: Delivery): void {
    clearTimeout(delivery.retry);
    delivery.retry = undefined;
  }

  #end(delivery: Delivery, status: 'SUCCEEDED' | 'FAILED', answered: Partial<Answered>): void {
    const { eventId, tries } = delivery;
    const numberOfRetries = Math.max(tries - 1, 0);
    this.store.webhookEvents.update(eventId, { ...answered, status, numberOfRetries });
    this.#deliveries.delete(eventId);
    this.#finished.add(eventId);
    if (delivery.again && this.#receiverOf(delivery.subscriptionId)) this.redeliver(eventId);
  }
}
