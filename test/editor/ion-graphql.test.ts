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
    getModels(): { getLanguageId(): string; getValue(): string; setValue(text: string): void }[];
  };
};

const QUERY = `query Run($id: ID!) {
  run(id: $id) {
    id
    title
  }
}
`;

describe('the ion-graphql dialog in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, y: 100 };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...graphqlNode, ...place, query: QUERY, wires: [] },
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

  beforeEach(async () => {
    await editor.edit('node');
    await schemaIs(/^schema: \d+ types$/);
  });
  afterEach(async () => {
    await editor.cancel();
    assert.deepEqual(editor.errors, []);
  });

  const schemaIs = async (text: RegExp) => {
    await editor.page.waitForFunction(
      (source) =>
        new RegExp(source).test(document.querySelector('#ion-graphql-schema')?.textContent ?? ''),
      text.source,
    );
  };
  const lines = '#ion-graphql-query-editor .view-line';
  const query = () =>
    editor.page.evaluate(() => {
      const models = monaco.editor.getModels();
      return models.find((model) => model.getLanguageId() === 'graphql')?.getValue();
    });
  /** Puts the cursor behind a text of the query. */
  const clickBehind = async (text: string) => {
    await editor.page.click(`${lines} >> text=${text}`);
    await editor.page.keyboard.press('End');
  };
  const run = async (variables: string) => {
    const { page } = editor;
    if (!(await page.isVisible('#ion-graphql-run'))) await page.click('.ion-graphql-trial summary');
    await page.fill('#ion-graphql-test-variables', variables);
    await page.click('#ion-graphql-run');
  };
  const resultSays = (text: string) =>
    editor.page.waitForFunction(
      (wanted) => document.querySelector('#ion-graphql-result')?.textContent?.includes(wanted),
      text,
    );

  it('completes a field of Run after two letters', async () => {
    const { page } = editor;
    await clickBehind('title');
    await page.keyboard.press('Enter');
    await page.keyboard.type('pe');
    await page.waitForSelector('.suggest-widget.visible >> text=percentComplete');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`${lines} >> text=percentComplete`);
  });

  const startOver = async () => {
    await editor.page.click(`${lines} >> nth=0`);
    await editor.page.keyboard.press('ControlOrMeta+a');
    await editor.page.keyboard.press('Delete');
  };
  const isListOpen = () => editor.page.isVisible('.suggest-widget.visible');
  const listHas = (label: string) =>
    editor.page.waitForSelector(`.suggest-widget.visible >> text=${label}`);

  it('starts a new line with Enter after a brace, a space and a complete name', async () => {
    const { page } = editor;
    await startOver();
    const type = async (...typed: string[]) => {
      for (const line of typed) {
        await page.keyboard.type(line);
        await page.keyboard.press('Enter');
      }
    };
    await type('query Typed ', '{', 'runs {', 'edges {', 'node {');
    await page.keyboard.type('id');
    await listHas('id');
    await type('', 'steps(');
    await page.keyboard.type('first: 2');
    const compact = String(await query()).replace(/\n\s*/g, '\n');
    const typed = 'query Typed \n{\nruns {\nedges {\nnode {\nid\nsteps(\nfirst: 2';
    assert.equal(compact.slice(0, typed.length), typed);
    await page.keyboard.press('Escape');
  });

  it('suggests at a letter, after $, @ and a colon, and on request, but not after a brace', async () => {
    const { page } = editor;
    await startOver();
    await page.keyboard.type('query Q($id: ');
    await page.keyboard.type('I');
    await listHas('ID');
    await page.keyboard.type('D!');
    await page.keyboard.press('End');
    await page.keyboard.type(' {');
    // It would have opened with the character.
    assert.equal(await isListOpen(), false);
    await page.keyboard.press('Enter');
    await page.keyboard.type('r');
    await listHas('runs');
    await page.keyboard.type('un(id: $');
    await listHas('$id');
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.type(' @');
    await listHas('include');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('{');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+Space');
    await page.waitForSelector('.suggest-widget.visible');
    // Only some of the fields are visible at once.
    await page.keyboard.type('percent');
    await listHas('percentComplete');
    await page.keyboard.press('Escape');
  });

  it('has no minimap', async () => {
    const { page } = editor;
    await page.waitForSelector(lines);
    assert.equal(await page.isVisible('#ion-graphql-query-editor .minimap'), false);
  });

  it('completes variables and arguments', async () => {
    const { page } = editor;
    await clickBehind('title');
    await page.keyboard.press('Enter');
    await page.keyboard.type('steps(fil');
    await page.waitForSelector('.suggest-widget.visible >> text=filters');
    await page.keyboard.press('Escape');
  });

  it('describes a field', async () => {
    const { page } = editor;
    await page.hover(`${lines} >> text=title`);
    await page.waitForSelector('.monaco-hover:visible >> text=Run.title');
  });

  it('underlines names that the schema does not have, and invalid GraphQL', async () => {
    const { page } = editor;
    await clickBehind('title');
    await page.keyboard.press('Enter');
    await page.keyboard.type('penguin ');
    await page.waitForSelector('.squiggly-error');
    await page.hover(`${lines} >> text=penguin`);
    await page.waitForSelector('.monaco-hover:visible >> text=Cannot query field "penguin"');
  });

  it('runs the query in the dialog', async () => {
    await run('{ "id": 7 }');
    await resultSays('title');
    await resultSays(String(context.sandbox.data.runs.get(7)?.title));
  });

  it('leaves room for the rows below its result', async () => {
    await editor.page.setViewportSize({ width: 1400, height: 1150 });
    await run('{ "id": 7 }');
    await resultSays('title');
    await editor.page.waitForFunction(() => {
      const row = document.querySelector('#node-input-output')?.closest('.form-row');
      const body = document.querySelector('.red-ui-tray-body');
      if (!row || !body) return false;
      return row.getBoundingClientRect().bottom <= body.getBoundingClientRect().bottom;
    });
  });

  it('shows its result in a low window without scrolling', async () => {
    const { page } = editor;
    await page.setViewportSize({ width: 1280, height: 720 });
    await run('{ "id": 7 }');
    await resultSays('title');
    await page.waitForFunction(() => {
      const result = document.querySelector('#ion-graphql-result')?.getBoundingClientRect();
      const body = document.querySelector('.red-ui-tray-body')?.getBoundingClientRect();
      return result && body && result.top >= body.top && result.bottom <= body.bottom + 1;
    });
    assert.equal(await page.isVisible('#ion-graphql-run'), true);
  });

  it('says why the query does not run', async () => {
    await run('{ "id": ');
    await resultSays('ION_VARIABLES');
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 500, times: 4 });
    await run('{ "id": 7 }');
    await resultSays('ION_SERVER');
  });

  it('marks its result as old once the query or the values differ from those that it belongs to', async () => {
    const { page } = editor;
    const old = page.locator('#ion-graphql-result-old');
    await run('{ "id": 7 }');
    await resultSays('title');
    assert.equal(await old.isVisible(), false);
    const top = async () => (await page.locator('#ion-graphql-result').boundingBox())?.y;
    const before = await top();
    await page.fill('#ion-graphql-test-variables', '{ "id": 8 }');
    await old.filter({ hasText: 'This result is old' }).waitFor();
    assert.equal(await top(), before, 'the line moves what is below');
    await page.fill('#ion-graphql-test-variables', '{ "id": 7 }');
    await old.waitFor({ state: 'hidden' });
    await clickBehind('title');
    await page.keyboard.press('Enter');
    await old.waitFor();
    await page.click('#ion-graphql-run');
    await old.waitFor({ state: 'hidden' });
    await resultSays('title');
  });

  it('marks a failure as old as well', async () => {
    const { page } = editor;
    await run('{ "id": ');
    await resultSays('ION_VARIABLES');
    await page.fill('#ion-graphql-test-variables', '{ "id": 7 }');
    await page.locator('#ion-graphql-result-old').waitFor();
  });

  describe('a template', () => {
    const choose = (key: string) => editor.page.selectOption('#ion-graphql-starter', key);
    const answer = async (button: string) => {
      const question = editor.page.locator('.red-ui-notification');
      await question.getByRole('button', { name: button, exact: true }).click();
      await question.waitFor({ state: 'detached' });
    };
    const queryHas = (text: string) => editor.page.waitForSelector(`${lines} >> text=${text}`);
    const variables = () =>
      Promise.all([
        editor.page.inputValue('#node-input-variables'),
        editor.page.inputValue('#node-input-variablesType'),
      ]);

    it('replaces a query of the user only after a question, and undo brings the query back', async () => {
      const { page } = editor;
      await choose('me');
      await page.getByText('Replace your query with this template? Undo').waitFor();
      await answer('Cancel');
      assert.equal(await query(), QUERY);
      await choose('me');
      await answer('Replace');
      await queryHas('WhoAmI');
      await clickBehind('WhoAmI');
      await page.keyboard.press('Control+z');
      await page.waitForSelector(`${lines} >> text=WhoAmI`, { state: 'detached' });
      assert.equal(await query(), QUERY);
    });

    it('replaces another template without a question', async () => {
      await choose('me');
      await answer('Replace');
      await queryHas('WhoAmI');
      await choose('procedures');
      await queryHas('procedures');
      assert.equal(await editor.page.locator('.red-ui-notification').count(), 0);
    });

    it('brings an example of its variables, and the next one takes it away', async () => {
      const { page } = editor;
      assert.deepEqual(await variables(), ['variables', 'msg']);
      await choose('fieldValue');
      await page.getByText('and fill in example variables?').waitFor();
      await answer('Replace');
      await queryHas('RecordValue');
      const [json, type] = await variables();
      assert.equal(type, 'json');
      assert.deepEqual(Object.keys(JSON.parse(json).input), ['id', 'etag', 'value']);
      assert.equal(await page.inputValue('#ion-graphql-test-variables'), json);
      await choose('me');
      await queryHas('WhoAmI');
      assert.deepEqual(await variables(), ['variables', 'msg']);
      assert.equal(await page.inputValue('#ion-graphql-test-variables'), '');
    });

    it('shows its start', async () => {
      const { page } = editor;
      await startOver();
      await page.keyboard.type('# a long line '.repeat(20));
      await choose('openRuns');
      await answer('Replace');
      await queryHas('OpenRuns');
      await page.waitForFunction((selector) => {
        const [first] = document.querySelectorAll(selector);
        const box = document.querySelector('#ion-graphql-query-editor')?.getBoundingClientRect();
        const line = first?.getBoundingClientRect();
        return box && line && line.left >= box.left && line.top >= box.top;
      }, lines);
    });

    it('is undone with its variables and the paging', async () => {
      const { page } = editor;
      const test = '#ion-graphql-test-variables';
      const pages = () => page.inputValue('#node-input-pages');
      await page.selectOption('#node-input-pages', 'all');
      await choose('updateRun');
      await answer('Replace');
      await queryHas('UpdateRun');
      const example = await page.inputValue(test);
      assert.match(example, /"title"/);
      assert.deepEqual(await variables(), [example, 'json']);
      assert.equal(await pages(), 'one');

      await clickBehind('UpdateRun');
      await page.keyboard.press('Control+z');
      await page.waitForFunction(
        (test) => document.querySelector<HTMLInputElement>(test)?.value === '',
        test,
      );
      assert.equal(await query(), QUERY);
      assert.deepEqual(await variables(), ['variables', 'msg']);
      assert.equal(await pages(), 'all');

      await page.keyboard.press('Control+y');
      await page.waitForFunction(
        (test) => document.querySelector<HTMLInputElement>(test)?.value !== '',
        test,
      );
      assert.deepEqual(await variables(), [example, 'json']);
      assert.equal(await pages(), 'one');

      await page.locator('.ion-graphql-trial summary').click();
      await page.fill(test, '{ "id": 3 }');
      await clickBehind('UpdateRun');
      await page.keyboard.press('Control+z');
      await page.waitForSelector(`${lines} >> text=UpdateRun`, { state: 'detached' });
      assert.deepEqual(await variables(), ['variables', 'msg']);
      assert.equal(await page.inputValue(test), '{ "id": 3 }');
    });

    it('keeps the variables of the user', async () => {
      const { page } = editor;
      await page.locator('#node-input-variables ~ .red-ui-typedInput-container input').fill('mine');
      await page.click('.ion-graphql-trial summary');
      await page.fill('#ion-graphql-test-variables', '{ "id": 3 }');
      await choose('fieldValue');
      await page.getByText('Replace your query with this template? Undo').waitFor();
      await answer('Replace');
      await queryHas('RecordValue');
      assert.deepEqual(await variables(), ['mine', 'msg']);
      assert.equal(await page.inputValue('#ion-graphql-test-variables'), '{ "id": 3 }');
    });
  });

  it('formats the query in a step that undo takes back', async () => {
    const { page } = editor;
    await clickBehind('title');
    await page.keyboard.press('Enter');
    await page.keyboard.type('id   id');
    await page.click('#ion-graphql-format');
    await page.waitForFunction(
      (selector) => document.querySelectorAll(selector).length >= 8,
      lines,
    );
    await clickBehind('title');
    await page.keyboard.press('Control+z');
    await page.waitForSelector(`${lines} >> text=/id\\s{3}id/`);
  });

  it('asks before it runs a mutation', async () => {
    const { page } = editor;
    await page.selectOption('#ion-graphql-starter', 'stepStatus');
    await page.click('.red-ui-notification button >> text=Replace');
    await page.waitForSelector('.red-ui-notification', { state: 'detached' });
    await page.waitForSelector(`${lines} >> text=StepStatus`);
    const { executed } = context.sandbox.control.counters();
    const variables = '{ "input": { "id": 1, "etag": "stale" } }';
    await run(variables);
    await page.waitForSelector('.red-ui-notification button');
    const buttons = page.locator('.red-ui-notification button');
    assert.deepEqual(await buttons.allTextContents(), ['Cancel', 'Run mutation']);
    await page.click('.red-ui-notification button >> text=Cancel');
    await page.waitForSelector('.red-ui-notification', { state: 'detached' });
    assert.deepEqual(context.sandbox.control.counters().executed, executed);
    await run(variables);
    await page.click('.red-ui-notification button >> text=Run mutation');
    await resultSays('ION_CONFLICT');
    const root = page.locator('#ion-graphql-result .red-ui-debug-msg-object-key').first();
    assert.equal(await root.textContent(), 'response');
    assert.equal(context.sandbox.control.counters().executed.updateRunStep, 1);
  });

  it('formats the query', async () => {
    const { page } = editor;
    // Typed text would get the code editor's closing brackets.
    await page.evaluate(() => {
      const models = monaco.editor.getModels();
      models
        .find((model) => model.getLanguageId() === 'graphql')
        ?.setValue('{me{id # mine\nname}}');
    });
    await page.click('#ion-graphql-format');
    await page.waitForFunction(
      (selector) => document.querySelectorAll(selector).length >= 5,
      lines,
    );
    assert.match(String(await page.textContent('#ion-graphql-query-editor')), /#\s+mine/);
  });

  it('reads the schema again on request', async () => {
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 500, times: 9 });
    await editor.page.click('#ion-graphql-refresh');
    await schemaIs(/^no schema: ION, or a gateway before it, returned a server error/);
    context.sandbox.control.clearFaults();
    await editor.page.click('#ion-graphql-refresh');
    await schemaIs(/^schema: \d+ types$/);
  });

  it('loads the language only when a query editor opens', async function () {
    const fresh = await Editor.open(this, nodeRed.url);
    try {
      const isLoaded = () =>
        fresh.page.evaluate(() =>
          performance
            .getEntriesByType('resource')
            .some(({ name }) => name.includes('graphql-language')),
        );
      assert.equal(await isLoaded(), false);
      await fresh.edit('node');
      await fresh.page.waitForFunction(() => 'ionGraphqlLanguage' in window);
      assert.equal(await isLoaded(), true);
    } finally {
      await fresh.close();
    }
  });
});
