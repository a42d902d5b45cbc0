import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

// Node-RED's own library, which it uses to check the hashes.
const fromNodeRed = createRequire(createRequire(__filename).resolve('node-red'));
const bcrypt: { hashSync(text: string, rounds: number): string } = fromNodeRed('bcryptjs');

const PASSWORD = 'for this test only';
/** A static token of the settings. */
const MONITORING = 'a-token-for-this-test-only';

interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** Whether it uses the API key, besides reading the schema once. */
  acts: boolean;
  body?: object;
}

describe('the admin routes of a Node-RED with users', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  const tokens: Record<string, string> = {};
  const answers: string[] = [];

  const config = { environment: 'custom', apiUrl: '', authUrl: '' };
  const routes: Route[] = [
    { method: 'GET', path: 'ion-config/config/schema', acts: false },
    { method: 'GET', path: 'ion-config/config/schema?refresh=1', acts: true },
    {
      method: 'POST',
      path: 'ion-config/config/run',
      acts: true,
      body: { query: '{ me { id } }' },
    },
    {
      method: 'POST',
      path: 'ion-config/config/find',
      acts: true,
      body: { kind: 'run', search: '' },
    },
    {
      method: 'POST',
      path: 'ion-config/config/lookup',
      acts: true,
      body: { by: 'serial', value: 'x' },
    },
    { method: 'POST', path: 'ion-config/config/check', acts: true, body: {} },
    { method: 'GET', path: 'ion-config/config/outbox', acts: false },
    { method: 'GET', path: 'ion-config/metrics', acts: false },
    // The write of this flow is rejected, which no limit forbids.
    { method: 'GET', path: 'ion-config/health', acts: false },
    { method: 'GET', path: 'ion-config/status', acts: false },
    { method: 'POST', path: 'ion-config/watch', acts: false, body: { watcher: 'test' } },
    {
      method: 'POST',
      path: 'ion-config/config/outbox',
      acts: true,
      body: { decision: 'discard', sequences: [] },
    },
    // The write that this flow adds; it shows values of messages in full.
    { method: 'GET', path: 'ion-config/config/outbox/1', acts: true },
    ...['test', 'check', 'schema', 'find', 'run', 'lookup'].map((name): Route => {
      const credentials = { clientId: 'sandbox-key', clientSecret: '__PWRD__' };
      const wanted = { kind: 'run', search: '', query: '{ me { id } }', by: 'run', value: 'x' };
      const body = { id: 'config', config, credentials, ...wanted };
      return { method: 'POST', path: `ion-config/${name}`, acts: true, body };
    }),
  ];

  before(async () => {
    const { clientId, clientSecret, url, authUrl } = context.sandbox;
    Object.assign(config, { apiUrl: url, authUrl });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      // Adds a write to the outbox that cannot be delivered.
      { id: 'in', type: 'inject', z: 'flow', props: [], once: true, wires: [['write']] },
      {
        ...{ ...stepNode, id: 'write', z: 'flow', delivery: 'outbox', outputs: 2 },
        ...{ step: 'none', stepType: 'str', run: '1', runType: 'num', wires: [[], []] },
      },
    ];
    const key = { config: { clientId, clientSecret } };
    await prepareUserDir(folder.path, flow, key);
    const password = bcrypt.hashSync(PASSWORD, 4);
    nodeRed = await RunningNodeRed.startForEditor(folder.path, {
      settings: {
        adminAuth: {
          type: 'credentials',
          users: [
            { username: 'engineer', password, permissions: '*' },
            { username: 'visitor', password, permissions: 'read' },
            { username: 'monitoring', password, permissions: 'ion-config.read' },
          ],
          tokens: [{ token: MONITORING, user: 'monitoring', scope: 'ion-config.read' }],
        },
      },
    });
    tokens.monitoring = MONITORING;
    for (const username of ['engineer', 'visitor']) {
      const response = await fetch(`${nodeRed.url}/auth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          client_id: 'node-red-admin',
          grant_type: 'password',
          scope: username === 'engineer' ? '*' : 'read',
          username,
          password: PASSWORD,
        }),
      });
      const { access_token: token } = (await response.json()) as { access_token: string };
      tokens[username] = token;
    }
  });
  after(() => nodeRed?.stop());

  const status = async ({ method, path, body }: Route, user?: string) => {
    const response = await fetch(`${nodeRed.url}/${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(user && { authorization: `Bearer ${tokens[user]}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    answers.push(await response.text());
    return response.status;
  };

  it('are those that are tested here', async () => {
    const nodes = join(root, 'nodes');
    const files = (await readdir(nodes, { recursive: true })).filter((name) => /\.ts$/.test(name));
    const sources = await Promise.all(files.map((name) => readFile(join(nodes, name), 'utf8')));
    const uses = sources.flatMap((source) => [...source.matchAll(/\bhttpAdmin\b.*/g)].map(String));
    const ROUTE =
      /^httpAdmin\.(get|post|put|delete)\('\/([^']+)', (?:read|write|readOrRefresh), \(/;
    const registered = uses.flatMap((use) => {
      const route = ROUTE.exec(use);
      return route ? [route] : [];
    });
    // The only other use takes it out of Node-RED's API.
    assert.deepEqual(
      uses.filter((use) => !ROUTE.test(use)),
      ['httpAdmin, auth } = RED;'],
    );
    assert.deepEqual(
      registered.map(([, method, path]) => `${method?.toUpperCase()} ${path}`).sort(),
      routes
        .filter(({ path }) => !path.includes('?'))
        .map(({ method, path }) => {
          const route = path.replace('/config/', '/:id/').replace(/\d+$/, ':sequence');
          return `${method} ${route}`;
        })
        .sort(),
    );
  });

  for (const route of routes) {
    const name = `${route.method} ${route.path}`;

    it(`reject ${name} without a user`, async () => {
      assert.equal(await status(route), 401);
    });

    it(`${route.acts ? 'refuse' : 'allow'} ${name} to a read-only user`, async () => {
      const answered = await status(route, 'visitor');
      if (route.acts) assert.ok([401, 403].includes(answered), `HTTP ${answered}`);
      else assert.equal(answered, 200);
    });

    it(`allow ${name} to a user with all permissions`, async () => {
      assert.equal(await status(route, 'engineer'), 200);
    });
  }

  it('let the token of a monitoring system read, and nothing else', async () => {
    for (const route of routes) {
      const answered = await status(route, 'monitoring');
      assert.equal(answered === 200, !route.acts, `${route.path}: HTTP ${answered}`);
    }
    const flows = await fetch(`${nodeRed.url}/flows`, {
      headers: { authorization: `Bearer ${MONITORING}` },
    });
    assert.equal(flows.status, 401);
  });

  it('let the session of a monitoring system read, as documented', async () => {
    const login = await fetch(`${nodeRed.url}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: 'ion-config.read',
        username: 'monitoring',
        password: PASSWORD,
      }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const scrape = await fetch(`${nodeRed.url}/ion-config/metrics`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(scrape.status, 200);
  });

  it('return neither the client secret nor a token, also if they fail', async () => {
    const { sandbox } = context;
    const test = routes.find(({ path }) => path === 'ion-config/test');
    assert.ok(test);
    const wrong = { clientId: 'sandbox-key', clientSecret: 'a-wrong-secret' };
    await status({ ...test, body: { ...test.body, credentials: wrong } }, 'engineer');
    for (const kind of ['reset', 'half', 'unauthorized'] as const) {
      sandbox.control.fault({ target: 'api', kind });
      await status(test, 'engineer');
    }
    assert.ok(answers.length > 3 * routes.length);
    for (const answer of answers) {
      assert.ok(!answer.includes(sandbox.clientSecret));
      assert.ok(!answer.includes(wrong.clientSecret));
      assert.doesNotMatch(answer, /eyJ[\w-]{8,}\.[\w-]+/);
    }
  });

  it('accept no form that a web page can make a browser send', async () => {
    for (const { path, method } of routes.filter((route) => route.method === 'POST')) {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', undefined]) {
        const response = await fetch(`${nodeRed.url}/${path}`, {
          method,
          headers: {
            authorization: `Bearer ${tokens.engineer}`,
            ...(type && { 'content-type': type }),
          },
          ...(type && { body: 'decision=discard&sequences=all' }),
        });
        const { code } = (await response.json()) as { code: string };
        assert.deepEqual([response.status, code], [415, 'ION_CONFIG'], `${path} ${type}`);
      }
    }
  });

  it('are behind buttons that a read-only user cannot press', async function () {
    await until(async () => {
      const response = await fetch(`${nodeRed.url}/ion-config/config/outbox`, {
        headers: { authorization: `Bearer ${tokens.visitor}` },
      });
      return ((await response.json()) as { givenUp: number }).givenUp === 1;
    });
    const editor = await Editor.open(this, `${nodeRed.url}/?access_token=${tokens.visitor}`);
    try {
      const { page } = editor;
      await editor.editConfig('ion-config', 'config');
      await page.waitForSelector('#ion-config-test:disabled');
      const hint = 'You do not have permission to test the connection.';
      await page.getByText(hint).waitFor();
      await page.fill('#node-config-input-clientId', 'another');
      assert.equal(await page.isEnabled('#ion-config-test'), false);
      assert.equal(await page.isEnabled('#ion-config-check'), false);
      assert.equal(await page.textContent('#ion-config-test-result'), hint);
      await page.locator('#ion-config-outbox-rejected-writes li').waitFor();
      await page.getByText('You do not have permission to change the outbox.').waitFor();
      const buttons = page.locator('#ion-config-outbox .ion-config-outbox-decide');
      assert.equal(await buttons.count(), 6);
      for (const button of await buttons.all()) assert.equal(await button.isEnabled(), false);
      assert.equal(await page.isEnabled('#ion-config-outbox-refresh'), true);
      assert.deepEqual(editor.errors, []);
    } finally {
      await editor.close();
    }
  });
});
