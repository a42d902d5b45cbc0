import assert from 'node:assert/strict';
import {
  eventsNode,
  graphqlNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

describe('the dialogs in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  const filters = [
    { field: 'status', op: 'in', value: 'TODO, IN_PROGRESS', valueType: 'str' },
    { field: 'part.partNumber', op: 'eq', value: 'payload.part', valueType: 'msg' },
  ];

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...runsNode, id: 'runs', z: 'flow', x: 200, y: 100, filters, sort: ['_UPDATED_DESC'] },
      { ...graphqlNode, id: 'graphql', z: 'flow', x: 200, y: 200, wires: [] },
      { ...stepNode, id: 'step', z: 'flow', x: 200, y: 300, wires: [[]] },
      { ...eventsNode, id: 'events', z: 'flow', x: 200, y: 400, wires: [[]] },
    ];
    const key = { config: { clientId, clientSecret } };
    await prepareUserDir(folder.path, flow, key);
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  it('of ion-runs keeps everything when nothing is changed', async () => {
    await editor.edit('runs');
    await editor.done();
    assert.deepEqual(await editor.property('runs', 'filters'), filters);
    assert.deepEqual(await editor.property('runs', 'fields'), runsNode.fields);
    assert.deepEqual(await editor.property('runs', 'sort'), ['_UPDATED_DESC']);
    assert.notEqual(await editor.property('runs', 'changed'), true);
  });

  it('of ion-graphql keeps everything when nothing is changed', async () => {
    await editor.edit('graphql');
    await editor.done();
    for (const name of ['query', 'queryType', 'variables', 'variablesType', 'output', 'pages']) {
      assert.equal(await editor.property('graphql', name), graphqlNode[name], name);
    }
    assert.notEqual(await editor.property('graphql', 'changed'), true);
  });

  it('of ion-step keeps everything when nothing is changed', async () => {
    await editor.edit('step');
    await editor.done();
    for (const [name, value] of Object.entries({ ...stepNode, id: 'step' })) {
      assert.equal(await editor.property('step', name), value, name);
    }
    assert.notEqual(await editor.property('step', 'changed'), true);
  });

  it('of ion-events keeps everything when nothing is changed', async () => {
    await editor.edit('events');
    await editor.done();
    for (const [name, value] of Object.entries({ ...eventsNode, id: 'events' })) {
      assert.deepEqual(await editor.property('events', name), value, name);
    }
    assert.notEqual(await editor.property('events', 'changed'), true);
  });

  it('of ion-config shows its values, and not the secret', async () => {
    await editor.editConfig('ion-config', 'config');
    const { page } = editor;
    const value = (name: string) => page.inputValue(`#node-config-input-${name}`);
    assert.equal(await value('environment'), 'custom');
    assert.equal(await value('apiUrl'), context.sandbox.url);
    assert.equal(await value('clientId'), context.sandbox.clientId);
    assert.equal(await value('clientSecret'), '__PWRD__');
    await page.selectOption('#node-config-input-environment', 'staging');
    assert.equal(await page.isVisible('#node-config-input-apiUrl'), false);
    assert.equal(
      await page.textContent('#ion-config-api-url'),
      'https://staging-api.buildwithion.com',
    );
    await page.selectOption('#node-config-input-environment', 'custom');
    await editor.doneConfig();
  });
});
