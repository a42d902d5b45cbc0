import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const SECRET = 'example-secret';
const BODY = '{"event_id":1,"resource":"runs"}';
/** Paths that Node-RED itself uses, or a node that it includes. */
const OF_EDITOR = [
  '/flows',
  '/FLOWS',
  '/%66lows',
  '/flow',
  '/flow/abc',
  '/flows/state',
  '/nodes',
  '/nodes/node-red',
  '/context/global',
  '/settings',
  '/settings/user',
  '/settings/user/keys',
  '/diagnostics',
  '/plugins',
  '/auth/login',
  '/library/local/flows/a',
  '/locales/editor',
  '/icons',
  '/icons/node-red/inject.svg',
  '/credentials/ion-config/abc',
  '/theme',
  '/resources/a/b',
  '/projects',
  '/inject/abc',
  '/debug/view/a',
  '/ion-config/test',
  '/ion-config/check',
  '/ion-config/schema',
  '/ion-config/find',
  '/ion-config/run',
  '/ion-config/abc/run',
  '/ion-config/abc/check',
  '/ion-config/abc/schema',
  '/comms',
  '/red/red.min.js',
  '/vendor/vendor.js',
  '/favicon.ico',
];
const FREE = ['/ion/hook', '/flows/of/ion', '/flowsion'];

describe("a webhook's path in a real Node-RED", () => {
  const context = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed | undefined;
  afterEach(() => nodeRed?.stop());

  const begin = async (name: string, paths: string[], settings: object, properties = {}) => {
    const userDir = join(folder.path, name);
    await mkdir(userDir);
    const { clientId, clientSecret } = context.sandbox;
    const hooks = paths.map(
      (path, index): FlowNode => ({
        ...eventsNode,
        ...properties,
        id: `hook${index}`,
        via: 'webhook',
        path,
        wires: [],
        z: 'flow',
        x: 0,
        y: 0,
      }),
    );
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      ...hooks,
    ];
    const secrets = Object.fromEntries(hooks.map(({ id }) => [id, { secret: SECRET }]));
    const credentials = { config: { clientId, clientSecret }, ...secrets };
    await prepareUserDir(userDir, flow, credentials);
    const running = await RunningNodeRed.start(userDir, { settings });
    nodeRed = running;
    const post = async (path: string): Promise<number> => {
      const signature = createHmac('sha256', SECRET).update(BODY).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-ion-signature': signature };
      const response = await fetch(running.url + path, { method: 'POST', headers, body: BODY });
      return response.status;
    };
    return { running, flow, userDir, post };
  };
  const refusedPaths = ({ log }: RunningNodeRed) =>
    [...log.matchAll(/The path "([^"]+)" belongs to Node-RED's editor/g)].map(([, path]) => path);

  it('is rejected if the editor or its admin API uses it, so that flows can be deployed', async () => {
    const paths = [...OF_EDITOR, ...FREE];
    const { running, flow, post } = await begin('plain', paths, {});
    await running.until(() => refusedPaths(running).length >= OF_EDITOR.length);
    assert.deepEqual(refusedPaths(running).sort(), [...OF_EDITOR].sort());
    // Like the editor, while the nodes exist.
    await running.deploy(flow as FlowNode[], 'nodes');
    for (const path of FREE) assert.equal(await post(path), 200);
  });

  it('is free if the editor is at another root', async () => {
    const below = OF_EDITOR.map((path) => `/admin${path}`);
    const paths = [...below, ...OF_EDITOR];
    const { running, post } = await begin('roots', paths, { httpAdminRoot: '/admin' });
    await running.until(() => refusedPaths(running).length >= below.length);
    assert.deepEqual(refusedPaths(running).sort(), [...below].sort());
    for (const path of OF_EDITOR) {
      // The same path in upper or lower case belongs to the first node.
      if (path !== '/FLOWS') assert.equal(await post(path), 200, path);
    }
    const editor = await fetch(`${running.url}/admin/flows`);
    assert.equal(editor.status, 200);
  });

  it('is free if the nodes have a separate root, or there is no editor', async () => {
    for (const [name, settings, root] of [
      ['api', { httpNodeRoot: '/api' }, '/api'],
      ['headless', { httpAdminRoot: false }, ''],
    ] as const) {
      const { running, post } = await begin(name, ['/flows', '/comms', '/red/a'], settings);
      for (const path of ['/flows', '/comms', '/red/a']) {
        await until(async () => (await post(root + path)) === 200);
      }
      assert.deepEqual(refusedPaths(running), []);
      await running.stop();
    }
  });

  it("goes to ION with the Node-RED's own ID", async () => {
    const properties = { register: true, publicUrl: 'http://127.0.0.1:9' };
    const { userDir } = await begin('registered', ['/ion/hook'], {}, properties);
    const { data } = context.sandbox;
    await until(() => data.webhookReceivers.all().length > 0);
    const file = await readFile(join(userDir, '.config.runtime.json'), 'utf8');
    const { instanceId } = JSON.parse(file) as { instanceId: string };
    assert.match(instanceId, /^[0-9a-f]{16}$/);
    assert.deepEqual(
      data.webhookReceivers.all().map(({ name }) => name),
      [`Node-RED ion-events (hook0, ${instanceId})`],
    );
  });
});
