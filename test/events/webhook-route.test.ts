import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Application, Router } from 'express';
import type { NodeAPI } from 'node-red';
import { postRoutes } from '../../nodes/events/express-layers.js';
import { addRoute, type WebhookHandler } from '../../nodes/events/webhook-route.js';
import { thrown } from '../support/errors.js';
import { closeAfterEach, httpServer } from '../support/servers.js';
import { until } from '../support/until.js';

const express = createRequire(__filename)('express') as {
  (): Application;
  Router(): Router;
  json(): (request: unknown, response: unknown, next: () => void) => void;
};

describe('the route of a webhook', () => {
  const opened = closeAfterEach();
  let root: Application;
  let admin: Application;
  let editor: Application;
  let nodes: Application;

  /** Apps as in Node-RED: the editor's inside that of the admin API. */
  const mount = (adminRoot: string | false, nodeRoot: string) => {
    root = express();
    admin = express();
    editor = express();
    nodes = express();
    const palettes = express();
    admin.use(express.json());
    admin.post('/auth/token', (_request, response) => void response.send('token'));
    editor.get('/settings', (_request, response) => void response.send('settings'));
    editor.get('/icons/:module/:icon', (_request, response) => void response.send('icon'));
    admin.use(editor);
    const api = express();
    api.post('/flows', (request, response) => void response.send(request.body));
    admin.use(api);
    palettes.get('/palette/*', (_request, response) => void response.send('file'));
    const router = express.Router();
    router.post('/do', (_request, response) => void response.send('done'));
    palettes.use('/other', router);
    palettes.use('/files', (_request, _response, next) => next());
    // Such routes pass on other requests.
    palettes.all('*', (_request, _response, next) => next());
    admin.use(palettes);
    if (adminRoot !== false) root.use(adminRoot, admin);
    // Like httpNodeAuth.
    root.use(nodeRoot, (_request, _response, next) => next());
    root.use(nodeRoot, nodes);
    const settings = { httpAdminRoot: adminRoot, httpNodeRoot: nodeRoot };
    return { httpNode: nodes, settings } as unknown as NodeAPI;
  };
  const handler = (changes: Partial<WebhookHandler> = {}): WebhookHandler => ({
    read: (_request, _response, next) => next(),
    receive: (_request, response) => void response.end('webhook'),
    ...changes,
  });
  const refuses = (RED: NodeAPI, path: unknown) => {
    const { message } = thrown(() => addRoute(RED, path as string, handler()), 'ION_CONFIG');
    assert.match(message, /path/);
  };
  const accepts = (RED: NodeAPI, path: string) => {
    void addRoute(RED, path, handler()).remove();
  };

  const OF_EDITOR = [
    '/flows',
    '/Flows',
    '/%66lows',
    '/%2566lows',
    '/flows%2f',
    '/%2Fflows',
    '/settings',
    '/icons/a/b',
    '/auth/token',
    '/palette/script.js',
    '/other/do',
    '/files/a/b',
    '/comms',
    '/COMMS',
    '/red/red.min.js',
    '/vendor/x',
    '/types/x',
    '/favicon.ico',
  ];
  for (const path of OF_EDITOR) {
    it(`is rejected at ${path}, which the editor's server uses`, () => {
      refuses(mount('/', '/'), path);
    });
  }

  it("is rejected below the editor's root, and only there", () => {
    const RED = mount('/admin/', '/');
    for (const path of OF_EDITOR) {
      refuses(RED, `/admin${path}`);
      accepts(RED, path);
    }
    const below = mount('/', '/api/');
    for (const path of OF_EDITOR) accepts(below, path);
    const nested = mount('/api/admin/', '/api/');
    for (const path of OF_EDITOR) {
      refuses(nested, `/admin${path}`);
      accepts(nested, path);
    }
    const none = mount(false, '/');
    for (const path of OF_EDITOR) accepts(none, path);
  });

  it("is accepted at paths next to the editor's", () => {
    const RED = mount('/', '/');
    const paths = [
      '/ion/hook',
      '/flows/ion',
      '/flow',
      '/icons',
      '/redder',
      '/other',
      '/a.b/c~d/%41',
    ];
    for (const path of paths) accepts(RED, path);
  });

  for (const path of [
    '',
    '/',
    'ion',
    '//',
    '/ion/',
    '/ion//hook',
    '/../flows',
    '/x/./flows',
    '/x/%2e%2e/flows',
    '/x/%252e%252e/flows',
    '/ion/:id',
    '/ion/*',
    '/ion(.*)',
    '/ion?x',
    '/ion#x',
    '/ion\\x',
    '/ä',
    '/%',
    '/%zz',
    `/${'x'.repeat(500)}`,
    '/a'.repeat(100_000),
    `${'/a'.repeat(240)}!`,
    5,
    {},
    ['/ion'],
    null,
    true,
  ]) {
    it(`is rejected for ${JSON.stringify(path).slice(0, 40)}, which is not a path`, () => {
      refuses(mount('/', '/'), path);
    });
  }

  it("gets the bytes of its own requests, and none of the editor's, also after later additions", async () => {
    const RED = mount('/', '/');
    const read: (string | undefined)[] = [];
    const route = addRoute(
      RED,
      '/ion/hook',
      handler({
        read(request, _response, next) {
          read.push(request.url);
          next();
        },
      }),
    );
    const { url } = opened(await httpServer(root));
    const post = async (path: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + path, { method: 'POST', headers, body: '{"a":1}' });
      return [response.status, await response.text()];
    };
    assert.deepEqual(await post('/flows'), [200, '{"a":1}']);
    assert.deepEqual(await post('/ion/hook'), [200, 'webhook']);
    assert.deepEqual(await post('/ION/hook/?a=/flows#b'), [200, 'webhook']);
    await post('/ion//hook');
    await post('/ion/hook/more');
    assert.equal((await fetch(`${url}/ion/hook`)).status, 404);
    assert.deepEqual(read, ['/ion/hook', '/ION/hook/?a=/flows']);
    assert.equal(route.conflict(), undefined);
    editor.post('/ion/:what', (request, response) => void response.send(request.body));
    assert.deepEqual(await post('/ion/hook'), [200, '{"a":1}']);
    assert.equal(read.length, 2);
    assert.equal(route.conflict()?.code, 'ION_CONFIG');
    await route.remove();
  });

  it('receives the requests that are in other middleware when it is removed', async () => {
    const RED = mount('/', '/');
    const passOn: (() => void)[] = [];
    RED.settings.httpNodeMiddleware = (_request, _response, next) => void passOn.push(next);
    const route = addRoute(RED, '/ion/hook', handler());
    const { url } = opened(await httpServer(root));
    const response = fetch(`${url}/ion/hook`, { method: 'POST' });
    await until(() => passOn.length === 1);
    const removed = route.remove();
    passOn[0]?.();
    assert.equal(await (await response).text(), 'webhook');
    await removed;
    assert.equal((await fetch(`${url}/ion/hook`, { method: 'POST' })).status, 404);
  });

  it('does not wait long for a request that never arrives', async () => {
    const RED = mount('/', '/');
    let count = 0;
    RED.settings.httpNodeMiddleware = () => void count++;
    const route = addRoute(RED, '/ion/hook', handler());
    const { url } = opened(await httpServer(root));
    // The server closes its connection after the test.
    fetch(`${url}/ion/hook`, { method: 'POST' }).catch(() => {});
    await until(() => count === 1);
    await route.remove();
    assert.equal(postRoutes(RED.httpNode, '/ion/hook').length, 0);
  });

  it('removes nothing else when it is removed', async () => {
    const RED = mount('/', '/');
    const count = () => (root as unknown as { _router: { stack: object[] } })._router.stack.length;
    const before = count();
    await addRoute(RED, '/ion/hook', handler()).remove();
    assert.equal(count(), before);
    const { url } = opened(await httpServer(root));
    assert.equal((await fetch(`${url}/ion/hook`, { method: 'POST' })).status, 404);
  });
});
