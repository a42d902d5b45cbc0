import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';

export interface WebhookHandler {
  /** Takes the bytes of a request before anything else can, and then lets it go on. */
  read(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Answers it, once Node-RED's own guards have let it through. */
  answer(request: IncomingMessage, response: ServerResponse): void;
}

export interface WebhookRoute {
  /** Another route that was added since then has the same path. */
  isShared(): boolean;
  remove(): void;
}

/** What Express keeps of each route and middleware; its types do not tell. */
interface Layer {
  handle: unknown;
  route?: {
    methods: Record<string, boolean>;
    stack: { handle: unknown }[];
  };
  match(path: string): boolean;
}

type App = NodeAPI['httpNode'];

/** Without anything that Express reads as a pattern. */
const PATH = /^(\/[\w.~%-]+)+$/;

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
  if (!PATH.test(path)) {
    throw new IonError('ION_CONFIG', `"${path}" is not a path, such as "/ion/run-steps".`);
  }
  if (postLayers(RED, path).length > 0) {
    throw new IonError(
      'ION_CONFIG',
      `The path "${path}" is used by another node already. Give each ion-events and http in node a path of its own.`,
    );
  }
  const { httpNodeMiddleware } = RED.settings;
  const { read, answer } = handler;
  RED.httpNode.post(path, ...[httpNodeMiddleware ?? []].flat(), answer);
  const stopReading = readFirst(RED, path, read);
  return {
    isShared: () => postLayers(RED, path).some((layer) => !belongsTo(layer, answer)),
    remove() {
      stopReading();
      takeOut(RED.httpNode, (layer) => belongsTo(layer, answer));
    },
  };
}

/**
 * Lets the bytes be read before the editor's server, which parses every JSON body that passes it
 * and keeps no bytes. Node-RED's http in node does the same for raw bodies.
 * @returns what ends it
 */
function readFirst({ httpNode }: NodeAPI, path: string, read: WebhookHandler['read']): () => void {
  const address = normal(httpNode.path() + path);
  const readAtPath = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (request.method === 'POST' && normal(pathOf(request)) === address) {
      read(request, response, next);
    } else {
      next();
    }
  };
  const root = rootOf(httpNode);
  root.use(readAtPath);
  const isOurs = ({ handle }: Layer) => handle === readAtPath;
  const [layer] = takeOut(root, isOurs);
  if (layer) stackOf(root).unshift(layer);
  return () => void takeOut(root, isOurs);
}

function rootOf(app: App): App {
  const { parent } = app as unknown as { parent?: App };
  return parent ? rootOf(parent) : app;
}

/** Express has not looked at the request yet. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/[?#].*$/s, '');
}

/** As Express compares paths. */
function normal(path: string): string {
  return path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
}

function takeOut(app: App, isMeant: (layer: Layer) => boolean): Layer[] {
  const layers = stackOf(app);
  const index = layers.findIndex(isMeant);
  return index < 0 ? [] : layers.splice(index, 1);
}

function postLayers(RED: NodeAPI, path: string): Layer[] {
  return stackOf(RED.httpNode).filter((layer) => {
    const methods = layer.route?.methods;
    return (methods?.post || methods?._all) && layer.match(path);
  });
}

function belongsTo({ route }: Layer, answer: WebhookHandler['answer']): boolean {
  return route?.stack.some(({ handle }) => handle === answer) ?? false;
}

/** The very list, so that a route can be taken out of it: Express offers no other way. */
function stackOf(httpNode: App): Layer[] {
  const app = httpNode as unknown as { _router?: { stack: Layer[] }; router: { stack: Layer[] } };
  // Express 4 makes its router with the first route, and refuses to be asked by the other name.
  if (app._router) return app._router.stack;
  try {
    return app.router.stack;
  } catch {
    return [];
  }
}
