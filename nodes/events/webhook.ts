import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IonError, toIonError } from '../client/errors.js';
import { trimEnds } from '../client/support/trim-ends.js';
import { DeliveryDedup } from '../client/webhooks/delivery-dedup.js';
import { isSameResource, type WebhookEvent } from '../client/webhooks/event.js';
import { RateLimit } from '../client/webhooks/rate-limit.js';
import { isDryRun } from '../config/find-config.js';
import type { NodeStatus } from '../shared/node-status.js';
import { onFlowsStarted } from '../shared/on-flows-started.js';
import { requireNumber } from '../shared/property-checks.js';
import { changedLookups } from './changed-lookups.js';
import { EventDelivery } from './event-delivery.js';
import {
  type EventSource,
  type EventsNode,
  type IonEventsConfig,
  isWantedAction,
  webhookPath,
} from './events-config.js';
import { registerWebhook, type WebhookRegistration } from './registration.js';
import { webhookBodies } from './request-body.js';
import { respond } from './respond.js';
import { mayBeSigned, type SignatureRules, verifyDelivery } from './verify-delivery.js';
import { addRoute, holdPath, type WebhookRoute } from './webhook-route.js';
import { type Problem, WebhookStatus } from './webhook-status.js';
import { needsPassword, webhookWarnings } from './webhook-warnings.js';

const RECEIVER_LEFT = '@ion-nodes/node-red-ion/ion-config:ion-config.log.webhookLeft';
/** More than these get 503, so that ION sends them again. */
const MAX_EVENTS_PER_SECOND = 500;

/** Receives events at a path of Node-RED's HTTP server. */
export function webhookEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
): EventSource {
  const webhook = new Webhook(RED, node, config, status);
  const endHold = holdPath(RED, webhook.path);
  let registration: WebhookRegistration | undefined;
  // All routes that could use the same path exist only then.
  const stopListening = onFlowsStarted(RED, () => {
    endHold();
    if (!webhook.open() || !config.register || registration) return;
    if (isDryRun(RED, config)) webhook.notRegistered();
    else registration = registerWebhook(RED, node, config, webhook);
  });
  return {
    async close(removed) {
      stopListening();
      endHold();
      // ION must retry until Node-RED has started the flows again.
      if (!removed) RED.events.once('flows:started', holdPath(RED, webhook.path));
      if (removed) webhook.warnOfReceiver();
      await Promise.all([webhook.close(), registration?.close(removed)]);
    },
  };
}

/** A path at which ION delivers events. */
class Webhook {
  readonly path: string;
  readonly secret: string;
  readonly expectedResponseCode: number;
  readonly #RED: NodeAPI;
  readonly #node: EventsNode;
  readonly #config: IonEventsConfig;
  readonly #status: WebhookStatus;
  readonly #delivery: EventDelivery;
  readonly #signature: SignatureRules;
  /** Raw bodies of requests between `#read` and `#receive`. */
  readonly #bodies = new WeakMap<IncomingMessage, Uint8Array>();
  readonly #dedup = new DeliveryDedup();
  readonly #rate = new RateLimit(MAX_EVENTS_PER_SECOND);
  #isClosed = false;
  #isDryRun = false;
  #route: WebhookRoute | undefined;

  constructor(RED: NodeAPI, node: EventsNode, config: IonEventsConfig, status: NodeStatus) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#status = new WebhookStatus(status);
    this.#delivery = new EventDelivery(RED, node, config, this.#status);
    this.path = webhookPath({ id: node.id, path: config.path });
    this.secret = trimEnds(node.credentials?.secret ?? '');
    this.expectedResponseCode = requireNumber(
      'ion-events',
      'expectedResponseCode',
      config.expectedResponseCode,
    );
    this.#signature = {
      isRequired: config.verify !== false,
      secret: this.secret,
      header: (config.signatureHeader || 'x-ion-signature').toLowerCase(),
    };
  }

  /**
   * Accepts deliveries from now on. Call it again after other nodes may have been added or removed.
   * @returns whether deliveries are accepted
   */
  open(): boolean {
    if (this.#signature.isRequired && this.secret === '') {
      this.#report('secret', 'events.noSecret', noSecret());
    }
    const conflict = this.#route?.conflict();
    if (conflict) {
      this.#report('route', 'events.pathTaken', conflict);
    } else if (!this.#route) {
      this.#addRoute();
    } else {
      this.#status.clearProblem('route');
    }
    return this.#route !== undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#route?.remove(), this.#delivery.close()]);
  }

  registrationFailed(thrown: unknown): void {
    this.#report('registration', 'events.notRegistered', toIonError(thrown));
  }

  /** In a dry run. */
  notRegistered(): void {
    this.#isDryRun = true;
    this.#status.setDryRun();
  }

  /** A receiver that live mode registered stays in ION, because its removal is a mutation. */
  warnOfReceiver(): void {
    if (this.#isDryRun) this.#node.warn(this.#RED._(RECEIVER_LEFT));
  }

  registered(): void {
    this.#status.clearProblem('registration');
  }

  #addRoute(): void {
    try {
      this.#route = addRoute(this.#RED, this.path, {
        read: (request, response, next) => {
          this.#read(request, response)
            .then((isRead) => isRead && next())
            .catch((thrown) => this.#fail(thrown, request, response));
        },
        receive: (request, response) => {
          try {
            this.#receive(request, response);
          } catch (thrown) {
            this.#fail(thrown, request, response);
          }
        },
      });
      for (const text of webhookWarnings(this.#RED, this.#config, this.path)) this.#node.warn(text);
      if (needsPassword(this.#RED, this.#config)) {
        this.#status.setProblem('password', 'events.needsPassword');
      }
      this.#status.clearProblem('route');
      this.#status.show();
    } catch (thrown) {
      this.#report('route', 'events.pathTaken', toIonError(thrown));
    }
  }

  /** @returns whether Express may handle the request further */
  async #read(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!mayBeSigned(this.#signature, request.headersDistinct)) {
      this.#reject(request, response, 401);
      return false;
    }
    const body = await webhookBodies.read(request);
    if (!body) return false;
    if (!(body instanceof Uint8Array)) {
      this.#reject(request, response, body.status);
      return false;
    }
    // The route was removed, perhaps only until the next deploy.
    if (this.#isClosed) {
      this.#reject(request, response, 503);
      return false;
    }
    this.#bodies.set(request, body);
    // Body parsers that follow find a body that is already read.
    Object.assign(request, { body, _body: true });
    return true;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    // The request passed the guard, so the sender knows the password.
    this.#status.clearProblem('password');
    // The node was closed while the request was in transit, perhaps only until the next deploy.
    if (this.#isClosed) {
      this.#reject(request, response, 503);
      return;
    }
    const body = this.#bodies.get(request);
    if (!body) {
      this.#reject(request, response, 400);
      return;
    }
    const verified = verifyDelivery(this.#signature, request.headersDistinct, body);
    if ('rejection' in verified) {
      this.#reject(request, response, verified.rejection);
      return;
    }
    const { event, payload } = verified;
    if (this.#isOfResource(event)) changedLookups(this.#RED, this.#config, event.id);
    const isNew = this.#isWanted(event) && !this.#dedup.has(event, body);
    if (isNew && (this.#delivery.isFull || !this.#rate.take())) {
      this.#reject(request, response, 503);
      return;
    }
    if (isNew) this.#dedup.remember(event, body);
    // Before the flow handles the event: ION sends it again if the response takes too long.
    respond(request, response, this.expectedResponseCode);
    if (isNew) this.#delivery.deliver(event, payload);
  }

  /** An event that cannot be read may be meant for this node. */
  #isWanted(event: WebhookEvent): boolean {
    const { action } = event;
    if (!this.#isOfResource(event)) return false;
    return action === undefined || isWantedAction(this.#config, action);
  }

  #isOfResource({ resource }: WebhookEvent): boolean {
    return resource === undefined || isSameResource(resource, this.#config.resource);
  }

  #reject(request: IncomingMessage, response: ServerResponse, status: number): void {
    respond(request, response, status);
    // 503 asks for a retry, so it is not counted as a rejection.
    if (status === 503) this.#status.show();
    else this.#status.countRejected();
  }

  /** An error in the handling of a request must not end Node-RED. */
  #fail(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    this.#delivery.reportFailure(thrown);
    respond(request, response, 500);
  }

  #report(about: Problem, key: string, error: IonError): void {
    if (this.#status.setProblem(about, key)) this.#delivery.reportFailure(error);
  }
}

function noSecret(): IonError {
  return new IonError(
    'ION_CONFIG',
    'This ion-events node has no secret, so all deliveries are rejected. Enter the secret of the receiver in ION, or set a new one in both places.',
  );
}
