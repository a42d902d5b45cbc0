import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { freePort, prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const SECRET = 'example-secret';
const PATH = '/ion/hook';
/** Time in which the neighbor of the webhook finishes its work. */
const CLOSE_MS = 1000;
const SLOW_NODE = `module.exports = (RED) => {
  RED.nodes.registerType('slow-to-close', function (config) {
    RED.nodes.createNode(this, config);
    this.on('close', (removed, done) => setTimeout(done, ${CLOSE_MS}));
  });
};`;

describe('a webhook of a Node-RED', () => {
  const context = useSandbox({ runs: 10 });
  const folder = useTemporaryFolder();
  const running = new Set<RunningNodeRed>();
  afterEach(async () => {
    await Promise.all([...running].map((each) => each.stop()));
    running.clear();
  });

  const tab = { id: 'flow', type: 'tab', label: 'test' };
  const place = (node: FlowNode): FlowNode => ({ z: 'flow', x: 0, y: 0, wires: [], ...node });
  const start = async (userDir: string, settings = {}) => {
    const port = await freePort();
    const env = { PUBLIC_URL: `http://127.0.0.1:${port}` };
    const nodeRed = await RunningNodeRed.start(userDir, { port, env, settings });
    running.add(nodeRed);
    return nodeRed;
  };
  const credentials = () => {
    const { clientId, clientSecret } = context.sandbox;
    return { config: { clientId, clientSecret }, hook: { secret: SECRET } };
  };
  const hookAt = (path: string, properties = {}) =>
    place({ ...eventsNode, id: 'hook', via: 'webhook', path, ...properties });

  it('that is redeployed asks ION to retry, and has no address once the node is deleted', async () => {
    const userDir = join(folder.path, 'redeployed');
    await mkdir(userDir);
    const slow = place({ id: 'slow', type: 'slow-to-close' });
    await mkdir(join(userDir, 'nodes'));
    await writeFile(join(userDir, 'nodes', 'slow.html'), '');
    await writeFile(join(userDir, 'nodes', 'slow.js'), SLOW_NODE);
    const flow = [tab, sandboxConfig(context.sandbox), hookAt(PATH), slow];
    await prepareUserDir(userDir, flow, credentials());
    const nodeRed = await start(userDir);
    let count = 0;
    const post = async (path = PATH): Promise<{ status: number; retryAfter: string | null }> => {
      const body = JSON.stringify({ event_id: ++count, resource: 'run_steps', action: 'update' });
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-ion-signature': signature };
      const { status, headers: got } = await fetch(nodeRed.url + path, {
        method: 'POST',
        headers,
        body,
      });
      return { status, retryAfter: got.get('retry-after') };
    };
    /** Responses during a deploy. */
    const answersDuring = async (deploy: () => Promise<void>): Promise<Set<string>> => {
      const answers: Promise<{ status: number; retryAfter: string | null }>[] = [];
      const deployed = deploy().then(() => true);
      while (!(await Promise.race([deployed, sleep(5, false)]))) answers.push(post());
      const all = await Promise.all(answers);
      return new Set(all.map(({ status, retryAfter }) => `${status} ${retryAfter}`));
    };
    await until(async () => (await post()).status === 200);

    const renamed = flow.map((node) => ({ ...node, name: 'renamed' }));
    assertOnlyLater(await answersDuring(() => nodeRed.deploy(renamed)));
    const modified = flow.map((node) => ({ ...node, name: 'modified' }));
    assertOnlyLater(await answersDuring(() => nodeRed.deploy(modified, 'nodes')));
    assert.equal((await post()).status, 200);
    const moved = [tab, sandboxConfig(context.sandbox), hookAt('/ion/moved'), slow];
    await nodeRed.deploy(moved);
    assert.deepEqual([(await post()).status, (await post('/ion/moved')).status], [404, 200]);
    const deletedDuring = nodeRed.deploy([tab, sandboxConfig(context.sandbox)]);
    await until(async () => (await post('/ion/moved')).status === 404);
    await deletedDuring;
    assert.equal((await post('/ion/moved')).status, 404);
  });

  it('reports settings of Node-RED that keep ION out, and continues with a proxy that helps', async () => {
    const userDir = join(folder.path, 'guarded');
    await mkdir(userDir);
    const { data } = context.sandbox;
    const properties = { register: true, publicUrl: 'http://127.0.0.1:9' };
    const flow = [tab, sandboxConfig(context.sandbox), hookAt(PATH, properties)];
    await prepareUserDir(userDir, flow, credentials());
    // Its password is "password".
    const pass = '$2b$08$qvjuoHo46LTlcpdm.J32fODfaILTmEy/9n3gTfXFwnSagrpsv06/q';
    const nodeRed = await start(userDir, {
      ...{ httpNodeRoot: '/api', httpNodeAuth: { user: 'user', pass } },
    });
    await nodeRed.listen();
    await nodeRed.until(() => /\[warn\].*httpNodeAuth/.test(nodeRed.log));
    await nodeRed.until(() => /\[warn\].*does not include \/api/.test(nodeRed.log));
    const isShown = (text: string) =>
      nodeRed.events.some(({ topic, data }) => {
        return topic === 'status/hook' && JSON.stringify(data).includes(text);
      });
    await nodeRed.until(() => isShown('password required'));
    await until(() => data.webhookReceivers.all().length === 1);
    const body = JSON.stringify({ event_id: 1, resource: 'run_steps', action: 'update' });
    const post = async (authorization = {}) => {
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-ion-signature': signature };
      const url = `${nodeRed.url}/api${PATH}`;
      return (await fetch(url, { method: 'POST', headers: { ...headers, ...authorization }, body }))
        .status;
    };
    assert.equal(await post(), 401);
    const password = Buffer.from('user:password').toString('base64');
    assert.equal(await post({ authorization: `Basic ${password}` }), 200);
    await nodeRed.until(() => isShown('listening'));
    await nodeRed.deploy([tab, sandboxConfig(context.sandbox)]);
    await until(() => data.webhookReceivers.all().length === 0);
  });

  for (const [name, copied] of [
    ['another Node-RED with the same flow', false],
    ['a copy of its whole user folder', true],
  ] as const) {
    it(`is registered next to that of ${name}, and stays if that one is removed`, async () => {
      const { data } = context.sandbox;
      const [here, there] = [`here-${copied}`, `there-${copied}`].map((each) =>
        join(folder.path, each),
      ) as [string, string];
      await mkdir(here);
      await prepareUserDir(here, [tab], {});
      const first = await start(here);
      const flowAt = (path: string, hook = true) => [
        tab,
        sandboxConfig(context.sandbox, { credentials: credentials().config }),
        ...(hook
          ? [
              hookAt(path, {
                ...{ register: true, publicUrl: '${PUBLIC_URL}', wires: [['keep']] },
                credentials: { secret: SECRET },
              }),
            ]
          : []),
        place({ id: 'keep', type: 'function', func: `node.warn('event of ' + msg.ion.id)` }),
      ];
      await first.deploy(flowAt(PATH));
      await until(() => data.webhookReceivers.all().length === 1);
      if (copied) await cp(here, there, { recursive: true, verbatimSymlinks: true });
      else {
        await mkdir(there);
        await prepareUserDir(there, [tab], {});
      }
      const second = await start(there);
      await second.deploy(flowAt(PATH));
      await until(() => data.webhookSubscriptions.all().length === 4);
      const step = Number(data.runSteps.of(1)[0]?.id);
      const tells = (nodeRed: RunningNodeRed) => nodeRed.log.split(`event of ${step}`).length - 1;
      data.runSteps.update(step, { title: 'Both' });
      await until(() => tells(first) === 1 && tells(second) === 1);

      await second.deploy(flowAt(PATH, false));
      await until(() => data.webhookReceivers.all().length === 1);
      assert.equal(data.webhookReceivers.all()[0]?.webhookUri, first.url + PATH);
      data.runSteps.update(step, { title: 'One' });
      await until(() => tells(first) === 2);
      assert.equal(tells(second), 1);
      await first.deploy(flowAt(PATH, false));
      await until(() => data.webhookReceivers.all().length === 0);
    });
  }
});

function assertOnlyLater(answers: ReadonlySet<string>): void {
  assert.ok(answers.has('503 1'));
  const others = [...answers].filter((answer) => answer !== '503 1' && answer !== '200 null');
  assert.deepEqual(others, []);
}
