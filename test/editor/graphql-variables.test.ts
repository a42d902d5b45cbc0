import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

const QUERY = 'query Run($id: ID!) {\n  run(id: $id) {\n    id\n    title\n  }\n}\n';

describe('the variables in the ion-graphql dialog', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, query: QUERY, wires: [] };
    const fixed = { variables: '{\n  "id": 7\n}', variablesType: 'json' };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...graphqlNode, ...place, id: 'message', y: 100 },
      { ...graphqlNode, ...place, ...fixed, id: 'fixed', y: 160 },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(async () => {
    await editor.cancel();
    assert.deepEqual(editor.errors, []);
  });

  const open = async (id: string) => {
    const { page } = editor;
    await editor.edit(id);
    // The bundle of the query editor has come.
    await page.locator('#ion-graphql-schema').filter({ hasText: 'schema: ' }).waitFor();
    await page.click('.ion-graphql-trial summary');
  };
  const tested = () => editor.page.locator('#ion-graphql-test-variables');
  const typedInput = () =>
    editor.page.locator('#node-input-variables ~ .red-ui-typedInput-container');
  const variables = () => typedInput().locator('input.red-ui-typedInput-input');
  const choose = async (type: string) => {
    const menu = await editor.openMenu(typedInput().locator('.red-ui-typedInput-type-select'));
    await menu.locator(`a[value="${type}"]`).click();
    await menu.waitFor({ state: 'hidden' });
  };
  const fill = async (text: string) => {
    await variables().fill(text);
    await variables().blur();
  };
  const isRed = () => variables().evaluate((each) => each.closest('.input-error') !== null);

  it('are those of the test if they are JSON, until others are typed there', async () => {
    const { page } = editor;
    await open('fixed');
    assert.deepEqual(JSON.parse(await tested().inputValue()), { id: 7 });
    await page.click('#ion-graphql-run');
    const title = String(context.sandbox.data.runs.get(7)?.title);
    await page.locator('#ion-graphql-result').filter({ hasText: title }).waitFor();
    await fill('{ "id": 8 }');
    assert.equal(await tested().inputValue(), '{ "id": 8 }');
    await page.getByText('This result is old').waitFor();
    await tested().fill('{ "id": 9 }');
    await fill('{ "id": 10 }');
    assert.equal(await tested().inputValue(), '{ "id": 9 }');
  });

  it('are not those of the test if they come from the message', async () => {
    await open('message');
    assert.equal(await tested().inputValue(), '');
    const placeholder = await tested().getAttribute('placeholder');
    assert.equal(placeholder, 'JSON, if the query has variables');
  });

  for (const type of ['msg', 'flow', 'global']) {
    it(`have a name if they change from JSON to ${type}, and the JSON again if they change back`, async () => {
      await open('fixed');
      await fill('{ "id": 8 }');
      await choose(type);
      assert.deepEqual([await variables().inputValue(), await isRed()], ['variables', false]);
      await fill('mine');
      await choose('json');
      assert.equal(await variables().inputValue(), '{ "id": 8 }');
      await choose(type);
      assert.equal(await variables().inputValue(), 'mine');
    });
  }

  it('are an empty object if they change to JSON for the first time', async () => {
    await open('message');
    await choose('json');
    assert.deepEqual([await variables().inputValue(), await isRed()], ['{}', false]);
    await choose('jsonata');
    assert.equal(await variables().inputValue(), '{}');
  });

  it('get a name after a template brought JSON', async () => {
    const { page } = editor;
    await open('message');
    await page.selectOption('#ion-graphql-starter', 'fieldValue');
    await page.locator('.red-ui-notification').getByText('Replace', { exact: true }).click();
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('#node-input-variablesType')?.value === 'json',
    );
    const example = await variables().inputValue();
    await choose('msg');
    assert.deepEqual([await variables().inputValue(), await isRed()], ['variables', false]);
    assert.equal(await tested().inputValue(), example);
  });
});
