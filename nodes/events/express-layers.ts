// Express's internal lists of routes and middleware: Express has no public way to read them, to remove
// a route or to put middleware first. Node-RED's http in node changes the same lists:
// https://github.com/node-red/node-red/blob/4.1.1/packages/node_modules/%40node-red/nodes/core/network/21-httpin.js
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';

export type App = NodeAPI['httpNode'];

/** A route or middleware, which Express's types do not describe. */
export interface Layer {
  handle: unknown;
  route?: {
    methods: Record<string, boolean>;
    stack: { handle: unknown }[];
  };
  /** The matched beginning of the last path, if `match` does not return it. */
  path?: string;
  match(path: string): boolean | { path: string };
}

type Handle = (request: unknown, response: unknown, next: () => void) => void;

/** Only a route for all paths matches it. */
const ANY_PATH = '/ion/any/path/with/more/levels/than/any/route/names';

export function rootOf(app: App): App {
  const parent = parentOf(app);
  return parent ? rootOf(parent) : app;
}

/** The routes for POST requests to a path in this app, without the apps mounted in it. */
export function postRoutes(app: App, path: string): Layer[] {
  return stackOf(app).filter((layer) => takesPost(layer) && matches(layer, path));
}

/**
 * Whether a path belongs to a route of an app around this one, or to a route or files of an app next
 * to it, such as Node-RED's editor and admin API.
 */
export function belongsToOtherApp(app: App, path: string): boolean {
  const parent = parentOf(app);
  if (!parent) return false;
  const outer = new Set<App>([app]);
  for (let each: App | undefined = parent; each; each = parentOf(each)) outer.add(each);
  return isHandled(rootOf(app), path, app, outer);
}

function isHandled(app: unknown, path: string, except: App, outer: ReadonlySet<unknown>): boolean {
  const isOuter = outer.has(app);
  return stackOf(app).some((layer) => {
    const begin = matched(layer, path);
    if (begin === undefined) return false;
    if (layer.route) return (takesPost(layer) || !isOuter) && !matches(layer, ANY_PATH);
    const inner = innerOf(layer.handle);
    if (inner === except) return false;
    if (inner) return isHandled(inner, normalizedPath(path.slice(begin.length)), except, outer);
    // Middleware for all paths passes requests on; middleware for one path may serve a palette's files.
    return begin !== '' && !isOuter;
  });
}

/** Puts middleware before everything else in an app. @returns a function that removes it */
export function prependMiddleware(
  app: App,
  handle: (request: IncomingMessage, response: ServerResponse, next: () => void) => void,
): () => void {
  const isMeant = (layer: Layer) => layer.handle === handle;
  app.use(handle);
  const layer = removeLayer(app, isMeant);
  if (layer) stackOf(app).unshift(layer);
  return () => void removeLayer(app, isMeant);
}

/** Removes the first layer that matches. */
export function removeLayer(app: App, isMeant: (layer: Layer) => boolean): Layer | undefined {
  const layers = stackOf(app);
  const index = layers.findIndex(isMeant);
  return index < 0 ? undefined : layers.splice(index, 1)[0];
}

export function hasHandler({ route }: Layer, wanted: unknown): boolean {
  return route?.stack.some(({ handle }) => handle === wanted) ?? false;
}

/** The path with exactly one slash before each segment, and none at its end. */
export function normalizedPath(path: string): string {
  return `/${path
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')}`;
}

function takesPost({ route }: Layer): boolean {
  return Boolean(route?.methods.post || route?.methods._all);
}

function matches(layer: Layer, path: string): boolean {
  return matched(layer, path) !== undefined;
}

/** The part of a path that a layer matches; empty for middleware without a path. */
function matched(layer: Layer, path: string): string | undefined {
  try {
    const match = layer.match(path);
    if (match === false) return undefined;
    return (match === true ? layer.path : match.path) ?? '';
  } catch {
    // Express would respond with 400, because it cannot decode a parameter of the route.
    return path;
  }
}

function parentOf(app: App): App | undefined {
  return (app as unknown as { parent?: App }).parent;
}

/** The list that a router or an app itself uses, so that it can be changed. */
function stackOf(owner: unknown): Layer[] {
  const app = owner as { stack?: Layer[]; _router?: { stack: Layer[] }; router?: unknown };
  if (Array.isArray(app.stack)) return app.stack;
  // Express 4 creates its router with the first route, and throws when `router` is read.
  if (app._router) return app._router.stack;
  try {
    return (app.router as { stack: Layer[] }).stack ?? [];
  } catch {
    return [];
  }
}

/** The router or the app behind a layer. */
function innerOf(handle: unknown): unknown {
  if (typeof handle !== 'function') return undefined;
  if (handle.name === 'mounted_app') return mountedApp(handle as Handle);
  return 'stack' in handle || 'mountpath' in handle ? handle : undefined;
}

const mountedApps = new WeakMap<Handle, unknown>();

/**
 * The app that `use` mounted. Express hides it in a closure, but sets it on the prototype of each
 * request: here of a request that ends there, before any handler runs.
 */
function mountedApp(handle: Handle): unknown {
  const known = mountedApps.get(handle);
  if (known) return known;
  let app: unknown;
  const outer = { request: {}, response: {} };
  const request: Record<string, unknown> = { url: '/', method: 'POST', headers: {}, app: outer };
  const watched = new Proxy(request, {
    setPrototypeOf(_target, prototype) {
      if (app) return true;
      app = (prototype as { app?: unknown } | null)?.app;
      // Without a URL, Express 4 runs no further layer after the error.
      request.url = undefined;
      throw new Error('The request ends here.');
    },
  });
  try {
    handle(watched, { setHeader() {} }, () => {});
  } catch {
    // Express 5 throws the error.
  }
  if (app) mountedApps.set(handle, app);
  return app;
}
