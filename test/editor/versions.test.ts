import assert from 'node:assert/strict';
import { runsMigrations } from '../../nodes/migrations/ion-runs.js';
import { currentVersion } from '../../nodes/migrations/migrate.js';
import { type FlowNode, graphqlNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import flows from '../migrations/nodes-of-1.0.0.json';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

describe('the dialogs of nodes of another version, in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  const saved: FlowNode[] = Object.values(flows).flat();
  const oldNodes = saved
    .filter(({ type }) => type !== 'ion-config')
    .map((node) => ({ ...node, z: 'flow', config: 'config', wires: [] }));
  const bareEvents = { id: 'bare', type: 'ion-events', z: 'flow', x: 500, y: 100, wires: [[]] };

  before(async function () {
    const { clientId, clientSecret, url, authUrl } = context.sandbox;
    const oldConfig = saved.find(({ type }) => type === 'ion-config');
    const { authScheme, ...withoutForm } = oldConfig as FlowNode;
    assert.equal(authScheme, 'raw');
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      { ...oldConfig, id: 'config', type: 'ion-config', apiUrl: url, authUrl },
      sandboxConfig(context.sandbox, { id: 'other', name: 'other' }),
      { ...withoutForm, id: 'formless', type: 'ion-config', apiUrl: url, authUrl },
      ...oldNodes,
      { ...graphqlNode, id: 'cancelled', z: 'flow', x: 500, y: 200, wires: [[]] },
      { ...runsNode, id: 'edited', z: 'flow', x: 500, y: 300, wires: [[]] },
      { ...runsNode, id: 'later', version: 99, z: 'flow', x: 500, y: 400, wires: [[]] },
      { ...bareEvents, config: 'config', resource: 'RUNS' },
    ];
    await prepareUserDir(folder.path, flow, {
      config: { clientId, clientSecret },
      formless: { clientId, clientSecret },
    });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const property = (id: string, name: string) => editor.property(id, name);
  const exported = async (id: string) => (await editor.completeFlow()).get(id);

  it('open nodes of 1.0.0 and save them unchanged, without a mark', async () => {
    for (const { id, ...node } of oldNodes) {
      await editor.edit(id);
      await editor.done();
      assert.notEqual(await property(id, 'changed'), true, id);
      for (const [name, value] of Object.entries(node)) {
        if (name === 'wires') continue;
        assert.deepEqual((await exported(id))?.[name], value, `${id} ${name}`);
      }
    }
  });

  it('open a config node of 1.0.0 and save it unchanged, without a mark', async () => {
    await editor.editConfig('ion-config', 'config');
    await editor.doneConfig();
    assert.notEqual(await property('config', 'changed'), true);
    assert.equal(await property('config', 'authScheme'), 'raw');
  });

  it('open a config node without a form of the token, and leave it without a mark', async () => {
    const { page } = editor;
    assert.equal(await property('formless', 'authScheme'), undefined);
    await editor.editConfig('ion-config', 'formless');
    assert.equal(await page.inputValue('#node-config-input-authScheme'), 'auto');
    await editor.doneConfig();
    assert.notEqual(await property('formless', 'changed'), true);
  });

  it('leave a node as it was saved when they are cancelled', async () => {
    const before = await exported('cancelled');
    await editor.edit('cancelled');
    await editor.cancel();
    assert.deepEqual(await exported('cancelled'), before);
    assert.notEqual(await property('cancelled', 'changed'), true);
  });

  it('save the present version together with a change', async () => {
    assert.equal(await property('edited', 'version'), undefined);
    await editor.edit('edited');
    await editor.page.fill('#node-input-name', 'renamed');
    await editor.done();
    assert.equal(await property('edited', 'changed'), true);
    assert.equal((await exported('edited'))?.version, currentVersion(runsMigrations));
  });

  it('show what missing properties mean', async () => {
    const { page } = editor;
    await editor.edit('bare');
    assert.equal(await page.inputValue('#node-input-via'), 'poll');
    assert.equal(await page.inputValue('#node-input-interval'), '10');
    await page.selectOption('#node-input-via', 'webhook');
    assert.equal(await page.isChecked('#node-input-verify'), true);
    assert.equal(await page.inputValue('#node-input-signatureHeader'), 'x-ion-signature');
    await page.selectOption('#node-input-via', 'poll');
    await editor.done();
    assert.deepEqual(await property('bare', 'actions'), ['CREATE', 'UPDATE']);
  });

  it('save a node from a later version as one of the present version', async () => {
    await editor.edit('later');
    await editor.page.fill('#node-input-name', 'renamed');
    await editor.done();
    assert.equal((await exported('later'))?.version, currentVersion(runsMigrations));
  });
});
