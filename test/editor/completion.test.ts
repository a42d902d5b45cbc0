import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

interface Position {
  lineNumber: number;
  column: number;
}
interface Model {
  getLanguageId(): string;
  getValue(): string;
  setValue(text: string): void;
  getOffsetAt(position: Position): number;
  getPositionAt(offset: number): Position;
}

/** Monaco, inside the page. */
declare const monaco: {
  editor: {
    getEditors(): {
      getModel(): Model;
      getPosition(): Position;
      setPosition(position: Position): void;
      focus(): void;
    }[];
  };
};

/** Ways to accept the suggestion on top. */
const WAYS = ['Enter', 'Tab', 'the mouse'] as const;

const inRun = (typed: string) => `query Q($id: ID!) {\n  run(id: ${typed}) {\n    id\n  }\n}\n`;

describe('a suggestion of the query editor', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...graphqlNode, query: inRun('$id'), z: 'flow', x: 200, y: 100, wires: [] },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
    await editor.edit('node');
    await editor.page
      .locator('#ion-graphql-schema')
      .filter({ hasText: /^schema: \d+ types$/ })
      .waitFor();
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  /** Replaces the query by a text with the cursor at its "|". */
  const start = (text: string) =>
    editor.page.evaluate((text) => {
      const code = monaco.editor
        .getEditors()
        .find((each) => each.getModel().getLanguageId() === 'graphql');
      if (!code) throw new Error('no editor');
      code.getModel().setValue(text.replace('|', ''));
      code.setPosition(code.getModel().getPositionAt(text.indexOf('|')));
      code.focus();
    }, text);
  /** The query, with a "|" at the cursor. */
  const query = () =>
    editor.page.evaluate(() => {
      const code = monaco.editor
        .getEditors()
        .find((each) => each.getModel().getLanguageId() === 'graphql');
      if (!code) throw new Error('no editor');
      const [text, at] = [
        code.getModel().getValue(),
        code.getModel().getOffsetAt(code.getPosition()),
      ];
      return `${text.slice(0, at)}|${text.slice(at)}`;
    });
  const accept = async (label: string, way: (typeof WAYS)[number]) => {
    const { page } = editor;
    const row = page.locator('.suggest-widget.visible .monaco-list-row', {
      has: page.getByText(label, { exact: true }),
    });
    await row.first().waitFor();
    if (way === 'the mouse') await row.first().click();
    else await page.keyboard.press(way);
    await page.waitForSelector('.suggest-widget.visible', { state: 'detached' });
  };

  for (const way of WAYS) {
    for (const typed of ['$', '$i', '$id', '', 'i']) {
      // Enter starts a line behind a name that is complete.
      if (typed === '$id' && way === 'Enter') continue;
      it(`keeps the "$" of a variable after "${typed}", accepted by ${way}`, async () => {
        await start(inRun('|'));
        await editor.page.keyboard.type(typed);
        if (typed === '') await editor.page.keyboard.press('Control+Space');
        await accept('$id', way);
        assert.equal(await query(), inRun('$id|'));
      });
    }
  }

  for (const [name, before, typed, after] of [
    ['filters', '{\n  runs(|)\n}', 'fil', '{\n  runs(filters: {\n    |\n  })\n}'],
    [
      'status',
      '{\n  runs(filters: { | })\n}',
      'sta',
      '{\n  runs(filters: { status: {\n    |\n  } })\n}',
    ],
    [
      'input',
      'mutation {\n  updateRun(|)\n}',
      'inp',
      'mutation {\n  updateRun(input: {\n    |\n  })\n}',
    ],
    ['sort', '{ runs(first: 1, |) }', 'sor', '{ runs(first: 1, sort: [|]) }'],
    ['first', '{ runs(|) }', 'fir', '{ runs(first: |) }'],
    ['_UPDATED_DESC', '{ runs(sort: |) }', '_UPDATED_D', '{ runs(sort: [_UPDATED_DESC]|) }'],
    ['include', '{ me { id @| } }', 'inc', '{ me { id @include| } }'],
    ['if', '{ me { id @include(|) } }', 'i', '{ me { id @include(if: |) } }'],
  ] as const) {
    it(`puts the cursor where the value of "${name}" goes, and leaves no placeholder`, async () => {
      await start(before);
      await editor.page.keyboard.type(typed);
      await accept(name, 'Enter');
      assert.equal(await query(), after);
    });
  }
});
