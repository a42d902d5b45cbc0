import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import {
  belongsToOtherApp,
  hasHandler,
  normalizedPath,
  postRoutes,
  prependMiddleware,
  removeLayer,
  rootOf,
} from './express-layers.js';
import { respond } from './respond.js';

export interface WebhookHandler {
  /** Reads the bytes of a request before any parser does, and then calls `next`. */
  read(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Handles the request after Node-RED's own guards have let it through. */
  receive(request: IncomingMessage, response: ServerResponse): void;
}

export interface WebhookRoute {
  /** The error to report if another route with the same path was added later. */
  conflict(): IonError | undefined;
  /** Resolves after the requests in transit to the route have arrived there. */
  remove(): Promise<void>;
}

const MAX_PATH_LENGTH = 500;
/** Other middleware may never pass on a request. */
const MAX_TRANSIT_MS = 1000;
/** Allowed besides letters and digits; Express reads none of them as a pattern. */
const PATH_CHARACTERS = '_.~%-';
/** The editor's socket and its files, which have no routes. */
const EDITOR_PATHS = ['/comms', '/red', '/vendor', '/types', '/favicon.ico'];

/**
 * Adds a route for POST requests to Node-RED's HTTP server, beside those of its http in nodes.
 * @throws IonError `ION_CONFIG` if the path is wrong or taken
 */
export function addRoute(RED: NodeAPI, path: string, handler: WebhookHandler): WebhookRoute {
  if (RED.settings.httpNodeRoot === false) {
    throw new IonError(
      'ION_CONFIG',
      'Node-RED accepts no requests for nodes, because httpNodeRoot is false in its settings. Only polling works.',
    );
  }
  if (!isPath(path)) {
    const given = String(path).slice(0, 100);
    throw new IonError('ION_CONFIG', `"${given}" is not a path, such as "/ion/run-steps".`);
  }
  const { httpNode } = RED;
  const address = normalizedPath(httpNode.path() + path);
  const variants = variantsOf(address);
  const isOfEditor = () => variants.some((variant) => isTakenByEditor(RED, variant));
  if (isOfEditor()) throw takenByEditor(path);
  if (postRoutes(httpNode, path).length > 0) {
    throw new IonError(
      'ION_CONFIG',
      `The path "${path}" is already used by another node. Give each ion-events and http in node a different path.`,
    );
  }
  const { httpNodeMiddleware } = RED.settings;
  const inTransit = new RequestsInTransit();
  const receive = (request: IncomingMessage, response: ServerResponse) => {
    inTransit.end(response);
    handler.receive(request, response);
  };
  httpNode.post(path, ...[httpNodeMiddleware ?? []].flat(), receive);
  // The editor's server parses every JSON body and keeps no bytes, so they are read before it. The
  // http in node of Node-RED does the same for raw bodies (see express-layers.ts).
  const stopReading = prependMiddleware(rootOf(httpNode), (request, response, next) => {
    const isMeant = request.method === 'POST' && isAt(request, address);
    // A route of the admin API may have been added later.
    if (isMeant && !isOfEditor()) {
      handler.read(request, response, () => {
        inTransit.begin(response);
        next();
      });
    } else next();
  });
  return {
    conflict() {
      if (isOfEditor()) return takenByEditor(path);
      const isShared = postRoutes(httpNode, path).some((layer) => !hasHandler(layer, receive));
      return isShared ? shared(path) : undefined;
    },
    async remove() {
      stopReading();
      // Without their route, they would get 404.
      if (inTransit.size > 0) await inTransit.ended();
      removeLayer(httpNode, (layer) => hasHandler(layer, receive));
    },
  };
}

/** Requests that were read and are not at their route yet: Express runs other middleware in between. */
class RequestsInTransit {
  readonly #responses = new Set<ServerResponse>();
  #onEmpty = (): void => {};

  get size(): number {
    return this.#responses.size;
  }

  begin(response: ServerResponse): void {
    this.#responses.add(response);
    response.once('close', () => this.end(response));
  }

  end(response: ServerResponse): void {
    this.#responses.delete(response);
    if (this.size === 0) this.#onEmpty();
  }

  async ended(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, MAX_TRANSIT_MS);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * Responds to POST requests to a path with 503 until a node receives them. ION repeats a delivery after
 * 503, but not after the 404 that Node-RED would send.
 * @returns a function that ends this
 */
export function holdPath(RED: NodeAPI, path: string): () => void {
  if (RED.settings.httpNodeRoot === false || !isPath(path)) return () => {};
  const { httpNode } = RED;
  const address = normalizedPath(httpNode.path() + path);
  const variants = variantsOf(address);
  return prependMiddleware(rootOf(httpNode), (request, response, next) => {
    const isHeld =
      request.method === 'POST' &&
      isAt(request, address) &&
      postRoutes(httpNode, path).length === 0 &&
      !variants.some((variant) => isTakenByEditor(RED, variant));
    if (isHeld) respond(request, response, 503);
    else next();
  });
}

function isPath(path: unknown): path is string {
  if (typeof path !== 'string' || path.length > MAX_PATH_LENGTH) return false;
  const [first, ...segments] = path.split('/');
  if (first !== '' || segments.length === 0 || decoded(path) === undefined) return false;
  const isValid = segments.every((segment) => segment !== '' && isPlainSegment(segment));
  // A proxy may remove such segments.
  const hasDots = (variant: string) => variant.split('/').some((each) => /^\.{1,2}$/.test(each));
  return isValid && !variantsOf(path).some(hasDots);
}

function isPlainSegment(segment: string): boolean {
  return [...segment].every((each) => /^[A-Za-z0-9]$/.test(each) || PATH_CHARACTERS.includes(each));
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A path as it is written, and as a proxy may rewrite it. */
function variantsOf(path: string): string[] {
  const variants: string[] = [];
  let variant: string | undefined = path;
  while (variant !== undefined && !variants.includes(variant)) {
    variants.push(variant);
    variant = decoded(variant);
  }
  return variants.map(normalizedPath);
}

/** Whether a path belongs to the editor, to the admin API or to another app next to the nodes' app. */
function isTakenByEditor({ httpNode, settings }: NodeAPI, path: string): boolean {
  return isEditorFile(settings.httpAdminRoot, path) || belongsToOtherApp(httpNode, path);
}

function isEditorFile(adminRoot: string | false | undefined, path: string): boolean {
  if (adminRoot === false) return false;
  return EDITOR_PATHS.some((each) => {
    const file = normalizedPath(`${adminRoot ?? ''}${each}`).toLowerCase();
    return `${path.toLowerCase()}/`.startsWith(`${file}/`);
  });
}

function takenByEditor(path: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The path "${path}" belongs to Node-RED's editor or admin API. Choose another path, such as "/ion/run-steps".`,
  );
}

function shared(path: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The path "${path}" is also used by another node, which receives no requests now. Give each node a different path.`,
  );
}

/** Compares paths in the way of Express, which handles the request later. */
function isAt({ url = '' }: IncomingMessage, address: string): boolean {
  const end = url.search(/[?#]/);
  const path = (end < 0 ? url : url.slice(0, end)).toLowerCase();
  const wanted = address.toLowerCase();
  return path === wanted || path === `${wanted}/`;
}
