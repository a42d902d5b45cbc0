import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configFolder } from '../../nodes/storage/folder.js';
import { type FlowNode, stepNode } from '../../tools/flow-nodes.js';
import { install, pack, root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';

/** The range of classic-level that the advice names. */
const WANTED = 'classic-level@3';
const MACHINE = `${process.platform} ${process.arch}, .*Node.js ${process.version}`;

describe('the packed package, installed without its optional dependency', () => {
  const ion = useSandbox({ live: true });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let userDir: string;

  before(async () => {
    userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await install(userDir, (await pack(folder.path)).tarball, '--omit=optional');
    const demo = JSON.parse(await readFile(join(root, 'demo', 'flow.json'), 'utf8')) as FlowNode[];
    const place = { z: 'ion-demo', x: 0, y: 0 };
    const sandbox = demo.find(({ id }) => id === 'ion-demo-config') ?? assert.fail();
    const flow = [
      ...demo,
      { ...sandbox, id: 'unused' },
      {
        ...stepNode,
        id: 'step',
        config: 'ion-demo-config',
        delivery: 'outbox',
        outputs: 2,
        ...place,
      },
      {
        id: 'write',
        type: 'inject',
        once: true,
        props: [
          { p: 'payload', v: '5', vt: 'num' },
          { p: 'step', v: '1', vt: 'num' },
          { p: 'field', v: 'Torque', vt: 'str' },
        ],
        wires: [['step']],
        ...place,
      },
      { id: 'catch', type: 'catch', scope: ['step'], wires: [['refused']], ...place },
      {
        id: 'refused',
        type: 'debug',
        name: 'refused',
        active: true,
        tosidebar: true,
        complete: 'true',
        ...place,
      },
    ];
    const { clientId, clientSecret } = ion.sandbox;
    await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow));
    await writeFile(
      join(userDir, 'flows_cred.json'),
      JSON.stringify({
        'ion-demo-config': { clientId, clientSecret },
        unused: { clientId, clientSecret },
      }),
    );
    // State left by an earlier installation with the dependency.
    const { url } = ion.sandbox;
    const left = configFolder(join(userDir, 'ion-outbox'), 'ion-demo-config', `${url}/graphql`);
    await mkdir(left, { recursive: true });
    nodeRed = await RunningNodeRed.start(userDir, {
      env: {
        ION_API_URL: url,
        ION_AUTH_URL: ion.sandbox.authUrl,
        ION_DEMO_URL: 'http://127.0.0.1:1',
        ION_WEBHOOK_SECRET: 'for a test alone',
      },
    });
    await nodeRed.listen();
  });

  after(() => nodeRed?.stop());

  const message = async (name: string) => {
    type Debug = { name?: string; msg?: string };
    const find = () =>
      nodeRed.events
        .filter(({ topic }) => topic === 'debug')
        .map(({ data }) => data as Debug)
        .find((debug) => debug.name === name);
    await nodeRed.until(() => find() !== undefined);
    return String(find()?.msg);
  };
  const checkAdvice = (text: string) => {
    assert.match(text, /needs the package classic-level \(LevelDB\), which is not installed/);
    assert.match(text, new RegExp(MACHINE));
    assert.ok(text.includes(`npm install ${WANTED}`), text);
  };

  it('contains nothing of it', async () => {
    await assert.rejects(access(join(userDir, 'node_modules', 'classic-level')));
  });

  it('registers all nodes', async () => {
    const { types, areEnabled } = await nodeRed.ownTypes();
    assert.deepEqual(types, [
      'ion-config',
      'ion-events',
      'ion-graphql',
      'ion-lookup',
      'ion-runs',
      'ion-step',
    ]);
    assert.ok(areEnabled, nodeRed.log);
  });

  it("runs the demo's queries", async () => {
    assert.match(await message('runs'), /"status":"IN_PROGRESS"/);
    assert.match(await message('runs by status'), /"COMPLETE":\d+/);
    assert.match(await message('events'), /"via":"poll"/);
    await fetch(`${nodeRed.url}/inject/ion-demo-press`, { method: 'POST' });
    assert.match(await message('run'), /"steps"/);
  });

  it('reports with ION_CONFIG what a write through the outbox needs', async () => {
    await fetch(`${nodeRed.url}/inject/write`, { method: 'POST' });
    const { error } = JSON.parse(await message('refused')) as {
      error: { code: string; message: string };
    };
    assert.equal(error.code, 'ION_CONFIG');
    checkAdvice(error.message);
  });

  it('reports at the start that pending writes are not delivered', async () => {
    const line = /^.*The outbox may hold pending writes that are not being delivered\..*$/m;
    checkAdvice(line.exec(nodeRed.log)?.[0] ?? '');
  });

  it('reports it in the dialog of the config node, also without pending writes', async () => {
    const read = async (id: string) => {
      const response = await fetch(`${nodeRed.url}/ion-config/${id}/outbox`);
      return (await response.json()) as { code?: string; message?: string; problem?: string };
    };
    const { code, message = '' } = await read('ion-demo-config');
    assert.equal(code, 'ION_CONFIG');
    checkAdvice(message);
    const { problem = '' } = await read('unused');
    checkAdvice(problem);
  });

  it('names the version in its package.json', async () => {
    const { optionalDependencies } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    ) as { optionalDependencies: Record<string, string> };
    const [name, range] = Object.entries(optionalDependencies)[0] ?? [];
    assert.equal(`${name}@${range?.replace(/^\^(\d+)\..*/, '$1')}`, WANTED);
  });
});
