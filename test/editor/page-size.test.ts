import assert from 'node:assert/strict';
import { graphqlNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

const TYPES = ['ion-graphql', 'ion-runs'] as const;
type Type = (typeof TYPES)[number];

describe('the choice of a page size', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const query = '{ runs { edges { node { id } } } }';
    const of = (type: Type, y: number) => {
      const node = type === 'ion-runs' ? runsNode : { ...graphqlNode, query, pages: 'all' };
      const saved = { auto: 'auto', fixed: 250, variable: '${PAGE_SIZE}', change: 250 };
      return Object.entries(saved).map(([name, pageSize], index) => {
        const place = { z: 'flow', x: 200 + 150 * index, y, wires: [[]] };
        return { ...node, ...place, id: `${type} ${name}`, pageSize };
      });
    };
    const unset = { ...runsNode, id: 'unset', z: 'flow', x: 200, y: 300, pageSize: undefined };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      ...TYPES.flatMap((type, index) => of(type, 100 + 80 * index)),
      { ...unset, wires: [[]] },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const input = '#node-input-pageSize';
  const choice = (type: Type) => editor.page.locator(`#${type}-page-size`);
  const hint = (type: Type) => editor.page.locator(`#${type}-page-size-hint`);

  for (const type of TYPES) {
    for (const [name, chosen, saved] of [
      ['auto', 'auto', 'auto'],
      ['fixed', 'fixed', 250],
      ['variable', 'fixed', '${PAGE_SIZE}'],
    ] as const) {
      it(`of ${type} shows ${saved}, and does not change it`, async () => {
        const { page } = editor;
        await editor.edit(`${type} ${name}`);
        assert.equal(await choice(type).inputValue(), chosen);
        assert.equal(await page.isVisible(input), chosen === 'fixed');
        assert.equal(await hint(type).isVisible(), chosen === 'auto');
        assert.equal(await page.inputValue(input), String(saved));
        await editor.done();
        assert.equal(await editor.property(`${type} ${name}`, 'pageSize'), saved);
        assert.ok(!(await editor.property(`${type} ${name}`, 'changed')));
      });
    }

    it(`of ${type} changes by the keyboard, and keeps the number until the dialog closes`, async () => {
      const { page } = editor;
      const node = `${type} change`;
      await editor.edit(node);
      await choice(type).focus();
      await page.keyboard.press('ArrowUp');
      assert.equal(await page.isVisible(input), false);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowUp');
      assert.equal(await page.getByLabel(/per page$/).inputValue(), '251');
      await choice(type).selectOption('automatic');
      await choice(type).selectOption('fixed');
      assert.equal(await page.inputValue(input), '251');
      await choice(type).selectOption('automatic');
      await editor.done();
      assert.equal(await editor.property(node, 'pageSize'), 'auto');
      assert.equal(await editor.property(node, 'valid'), true);
      await editor.edit(node);
      await choice(type).selectOption('fixed');
      assert.equal(await page.inputValue(input), '100');
      await page.fill(input, '0');
      await editor.done();
      assert.deepEqual(await editor.property(node, 'validationErrors'), [
        'Page size must be "auto" or a whole number from 1 to 100000',
      ]);
      await editor.edit(node);
      await page.fill(input, '40');
      await editor.done();
      assert.equal(Number(await editor.property(node, 'pageSize')), 40);
    });
  }

  it('is fixed at 100 for a node that has none', async () => {
    await editor.edit('unset');
    assert.equal(await choice('ion-runs').inputValue(), 'fixed');
    assert.equal(await editor.page.inputValue(input), '100');
    await editor.cancel();
  });

  it('goes along when ion-runs opens as ion-graphql', async () => {
    const { page } = editor;
    await editor.edit('ion-runs auto');
    await page.click('#ion-runs-open-as');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    const graphql = (await editor.nodesOfType('ion-graphql')).at(-1);
    assert.equal(graphql?.pageSize, 'auto');
  });
});
