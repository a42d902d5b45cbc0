import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { barriers, prepareBarriers } from '../support/barriers.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

interface Position {
  lineNumber: number;
  column: number;
}

/** Monaco, inside the page. */
declare const monaco: {
  editor: {
    getEditors(): {
      getContainerDomNode(): HTMLElement;
      getModel(): { getValue(): string; setValue(text: string): void } | null;
      getPosition(): Position;
      setPosition(position: Position): void;
      hasTextFocus(): boolean;
    }[];
  };
};

const QUERY = `query Run($id: ID!) {
  run(id: $id) {
    id
    title
  }
}
`;
const PREPARE = 'query Before($id: ID!) {\n  run(id: $id) {\n    title\n  }\n}\n';
const SMALL = '#ion-graphql-query-editor';
const EXPANDED = '#ion-graphql-expanded-editor';
const SEARCH = '#ion-graphql-operations-search';
const ACTIVE = '#ion-graphql-operations [role=option][aria-selected=true]';
const RESULT = '#ion-graphql-expanded-result';

describe('the expanded query editor', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, y: 100, wires: [] };
    const outbox = { delivery: 'outbox', outputs: 2, prepare: PREPARE };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...graphqlNode, ...place, query: QUERY },
      { ...graphqlNode, ...place, id: 'template' },
      { ...graphqlNode, ...place, ...outbox, id: 'by-outbox' },
      { ...graphqlNode, ...place, id: 'no-config', config: '' },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  beforeEach(() => editor.page.setViewportSize({ width: 1280, height: 720 }));
  afterEach(async () => {
    if (await editor.page.isVisible(EXPANDED)) await leave('cancel');
    if (await editor.page.isVisible('#node-dialog-cancel')) await editor.cancel();
    assert.deepEqual(editor.errors, []);
  });

  /** The text of a code editor, its cursor, and whether it has the focus. */
  const stateOf = (selector: string) =>
    editor.page.evaluate((selector) => {
      const place = document.querySelector(selector);
      const code = monaco.editor
        .getEditors()
        .find((each) => place?.contains(each.getContainerDomNode()));
      const text = code?.getModel()?.getValue();
      return { text, cursor: code?.getPosition(), isFocused: code?.hasTextFocus() };
    }, selector);
  const textOf = async (selector: string) => (await stateOf(selector)).text;
  const write = (selector: string, text: string) =>
    editor.page.evaluate(
      ([selector, text]) => {
        const place = document.querySelector(selector);
        const code = monaco.editor
          .getEditors()
          .find((each) => place?.contains(each.getContainerDomNode()));
        code?.getModel()?.setValue(text);
      },
      [selector, text] as const,
    );
  const isFocused = (selector: string) =>
    editor.page.waitForFunction(
      (selector) =>
        monaco.editor
          .getEditors()
          .some(
            (each) =>
              each.hasTextFocus() &&
              document.querySelector(selector)?.contains(each.getContainerDomNode()),
          ),
      selector,
    );
  const expand = async (id = 'node', place = '.ion-graphql-toolbar') => {
    await editor.edit(id);
    await editor.page.click(`${place} .ion-graphql-expand`);
    await editor.page.waitForSelector(`${EXPANDED} .view-line`);
    await isFocused(EXPANDED);
  };
  const listIsFilled = () => editor.page.waitForSelector('#ion-graphql-operations [role=option]');
  const leave = async (button: 'ok' | 'cancel') => {
    await editor.page.click(`#node-dialog-${button}`);
    await editor.page.waitForSelector(SMALL);
    await isFocused(SMALL);
  };
  const saysOf = (selector: string, text: string) =>
    editor.page.locator(selector).filter({ hasText: text }).waitFor();

  it('takes the query and the cursor along, and brings them back with Done', async () => {
    const { page } = editor;
    await editor.edit('node');
    await page.click(`${SMALL} .view-line >> text=title`);
    await page.keyboard.press('End');
    const { cursor } = await stateOf(SMALL);
    assert.equal(cursor?.lineNumber, 4);
    await page.click('.ion-graphql-toolbar .ion-graphql-expand');
    await page.waitForSelector(`${EXPANDED} .view-line`);
    await isFocused(EXPANDED);
    await listIsFilled();
    assert.deepEqual((await stateOf(EXPANDED)).cursor, cursor);
    await page.keyboard.press('Enter');
    await page.keyboard.type('per');
    await page.waitForSelector('.suggest-widget.visible >> text=percentComplete');
    await page.keyboard.press('Tab');
    const changed = QUERY.replace('title', 'title\n    percentComplete');
    assert.equal(await textOf(EXPANDED), changed);
    await leave('ok');
    assert.equal(await textOf(SMALL), changed);
    assert.deepEqual((await stateOf(SMALL)).cursor, { lineNumber: 5, column: 20 });
    await page.keyboard.press('ControlOrMeta+z');
    assert.equal(await textOf(SMALL), QUERY);
  });

  it('leaves the query as it was with Cancel', async () => {
    await expand();
    await write(EXPANDED, '{ me { id } }');
    await editor.page.fill('#ion-graphql-expanded-variables', '{ "id": 5 }');
    await leave('cancel');
    assert.equal(await textOf(SMALL), QUERY);
    assert.equal(await editor.page.inputValue('#ion-graphql-test-variables'), '');
  });

  it('marks what the schema does not have, and formats', async () => {
    const { page } = editor;
    await expand();
    await listIsFilled();
    await write(EXPANDED, '{ me { id penguin } }');
    await page.waitForSelector(`${EXPANDED} .squiggly-error`);
    await page.click('#ion-graphql-expanded >> role=button[name="Format"]');
    await page.locator(`${EXPANDED} .view-line`).nth(4).waitFor();
    assert.equal(await textOf(EXPANDED), '{\n  me {\n    id\n    penguin\n  }\n}\n');
  });

  it('shows the response, or the failure, beside the query', async () => {
    const { page } = editor;
    await expand();
    await page.fill('#ion-graphql-expanded-variables', '{\n  "id": 7\n}');
    await page.click('#ion-graphql-expanded-run');
    await saysOf(RESULT, String(context.sandbox.data.runs.get(7)?.title));
    const [query, result] = [
      await page.locator(EXPANDED).boundingBox(),
      await page.locator(RESULT).boundingBox(),
    ];
    assert.ok(query && result);
    assert.ok(result.x >= query.x + query.width, 'not beside');
    assert.ok(query.width > 250 && result.width > 250, JSON.stringify({ query, result }));
    assert.ok(result.y + result.height <= 720 && query.y + query.height <= 720, 'not visible');
    await page.fill('#ion-graphql-expanded-variables', '{ "id": 8 }');
    await page.waitForSelector('#ion-graphql-expanded-result-old:visible');
    await write(EXPANDED, '{ penguin }');
    await page.click('#ion-graphql-expanded-run');
    await saysOf(RESULT, 'Cannot query field');
    await leave('ok');
    assert.equal(await page.inputValue('#ion-graphql-test-variables'), '{ "id": 8 }');
  });

  it('asks before it runs a mutation', async () => {
    const { page } = editor;
    await expand();
    await write(EXPANDED, 'mutation { deleteRun { id } }');
    await page.click('#ion-graphql-expanded-run');
    await page.click('.red-ui-notification button >> text=Cancel');
    await page.waitForSelector('.red-ui-notification', { state: 'detached' });
  });

  it('finds a mutation by keyboard and starts with it, after a question if the query is somebody’s work', async () => {
    const { page } = editor;
    await expand();
    await listIsFilled();
    await page.focus(SEARCH);
    await page.keyboard.type('step update value');
    await saysOf(ACTIVE, 'updateRunStepFieldValue');
    await page.keyboard.press('Enter');
    await page.click('.red-ui-notification button >> text=Replace');
    await isFocused(EXPANDED);
    assert.match(
      String(await textOf(EXPANDED)),
      /^mutation UpdateRunStepFieldValue\([\s\S]*runStepField \{\n {6}id\n {6}_etag\n/,
    );
    const variables = JSON.parse(await page.inputValue('#ion-graphql-expanded-variables'));
    assert.equal(variables.input.id, 1);
    await page.keyboard.press('ControlOrMeta+z');
    assert.equal(await textOf(EXPANDED), QUERY);
  });

  it('keeps the query if the answer is no', async () => {
    const { page } = editor;
    await expand();
    await listIsFilled();
    await page.click('#ion-graphql-operations-query-parts');
    await page.click('.red-ui-notification button >> text=Cancel');
    assert.equal(await textOf(EXPANDED), QUERY);
  });

  it('moves through the list with the arrow keys, and replaces its own operations without a question', async () => {
    const { page } = editor;
    await expand();
    await listIsFilled();
    await write(EXPANDED, '');
    await page.fill(SEARCH, 'run');
    await saysOf(ACTIVE, 'run');
    await page.focus(SEARCH);
    await page.keyboard.press('ArrowDown');
    const active = page.locator(ACTIVE);
    const second = await active.locator('b').textContent();
    assert.notEqual(second, 'run');
    assert.equal(
      await page.getAttribute(SEARCH, 'aria-activedescendant'),
      await active.getAttribute('id'),
    );
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await isFocused(EXPANDED);
    assert.match(String(await textOf(EXPANDED)), /^query Run\(\$id: ID!\)/);
    await page.focus('#ion-graphql-operations');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await isFocused(EXPANDED);
    assert.match(String(await textOf(EXPANDED)), new RegExp(`^query ${second}\\b`, 'i'));
    // The operation runs as it is.
    await page.click('#ion-graphql-expanded-run');
    await page.waitForSelector(`${RESULT} .red-ui-debug-msg-element`);
    await page.fill(SEARCH, 'xyz');
    await saysOf('#ion-graphql-expanded section [role=status]', 'contains “xyz”');
    assert.equal(await page.isVisible('#ion-graphql-operations'), false);
  });

  it('says why there is no list', async () => {
    await expand('no-config');
    await saysOf('#ion-graphql-expanded', 'no schema: select an ION configuration');
    await leave('cancel');
    await editor.cancel();
    context.sandbox.control.set({ introspection: false });
    await expand();
    await editor.page.click('#ion-graphql-expanded >> role=button[name="Refresh schema"]');
    await saysOf(
      '#ion-graphql-expanded section [role=status]',
      "comes from ION's schema. no schema: ",
    );
    context.sandbox.control.set({ introspection: true });
    await editor.page.click('#ion-graphql-expanded >> role=button[name="Refresh schema"]');
    await listIsFilled();
  });

  it('opens for the query of "Prepare", offers queries only, and sends the variables that it declares', async () => {
    const { page } = editor;
    await expand('by-outbox', '.ion-graphql-outbox');
    await listIsFilled();
    assert.equal(await page.locator('[role=option][id*=-mutation-]').count(), 0);
    assert.equal(await textOf(EXPANDED), PREPARE);
    await page.fill('#ion-graphql-expanded-variables', '{ "id": 7, "other": 1 }');
    await page.click('#ion-graphql-expanded-run');
    await saysOf(RESULT, String(context.sandbox.data.runs.get(7)?.title));
    await write(EXPANDED, 'mutation { deleteRun { id } }');
    await page.click('#ion-graphql-expanded-run');
    await saysOf(RESULT, 'Prepare must be a query');
    await write(EXPANDED, '{ me { id } }');
    await page.click('#node-dialog-ok');
    await page.waitForSelector('#ion-graphql-prepare-editor');
    await isFocused('#ion-graphql-prepare-editor');
    assert.equal(await textOf('#ion-graphql-prepare-editor'), '{ me { id } }');
  });

  it('stacks its parts in a narrow window', async () => {
    const { page } = editor;
    await page.setViewportSize({ width: 800, height: 720 });
    await expand();
    await listIsFilled();
    const [list, query, result] = [
      await page.locator('#ion-graphql-operations').boundingBox(),
      await page.locator(EXPANDED).boundingBox(),
      await page.locator(RESULT).boundingBox(),
    ];
    assert.ok(list && query && result);
    assert.ok(query.y >= list.y + list.height && result.y >= query.y + query.height, 'not stacked');
    await page.click('#ion-graphql-expanded-run');
    await page.waitForSelector(`${RESULT} p`);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.waitForSelector('.ion-graphql-stacked', { state: 'detached' });
  });

  it('leaves the focus where the user has put it while it opens', async () => {
    const { page } = editor;
    await editor.edit('node');
    await page.click('.ion-graphql-toolbar .ion-graphql-expand');
    await page.waitForSelector(SEARCH);
    await page.focus(SEARCH);
    await editor.untilNothingSlides();
    // A timer that ends after the one with which the editor would take the focus.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
    await page.keyboard.type('step update value');
    await page.waitForSelector(ACTIVE);
    assert.equal(await textOf(EXPANDED), QUERY);
  });

  it('hides the list on request', async () => {
    const { page } = editor;
    await expand();
    const toggle = page.locator('[aria-controls="ion-graphql-operations"]', { hasText: 'Queries' });
    assert.equal(await toggle.getAttribute('aria-expanded'), 'true');
    await toggle.click();
    await page.locator(SEARCH).waitFor({ state: 'hidden' });
    assert.equal(await toggle.getAttribute('aria-expanded'), 'false');
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`has no barrier that axe-core finds, ${theme}`, async function () {
      const own = await Editor.open(this, nodeRed.url);
      const { page } = own;
      try {
        await page.setViewportSize({ width: 1280, height: 720 });
        await prepareBarriers(page, theme);
        await own.edit('node');
        await page.click('.ion-graphql-expand');
        await page.waitForSelector('#ion-graphql-operations [role=option]');
        await page.fill('#ion-graphql-expanded-variables', '{ "id": 7 }');
        await page.click('#ion-graphql-expanded-run');
        await page.waitForSelector(`${RESULT} .red-ui-debug-msg-element`);
        await page.fill(SEARCH, 'run');
        await page.waitForSelector(ACTIVE);
        await own.untilNothingSlides();
        assert.deepEqual(await barriers(page), []);
        await page.fill(SEARCH, 'xyz');
        assert.deepEqual(await barriers(page), []);
      } finally {
        await own.close();
      }
    });
  }
});
