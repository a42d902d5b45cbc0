import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IonError, toIonError } from '../client/errors.js';
import type { Resource } from '../client/lists/resources.js';
import { readRow } from '../client/lists/row-by-id.js';
import { jsonShape, MAX_JSON_DEPTH, parseExactly } from '../client/support/json.js';
import { trimEnds } from '../client/support/trim-ends.js';
import { DeliveryDedup } from '../client/webhooks/delivery-dedup.js';
import { isSameResource, readWebhookEvent, type WebhookEvent } from '../client/webhooks/event.js';
import { RateLimit } from '../client/webhooks/rate-limit.js';
import { isSignedWith, looksLikeSignature } from '../client/webhooks/signature.js';
import { requireConfig } from '../config/find-config.js';
import { onFlowsStarted } from '../shared/flows-started.js';
import type { NodeStatus, StatusText } from '../shared/node-status.js';
import { requireNumber } from '../shared/valid-properties.js';
import {
  type EventSource,
  type EventsNode,
  type IonEventsConfig,
  isWantedAction,
  readQuery,
  requireResource,
} from './config.js';
import { type EventDetails, eventMessage, reportFailure } from './messages.js';
import { addRoute, holdPath, type WebhookRoute } from './receiver.js';
import { registerWebhook, type WebhookRegistration } from './registration.js';
import { webhookBodies } from './request-body.js';
import { answer } from './respond.js';
import { needsPassword, webhookWarnings } from './warnings.js';

/** More than these get 503, so that ION sends them again. */
const MAX_EVENTS_PER_SECOND = 500;
/** Events whose objects are being read. */
const MAX_READS = 1000;
/** Parsing the worst body with so many values takes some 10 ms. */
const MAX_BODY_VALUES = 20_000;

/** What somebody has to put right. */
type Problem = 'route' | 'secret' | 'registration' | 'password';

/** Lets ION tell of what changed. */
export function webhookEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
): EventSource {
  const webhook = new Webhook(RED, node, config, status);
  const endHold = holdPath(RED, webhook.path);
  let registration: WebhookRegistration | undefined;
  // Only then all routes are there that could use the same path.
  const stopListening = onFlowsStarted(RED, () => {
    endHold();
    if (webhook.open() && config.register && !registration) {
      registration = registerWebhook(RED, node, config, webhook);
    }
  });
  return {
    async close(removed) {
      stopListening();
      endHold();
      // Until Node-RED has started the flows again, ION is to come back.
      if (!removed) RED.events.once('flows:started', holdPath(RED, webhook.path));
      await Promise.all([webhook.close(), registration?.close(removed)]);
    },
  };
}

/** Takes deliveries at a path, and sends what they tell. */
export class Webhook {
  readonly path: string;
  readonly secret: string;
  readonly expectedResponseCode: number;
  readonly #RED: NodeAPI;
  readonly #node: EventsNode;
  readonly #config: IonEventsConfig;
  readonly #status: NodeStatus;
  readonly #header: string;
  readonly #closing = new AbortController();
  /** Of requests on their way to the route. */
  readonly #bytes = new WeakMap<IncomingMessage, Buffer>();
  readonly #deliveries = new DeliveryDedup();
  readonly #rate = new RateLimit(MAX_EVENTS_PER_SECOND);
  readonly #reading = new Set<Promise<void>>();
  #route: WebhookRoute | undefined;
  /** What somebody has to put right, by what it is about. */
  readonly #problems = new Map<Problem, string>();
  #sent = 0;
  #refused = 0;

  constructor(RED: NodeAPI, node: EventsNode, config: IonEventsConfig, status: NodeStatus) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#status = status;
    this.path = config.path || `/ion/${node.id}`;
    this.secret = trimEnds(node.credentials?.secret ?? '');
    this.expectedResponseCode = requireNumber(
      'ion-events',
      'expectedResponseCode',
      config.expectedResponseCode,
    );
    this.#header = (config.signatureHeader || 'x-ion-signature').toLowerCase();
  }

  /**
   * Takes deliveries from now on. To be called again when other nodes may have come or gone.
   * @returns whether it does
   */
  open(): boolean {
    if (this.#verifies && this.secret === '') {
      this.#report('secret', 'events.noSecret', this.#noSecret());
    }
    const conflict = this.#route?.conflict();
    if (conflict) {
      this.#report('route', 'events.pathTaken', conflict);
    } else if (!this.#route) {
      this.#addRoute();
    } else {
      this.#solved('route');
    }
    return this.#route !== undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#route?.remove();
    await Promise.all(this.#reading);
  }

  registrationFailed(thrown: unknown): void {
    this.#report('registration', 'events.notRegistered', toIonError(thrown));
  }

  registered(): void {
    this.#solved('registration');
  }

  #addRoute(): void {
    try {
      this.#route = addRoute(this.#RED, this.path, {
        read: (request, response, next) => {
          void this.#read(request, response)
            .then((isRead) => isRead && next())
            .catch((thrown) => this.#failed(thrown, request, response));
        },
        answer: (request, response) => {
          try {
            this.#receive(request, response);
          } catch (thrown) {
            this.#failed(thrown, request, response);
          }
        },
      });
      for (const text of webhookWarnings(this.#RED, this.#config, this.path)) this.#node.warn(text);
      if (needsPassword(this.#RED, this.#config)) {
        this.#problems.set('password', 'events.needsPassword');
      }
      this.#solved('route');
    } catch (thrown) {
      const error = toIonError(thrown);
      this.#report('route', 'events.pathTaken', error);
    }
  }

  /** @returns whether the request goes on */
  async #read(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!this.#mayBeSigned(request)) {
      this.#refuse(request, response, 401);
      return false;
    }
    const body = await webhookBodies.read(request);
    if (!body) return false;
    if (!(body instanceof Uint8Array)) {
      this.#refuse(request, response, body.status);
      return false;
    }
    // The route is gone, but the node may be back soon.
    if (this.#closing.signal.aborted) {
      this.#refuse(request, response, 503);
      return false;
    }
    this.#bytes.set(request, body);
    // Tells parsers that there is nothing left to read.
    Object.assign(request, { body, _body: true });
    return true;
  }

  /** Whether the headers leave it open that the signature is right; the body is not read otherwise. */
  #mayBeSigned(request: IncomingMessage): boolean {
    if (!this.#verifies) return true;
    return this.secret !== '' && looksLikeSignature(this.#signatures(request));
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    // Somebody on the way knew the password.
    this.#problems.delete('password');
    const body = this.#bytes.get(request);
    const taken = body ? this.#take(request, body) : 400;
    if (typeof taken === 'number') {
      this.#refuse(request, response, taken);
      return;
    }
    // Before the flow works on it: ION does not wait for ever, and would send it again.
    answer(request, response, this.expectedResponseCode);
    if (taken) this.#deliver(taken.event, taken.payload);
  }

  /** The event to send; `undefined` where there is nothing to do, or the status that refuses it. */
  #take(
    request: IncomingMessage,
    body: Uint8Array,
  ): { event: WebhookEvent; payload: unknown } | undefined | 400 | 401 | 503 {
    if (this.#verifies && !isSignedWith(this.secret, body, this.#signatures(request))) return 401;
    const payload = parsed(body);
    if (payload === undefined) return 400;
    const event = readWebhookEvent(payload);
    if (!this.#isWanted(event) || this.#deliveries.has(event, body)) return undefined;
    const isFull = this.#closing.signal.aborted || this.#reading.size >= MAX_READS;
    if (isFull || !this.#rate.take()) return 503;
    this.#deliveries.take(event, body);
    return { event, payload };
  }

  /** What cannot be read may be meant for this node. */
  #isWanted({ resource, action }: WebhookEvent): boolean {
    if (resource !== undefined && !isSameResource(resource, this.#config.resource)) return false;
    return action === undefined || isWantedAction(this.#config, action);
  }

  /** Never throws: ION was answered already. */
  #deliver(event: WebhookEvent, payload: unknown): void {
    const details = this.#details(event);
    try {
      this.#sendOrRead(event, payload, details);
    } catch (thrown) {
      this.#reportError(thrown, payload, details);
    }
  }

  #sendOrRead(event: WebhookEvent, payload: unknown, details: EventDetails): void {
    const { fields, filters } = this.#config;
    const needsObject = fields?.length > 0 || filters?.length > 0;
    // What was deleted cannot be read any more.
    if (!needsObject || event.id === undefined || event.action === 'DELETE') {
      this.#send(payload, details);
      return;
    }
    const reading = this.#readAndSend(payload, details).finally(() => {
      this.#reading.delete(reading);
    });
    this.#reading.add(reading);
  }

  async #readAndSend(payload: unknown, details: EventDetails): Promise<void> {
    const startedAt = performance.now();
    try {
      const object = await this.#object(details.id);
      if (object) this.#send(this.#config.fields?.length > 0 ? object : payload, details);
    } catch (thrown) {
      this.#reportError(thrown, payload, details, performance.now() - startedAt);
    }
  }

  /** Tells Catch nodes, with the payload that did not come into the flow. */
  #reportError(thrown: unknown, payload: unknown, details: EventDetails, durationMs = 0): void {
    reportFailure(this.#node, thrown, eventMessage(payload, details), durationMs);
    this.#show();
  }

  /** Nothing that is thrown on the way of a request may end Node-RED. */
  #failed(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    this.#reportError(thrown, undefined, this.#details({}));
    answer(request, response, 500);
  }

  /** The object as it is now; `undefined` where the filters do not let it through. */
  async #object(id: unknown): Promise<Record<string, unknown> | undefined> {
    const { client } = requireConfig(this.#RED, this.#config);
    const resource: Resource = requireResource(this.#config);
    const query = await readQuery(this.#RED, this.#node, this.#config, ['id']);
    const object = await readRow(client, resource, id, query, this.#closing.signal);
    if (object || query.filters.length > 0) return object;
    throw new IonError(
      'ION_NOT_FOUND',
      `ION told of a change of ${resource.name} ${String(id)}, but does not show it. It may have been deleted since, or the API key may not see it.`,
    );
  }

  #details({ action, id, eventId }: WebhookEvent): EventDetails {
    const { resource } = this.#config;
    const receivedAt = new Date().toISOString();
    return { resource, action, id, eventId, receivedAt, via: 'webhook' };
  }

  #send(payload: unknown, details: EventDetails): void {
    this.#node.send(eventMessage(payload, details));
    this.#sent++;
    this.#show();
  }

  #signatures({ headersDistinct }: IncomingMessage): string[] | undefined {
    // A header may be called like a property of all objects.
    return Object.hasOwn(headersDistinct, this.#header) ? headersDistinct[this.#header] : undefined;
  }

  get #verifies(): boolean {
    return this.#config.verify !== false;
  }

  #refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
    answer(request, response, status);
    // One who is to come again was not refused.
    if (status !== 503) this.#refused++;
    this.#show();
  }

  #report(about: Problem, key: string, error: IonError): void {
    const isKnown = this.#problems.get(about) === key;
    this.#problems.set(about, key);
    if (isKnown) this.#show();
    else this.#reportError(error, undefined, this.#details({}));
  }

  #solved(about: Problem): void {
    this.#problems.delete(about);
    this.#show();
  }

  #show(): void {
    this.#status.idle(this.#text());
  }

  #text(): StatusText {
    const [problem] = this.#problems.values();
    if (problem) return { key: problem, fill: 'red' };
    if (this.#refused > 0) return { key: 'events.refused', fill: 'yellow', count: this.#refused };
    return { key: 'events.received', fill: 'green', count: this.#sent };
  }

  #noSecret(): IonError {
    return new IonError(
      'ION_CONFIG',
      'This ion-events node has no secret to check the signatures of webhooks with, so that it refuses them all. Enter the one that the receiver in ION has, or a new one in both.',
    );
  }
}

/** The value of a body; `undefined` for one that is no JSON, or more of it than a flow should get. */
function parsed(body: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const { depth, values } = jsonShape(text);
    if (depth > MAX_JSON_DEPTH || values > MAX_BODY_VALUES) return undefined;
    return parseExactly(text);
  } catch {
    return undefined;
  }
}
