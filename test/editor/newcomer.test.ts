import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

/** The editor, inside the page. */
declare const RED: {
  nodes: { filterNodes(filter: object): { id: string; type: string }[] };
  sidebar: { show(name: string): void };
};

describe("a newcomer's first flow in the editor", () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const tab = { id: 'flow', type: 'tab', label: 'test' };
    await prepareUserDir(folder.path, [tab], {});
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  /** Drags a node out of the palette, and returns its ID. */
  const drag = async (type: string, x: number, y: number): Promise<string> => {
    await editor.dragFromPalette(type, x, y);
    const [node] = await editor.page.evaluate((type) => {
      return RED.nodes.filterNodes({ type }).map(({ id }) => ({ id }));
    }, type);
    assert.ok(node, `${type} is not on the canvas`);
    return node.id;
  };
  const port = (id: string, kind: 'input' | 'output') =>
    editor.page.locator(`[id="${id}"] .red-ui-flow-port-${kind} .red-ui-flow-port`);
  const wire = async (from: string, to: string) => {
    await port(from, 'output').dragTo(port(to, 'input'));
  };

  /** Adds the filter of step 4, using the labels named there. */
  const pressAsTheReadmeSays = async () => {
    const { page } = editor;
    const text = async (found: ReturnType<typeof page.locator>) =>
      String(await found.textContent()).trim();
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const step =
      /^4\. Under _(.+)_ press _\+ (.+?)_: `(.+?)`, _(.+?)_, `(.+?)`\.\s+Press _(.+?)_\./m.exec(
        readme,
      );
    const [, heading, button, field, operator, value, done] = step ?? [];
    assert.ok(done, 'step 4 reads otherwise');
    assert.equal(await text(page.locator('.ion-query-heading').first()), heading);
    assert.equal(await text(page.locator('#node-dialog-ok')), done);
    const add = page.locator('.red-ui-editableList-addButton:visible');
    assert.equal(await text(add), button);
    assert.equal(await add.locator('i.fa-plus').count(), 1);
    await add.click();
    const row = page.locator('.ion-query-row');
    // The names and values come from ION's schema, although nothing is deployed yet.
    await page.waitForSelector('#ion-query-field-tree .red-ui-treeList-label');
    await row.locator('.ion-query-field').pressSequentially(String(field).slice(0, 4));
    await page.locator('.red-ui-autoComplete-container').getByText(String(field)).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await row.locator('.ion-query-field').inputValue(), field);
    await row.locator('.ion-query-op').selectOption({ label: String(operator) });
    const menu = await editor.openMenu(row.locator('.red-ui-typedInput-option-trigger'));
    for (const each of String(value).split(', ')) {
      const option = menu.locator(`a[value="${each}"]`);
      if (!(await option.locator('input').isChecked())) await option.click();
    }
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
  };

  it('leads from the palette to runs in the debug sidebar', async () => {
    const { page } = editor;
    const { url, authUrl, clientId, clientSecret } = context.sandbox;
    const inject = await drag('inject', 120, 100);
    const graphql = await drag('ion-graphql', 320, 200);
    const runs = await drag('ion-runs', 320, 100);
    const debug = await drag('debug', 560, 100);
    await wire(inject, runs);
    await wire(inject, graphql);
    await wire(runs, debug);

    await editor.edit(runs);
    await page.click('#node-input-btn-config-add');
    await editor.configIsOpen();
    const field = (name: string) => `#node-config-input-${name}`;
    await page.selectOption(field('environment'), 'custom');
    for (const [name, value] of Object.entries({ apiUrl: url, authUrl, clientId, clientSecret })) {
      await page.fill(field(name), value);
    }
    await page.click('#ion-config-test');
    await page.waitForSelector('.ion-config-test-good >> text=Sandbox Service Account');
    await editor.doneConfig();
    await pressAsTheReadmeSays();
    await editor.done();

    const filters = (await editor.property(runs, 'filters')) as Record<string, unknown>[];
    assert.deepEqual(
      filters.map(({ field, op, value }) => ({ field, op, value })),
      [{ field: 'status', op: 'in', value: 'TODO,IN_PROGRESS' }],
    );

    await editor.edit(graphql);
    await page.selectOption('#node-input-config', { index: 0 });
    await page
      .locator('#ion-graphql-schema')
      .filter({ hasText: /^schema: \d+ types$/ })
      .waitFor();
    await editor.done();
    assert.equal(await editor.property(graphql, 'config'), await editor.property(runs, 'config'));

    await nodeRed.untilStarted(() => editor.deploy());
    await page.evaluate(() => RED.sidebar.show('debug'));
    await page.click(`[id="${inject}"] .red-ui-flow-node-button-button`);
    await page.waitForSelector('.red-ui-debug-msg >> text=/array\\[[1-5]?\\d\\]/');
    await page.waitForSelector(`[id="${graphql}"] .red-ui-flow-node-status-label >> text=ok`);
    assert.deepEqual(editor.errors, []);
  });
});
