import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import {
  addFirst,
  hasHandle,
  isOfOthers,
  normal,
  postRoutes,
  rootOf,
  takeOut,
} from './express-layers.js';
import { answer as respond } from './respond.js';

export interface WebhookHandler {
  /** Takes the bytes of a request before anything else can, and then lets it go on. */
  read(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Answers it, once Node-RED's own guards have let it through. */
  answer(request: IncomingMessage, response: ServerResponse): void;
}

export interface WebhookRoute {
  /** The error to report if another route with the same path was added since then. */
  conflict(): IonError | undefined;
  remove(): void;
}

const MAX_PATH_LENGTH = 500;
/** Besides letters and digits; nothing that Express reads as a pattern. */
const PATH_CHARACTERS = '_.~%-';
/** The editor's socket and its files, which are no routes. */
const EDITOR_PATHS = ['/comms', '/red', '/vendor', '/types', '/favicon.ico'];

/**
 * Adds a route for POST requests to Node-RED's HTTP server, beside those of its http in nodes.
 * @throws IonError `ION_CONFIG` where the path is wrong or taken
 */
export function addRoute(RED: NodeAPI, path: string, handler: WebhookHandler): WebhookRoute {
  if (RED.settings.httpNodeRoot === false) {
    throw new IonError(
      'ION_CONFIG',
      'Node-RED takes no requests for nodes, because httpNodeRoot is false in its settings: events can only be polled.',
    );
  }
  if (!isPath(path)) {
    const given = String(path).slice(0, 100);
    throw new IonError('ION_CONFIG', `"${given}" is not a path, such as "/ion/run-steps".`);
  }
  const { httpNode } = RED;
  const address = normal(httpNode.path() + path);
  const variants = variantsOf(address);
  const isOfEditor = () => variants.some((variant) => isTakenByEditor(RED, variant));
  if (isOfEditor()) throw takenByEditor(path);
  if (postRoutes(httpNode, path).length > 0) {
    throw new IonError(
      'ION_CONFIG',
      `The path "${path}" is used by another node already. Give each ion-events and http in node a path of its own.`,
    );
  }
  const { httpNodeMiddleware } = RED.settings;
  const { read, answer } = handler;
  httpNode.post(path, ...[httpNodeMiddleware ?? []].flat(), answer);
  // The editor's server parses every JSON body that passes it, and keeps no bytes: they are read
  // before that. Node-RED's http in node does the same for raw bodies.
  const stopReading = addFirst(rootOf(httpNode), (request, response, next) => {
    const isMeant = request.method === 'POST' && isAt(request, address);
    // A route of the admin API may have been added since then.
    if (isMeant && !isOfEditor()) read(request, response, next);
    else next();
  });
  return {
    conflict() {
      if (isOfEditor()) return takenByEditor(path);
      const isShared = postRoutes(httpNode, path).some((layer) => !hasHandle(layer, answer));
      return isShared ? shared(path) : undefined;
    },
    remove() {
      stopReading();
      takeOut(httpNode, (layer) => hasHandle(layer, answer));
    },
  };
}

/**
 * Answers POST requests to a path with 503, as long as no node takes them: ION sends an event again
 * after that, and not after the 404 that it would get from Node-RED meanwhile.
 * @returns what ends that
 */
export function holdPath(RED: NodeAPI, path: string): () => void {
  if (RED.settings.httpNodeRoot === false || !isPath(path)) return () => {};
  const { httpNode } = RED;
  const address = normal(httpNode.path() + path);
  const variants = variantsOf(address);
  return addFirst(rootOf(httpNode), (request, response, next) => {
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
  const isGood = segments.every((segment) => segment !== '' && isPlain(segment));
  // A proxy may take such segments out.
  const hasDots = (variant: string) => variant.split('/').some((each) => /^\.{1,2}$/.test(each));
  return isGood && !variantsOf(path).some(hasDots);
}

function isPlain(segment: string): boolean {
  return [...segment].every((each) => /^[A-Za-z0-9]$/.test(each) || PATH_CHARACTERS.includes(each));
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A path as it is written, and as proxies may write it before they pass it on. */
function variantsOf(path: string): string[] {
  const variants: string[] = [];
  let variant: string | undefined = path;
  while (variant !== undefined && !variants.includes(variant)) {
    variants.push(variant);
    variant = decoded(variant);
  }
  return variants.map(normal);
}

/** Whether a path belongs to the editor, to the admin API or to another app beside that of the nodes. */
function isTakenByEditor({ httpNode, settings }: NodeAPI, path: string): boolean {
  return isEditorFile(settings.httpAdminRoot, path) || isOfOthers(httpNode, path);
}

function isEditorFile(adminRoot: string | false | undefined, path: string): boolean {
  if (adminRoot === false) return false;
  return EDITOR_PATHS.some((each) => {
    const file = normal(`${adminRoot ?? ''}${each}`).toLowerCase();
    return `${path.toLowerCase()}/`.startsWith(`${file}/`);
  });
}

function takenByEditor(path: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The path "${path}" belongs to Node-RED's editor or its admin API. Choose another one, such as "/ion/run-steps".`,
  );
}

function shared(path: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The path "${path}" is used by another node as well, which gets no requests now. Give each node a path of its own.`,
  );
}

/** Compares as Express does, which has not looked at the request yet. */
function isAt({ url = '' }: IncomingMessage, address: string): boolean {
  const end = url.search(/[?#]/);
  const path = (end < 0 ? url : url.slice(0, end)).toLowerCase();
  const wanted = address.toLowerCase();
  return path === wanted || path === `${wanted}/`;
}
