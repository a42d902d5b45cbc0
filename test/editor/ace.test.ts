import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

describe("the ion-graphql dialog with Node-RED's older code editor", () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  const query = '{ me { id\nname } }';

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'ION' }),
      { ...graphqlNode, query, z: 'flow', x: 200, y: 100, wires: [] },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path, {
      settings: { editorTheme: { tours: false, codeEditor: { lib: 'ace' } } },
    });
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  it('keeps the query, formats and runs it', async () => {
    const { page } = editor;
    await editor.edit('node');
    await page.waitForSelector('.ace_editor');
    await editor.done();
    assert.equal(await editor.property('node', 'query'), query);
    await editor.edit('node');
    await page.click('.ion-graphql-trial summary');
    await page.click('#ion-graphql-run');
    await page.waitForSelector('#ion-graphql-result >> text=Sandbox Service Account');
    await page.click('#ion-graphql-format');
    await page.waitForSelector('.ace_line >> text=name');
    await page.selectOption('#ion-graphql-starter', 'procedures');
    await page.click('.red-ui-notification button >> text=Replace');
    await page.waitForSelector('.ace_line >> text=procedures');
    await page.focus('#ion-graphql-query-editor textarea');
    await page.keyboard.press('Control+z');
    await page.waitForSelector('.ace_line >> text=name');
    await editor.done();
    assert.equal(await editor.property('node', 'query'), '{\n  me {\n    id\n    name\n  }\n}\n');
    assert.deepEqual(editor.errors, []);
  });

  it('opens the query over the whole width, with the list, and takes it back', async () => {
    const { page } = editor;
    await editor.edit('node');
    await page.click('.ion-graphql-toolbar .ion-graphql-expand');
    await page.waitForSelector('#ion-graphql-expanded .ace_line');
    await page.click('#ion-graphql-operations-query-procedures');
    await page.click('.red-ui-notification button >> text=Replace');
    await page.waitForSelector('#ion-graphql-expanded .ace_line >> text=procedures');
    await page.click('#node-dialog-ok');
    await page.waitForSelector('#ion-graphql-query-editor .ace_line >> text=procedures');
    await editor.untilNothingSlides();
    await editor.done();
    assert.match(String(await editor.property('node', 'query')), /^query Procedures \{/);
    assert.deepEqual(editor.errors, []);
  });
});
