import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

/** Monaco, inside the page. */
declare const monaco: {
  editor: {
    getModels(): { getLanguageId(): string; setValue(text: string): void }[];
  };
};

describe('the page size in the ion-graphql dialog', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, wires: [] };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...graphqlNode, ...place, query: '{ runs(first: 10) { edges { node { id } } } }', y: 100 },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
    await editor.edit('node');
    // The bundle of the query editor has come.
    await editor.page.locator('#ion-graphql-schema').filter({ hasText: 'schema: ' }).waitFor();
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const line = () => editor.page.locator('#ion-graphql-own-first');
  const says = (first: number) =>
    line()
      .filter({
        hasText: `The query has its own first (${first}), which applies instead of the page size.`,
      })
      .waitFor();
  const setQuery = (text: string) =>
    editor.page.evaluate((text) => {
      const models = monaco.editor.getModels();
      models.find((model) => model.getLanguageId() === 'graphql')?.setValue(text);
    }, text);

  it("gives way to the query's own first only with paging", async () => {
    const { page } = editor;
    assert.equal(await line().isVisible(), false);
    for (const pages of ['all', 'stream']) {
      await page.selectOption('#node-input-pages', pages);
      await says(10);
      await page.selectOption('#node-input-pages', 'one');
      await line().waitFor({ state: 'hidden' });
    }
    await page.selectOption('#node-input-pages', 'all');
    await says(10);
  });

  for (const [what, query, first] of [
    ['the list has another first', '{ runs(first: 25) { edges { node { id } } } }', 25],
    ['the list has no first', '{ runs { edges { node { steps(first: 3) { id } } } } }', undefined],
    [
      'a fragment has the edges',
      '{ a { ...F } } fragment F on X { runs(first: 4) { edges { node { id } } } }',
      4,
    ],
    [
      'a variable has the number',
      'query Q($n: Int) { runs(first: $n) { edges { node { id } } } }',
      undefined,
    ],
    [
      'fragments have no end',
      '{ a { ...F } } fragment F on X { b { ...F } c { ...F } }',
      undefined,
    ],
    ['it is being typed', '{ runs(first: 25', undefined],
  ] as const) {
    it(`${first === undefined ? 'applies' : 'does not apply'} if ${what}`, async () => {
      await setQuery('{ runs(first: 7) { edges { node { id } } } }');
      await says(7);
      await setQuery(query);
      if (first === undefined) await line().filter({ hasText: /^$/ }).waitFor({ state: 'hidden' });
      else await says(first);
    });
  }

  it('applies if the query comes from the message', async () => {
    const { page } = editor;
    await setQuery('{ runs(first: 7) { edges { node { id } } } }');
    await says(7);
    const trigger = page
      .locator('#ion-graphql-query-source ~ .red-ui-typedInput-container')
      .locator('.red-ui-typedInput-type-select');
    const menu = await editor.openMenu(trigger);
    await menu.locator('a[value="msg"]').click();
    await line().waitFor({ state: 'hidden' });
  });
});
