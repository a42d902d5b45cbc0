import assert from 'node:assert/strict';
import { type WriteTemplate, writeTemplates } from '../../nodes/editor/graphql/write-templates.js';
import { graphqlMigrations } from '../../nodes/migrations/ion-graphql.js';
import { currentVersion } from '../../nodes/migrations/migrate.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

interface EditedModel {
  getLanguageId(): string;
  getValue(): string;
  setValue(text: string): void;
}
interface EditedCode {
  getContainerDomNode(): HTMLElement;
  getModel(): EditedModel;
  focus(): void;
}

/** The editor and Monaco, inside the page. */
declare const RED: {
  nodes: {
    node(id: string): {
      outputs: number;
      _def: { outputLabels(this: object, index: number): string };
      validationErrors?: string[];
    };
  };
};
declare const monaco: { editor: { getEditors(): EditedCode[] } };

const MUTATION = `mutation Rename($input: UpdateRunInput!) {
  updateRun(input: $input) {
    run {
      id
      title
    }
  }
}
`;
const PREPARE = `query Before($id: ID!) {
  run(id: $id) {
    id
    title
    _etag
  }
}
`;
const WITH_ETAG = '{ "input": $merge([variables.input, { "etag": data.run._etag }]) }';
const outbox = {
  query: MUTATION,
  delivery: 'outbox',
  order: 'line',
  orderType: 'msg',
  prepare: PREPARE,
  prepareVariables: WITH_ETAG,
  alreadyDone: 'data.run[title = $$.variables.input.title]',
  keepFor: 12,
  outputs: 2,
  version: currentVersion(graphqlMigrations),
};
/** The properties of a node that delivers immediately. */
const direct = {
  ...{ delivery: 'direct', order: '', orderType: 'str', prepare: '', prepareVariables: '' },
  ...{ alreadyDone: '', keepFor: 0, outputs: 1 },
};
const OUTBOX_ROWS = ['Order', 'Prepare', 'Variables to send', 'Already done', 'Keep for (h)'];

describe('the delivery in the ion-graphql dialog', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const node = { ...graphqlNode, z: 'flow', wires: [[]] };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      { ...node, id: 'old', x: 200, y: 100 },
      { ...node, id: 'plain', x: 200, y: 200, query: MUTATION },
      { ...node, id: 'outbox', x: 200, y: 300, ...outbox, wires: [['plain'], ['plain']] },
      { ...node, id: 'tested', x: 200, y: 400, ...outbox, wires: [[], []] },
      { ...node, id: 'query', x: 200, y: 500 },
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

  const edit = async (id: string) => {
    await editor.edit(id);
    // The bundle of the query editor has come.
    await editor.page.locator('#ion-graphql-schema').filter({ hasText: 'schema: ' }).waitFor();
  };
  const deliver = (by: 'direct' | 'outbox') => editor.page.selectOption('#node-input-delivery', by);
  const stored = async (id: string, names: string[]) => {
    const values = names.map(async (name) => [name, await editor.property(id, name)] as const);
    return Object.fromEntries(await Promise.all(values));
  };
  const labels = async () => {
    const texts = await editor.page
      .locator('#dialog-form > .form-row > label:visible')
      .allTextContents();
    return texts.map((text) => text.trim());
  };
  const code = {
    query: '#ion-graphql-query-editor',
    prepare: '#ion-graphql-prepare-editor',
  } as const;
  const textOf = (name: keyof typeof code) =>
    editor.page.evaluate(
      (selector) =>
        monaco.editor
          .getEditors()
          .find((each) => each.getContainerDomNode().closest(selector))
          ?.getModel()
          .getValue(),
      code[name],
    );
  const setText = (name: keyof typeof code, text: string) =>
    editor.page.evaluate(
      ([selector, text]) => {
        const found = monaco.editor
          .getEditors()
          .find((each) => each.getContainerDomNode().closest(selector));
        found?.getModel().setValue(text);
        found?.focus();
      },
      [code[name], text] as const,
    );
  const widget = (name: string) =>
    editor.page.locator(`#node-input-${name} ~ .red-ui-typedInput-container`);
  const setExpression = async (name: string, text: string) => {
    const input = widget(name).locator('.red-ui-typedInput-input');
    await input.fill(text);
    await input.press('Tab');
  };

  describe('chosen by the user', () => {
    it('shows the rows of the outbox or those of paging', async () => {
      await edit('plain');
      const common = ['Name', 'ION', 'Query', 'Variables', 'Operation', 'Delivery'];
      assert.deepEqual(await labels(), [...common, 'Paging', 'Result']);
      await editor.page.selectOption('#node-input-pages', 'all');
      await deliver('outbox');
      assert.deepEqual(await labels(), [...common, ...OUTBOX_ROWS, 'Result']);
      await deliver('direct');
      assert.deepEqual(await labels(), [...common, 'Paging', 'Page size', 'Limit', 'Result']);
      await editor.cancel();
    });

    it('leaves a node of 1.0.0 direct and unchanged', async () => {
      const before = JSON.parse(JSON.stringify((await editor.completeFlow()).get('old')));
      await edit('old');
      assert.equal(await editor.page.inputValue('#node-input-delivery'), 'direct');
      await editor.done();
      assert.notEqual(await editor.property('old', 'changed'), true);
      const after = (await editor.completeFlow()).get('old');
      assert.deepEqual({ ...after, ...before }, after);
      assert.deepEqual(await stored('old', Object.keys(direct)), direct);
    });

    it('shows what is stored, and keeps it when nothing is changed', async () => {
      await edit('outbox');
      assert.equal(await textOf('prepare'), PREPARE);
      assert.equal(
        await widget('prepareVariables').locator('.red-ui-typedInput-input').inputValue(),
        WITH_ETAG,
      );
      await editor.done();
      assert.notEqual(await editor.property('outbox', 'changed'), true);
      assert.deepEqual(await stored('outbox', Object.keys(outbox)), outbox);
    });

    it('stores the rows of the outbox, and gives the node a second output', async () => {
      const { page } = editor;
      await edit('plain');
      await deliver('outbox');
      await widget('order').locator('.red-ui-typedInput-input').fill('line 7');
      await setText('prepare', PREPARE);
      await setExpression('prepareVariables', WITH_ETAG);
      await setExpression('alreadyDone', 'data.run');
      await page.fill('#node-input-keepFor', '1.5');
      await editor.done();
      assert.deepEqual(await stored('plain', Object.keys(direct)), {
        ...{ delivery: 'outbox', order: 'line 7', orderType: 'str', prepare: PREPARE },
        ...{ prepareVariables: WITH_ETAG, alreadyDone: 'data.run', keepFor: '1.5', outputs: 2 },
      });
      const ports = () =>
        page.evaluate(() => {
          const node = RED.nodes.node('plain');
          return [0, 1]
            .slice(0, node.outputs)
            .map((port) => node._def.outputLabels.call(node, port));
        });
      assert.deepEqual(await ports(), ['delivered to ION', 'rejected writes']);
      const second = page.locator('[id="plain"] .red-ui-flow-port-output').nth(1);
      await second.waitFor();
      await edit('plain');
      await deliver('direct');
      await editor.done();
      assert.deepEqual(await ports(), ['response']);
      await second.waitFor({ state: 'detached' });
    });

    it('says whether a write may reach ION twice', async () => {
      const guarantee = editor.page.locator('#ion-graphql-guarantee');
      await edit('outbox');
      assert.match(String(await guarantee.textContent()), /^Exactly once, as long as/);
      await setExpression('alreadyDone', '');
      assert.match(String(await guarantee.textContent()), /^At least once: .* may get it twice\.$/);
      await editor.cancel();
    });

    it('refuses a query, and says so at once and in the workspace', async () => {
      const hint = editor.page.locator('#ion-graphql-no-mutation');
      const errors = () =>
        editor.page.evaluate(() => RED.nodes.node('query').validationErrors ?? []);
      await edit('query');
      assert.equal(await hint.textContent(), '');
      await deliver('outbox');
      assert.match(String(await hint.textContent()), /^The outbox takes mutations only/);
      await setText('query', MUTATION);
      assert.equal(await hint.textContent(), '');
      await setText('query', '{ me { id } }');
      await hint.filter({ hasText: 'mutations only' }).waitFor();
      await editor.done();
      assert.match((await errors()).join('\n'), /The outbox takes mutations only/);
      await edit('query');
      await deliver('direct');
      await editor.done();
      assert.deepEqual(await errors(), []);
    });

    it('opens an expression in the expression editor of Node-RED', async () => {
      const { page } = editor;
      await edit('outbox');
      await widget('alreadyDone').getByRole('button', { name: 'Already done …' }).click();
      await page.waitForSelector('#red-ui-editor-type-expression');
      // The tray slides in; a click during the animation misses its target.
      await editor.untilNothingSlides();
      await page.evaluate(() => {
        const found = monaco.editor
          .getEditors()
          .find((each) => each.getModel().getLanguageId() === 'jsonata');
        found?.getModel().setValue('data\n.run');
      });
      const done = page.locator('.red-ui-tray').last().locator('#node-dialog-ok:visible');
      await done.click();
      await page.waitForSelector('#red-ui-editor-type-expression', { state: 'detached' });
      await editor.untilNothingSlides();
      await editor.done();
      // A line break is a tab, as for every expression in Node-RED.
      assert.equal(await editor.property('outbox', 'alreadyDone'), 'data\t.run');
    });
  });

  describe('has an editor for Prepare that', () => {
    it('completes fields, and underlines names that the schema does not have', async () => {
      const { page } = editor;
      await edit('tested');
      await setText('prepare', '');
      await page.keyboard.type('{ runs { edges { node { pe');
      await page.waitForSelector('.suggest-widget.visible >> text=percentComplete');
      await page.keyboard.press('Enter');
      await page.keyboard.type(' penguin ');
      await page.waitForSelector(`${code.prepare} .squiggly-error`);
      await editor.cancel();
    });

    it('gets the schema when the outbox is chosen later, and a new configuration', async () => {
      const { page } = editor;
      await edit('plain');
      await deliver('outbox');
      await page.selectOption('#node-input-config', '_ADD_');
      await page.locator('#ion-graphql-schema').filter({ hasText: 'no schema' }).waitFor();
      await page.selectOption('#node-input-config', 'config');
      await page.locator('#ion-graphql-schema').filter({ hasText: 'schema: ' }).waitFor();
      await setText('prepare', '{ penguin }');
      await page.waitForSelector(`${code.prepare} .squiggly-error`);
      await editor.cancel();
    });
  });

  describe('evaluates the expressions', () => {
    beforeEach(() => edit('tested'));
    afterEach(() => editor.cancel());

    const result = () => editor.page.locator('#ion-graphql-result');
    const evaluate = async (variables: object | string) => {
      const { page } = editor;
      if (!(await page.isVisible('#ion-graphql-evaluate'))) {
        await page.click('.ion-graphql-trial summary');
      }
      const json = typeof variables === 'string' ? variables : JSON.stringify(variables);
      await page.fill('#ion-graphql-test-variables', json);
      await page.click('#ion-graphql-evaluate');
      await page.waitForFunction(() => {
        const result = document.querySelector('#ion-graphql-result');
        return result?.querySelector('p, h4') && !result.querySelector('.fa-spinner');
      });
      return String(await result().textContent());
    };
    const run = () => {
      const found = context.sandbox.data.runs.get(7);
      assert.ok(found);
      return found;
    };
    const rename = (title: string) => ({ id: 7, input: { id: 7, title } });

    it('if the write is not done yet, with the variables that would be sent', async () => {
      const { title } = run();
      const etag = String(run()._etag);
      const text = await evaluate(rename('another title'));
      assert.match(text, /Already donenothing: the write would be sent/);
      const [, sent = '', data = ''] = text.split(/Variables to send|Prepare/);
      assert.match(sent, /^variables: objectinput: object/);
      assert.ok(data.startsWith('data: object'), data);
      await result().getByText('input').last().waitFor();
      assert.equal(run().title, title);
      assert.equal(String(run()._etag), etag);
    });

    it('if an earlier try has written', async () => {
      const text = await evaluate(rename(String(run().title)));
      assert.match(text, /Already donefound: from the second try on, .*payload: object/);
      assert.ok(text.includes(String(run().title)));
    });

    it('without Prepare, and without expressions', async () => {
      await setText('prepare', '');
      await setExpression('alreadyDone', '$exists(data)');
      await setExpression('prepareVariables', '');
      const variables = { id: 7, input: 'x' };
      // The mutation does not declare the ID.
      assert.match(
        await evaluate(variables),
        /^Already donenothing: .*Variables to sendvariables: objectinput: "x"$/,
      );
      await setExpression('alreadyDone', '');
      assert.doesNotMatch(await evaluate(variables), /Already done/);
    });

    for (const [what, expression, said] of [
      ['fails', '$sum("x")', /Argument 1 of function "sum"/],
      ['has a syntax error', 'data.(', /Unexpected end of expression|Expected/],
      ['uses the flow', '$flowContext("x")', /\$flowContext works only in the running flow\./],
    ] as const) {
      it(`if one ${what}, beside the result of the other`, async () => {
        await setExpression('alreadyDone', expression);
        const text = await evaluate(rename('x'));
        assert.match(text, said);
        assert.match(text, /Variables to sendvariables: object/);
        await result().locator('.ion-graphql-failure').waitFor();
      });
    }

    it('if no object would be sent', async () => {
      await setExpression('prepareVariables', 'variables.input.title');
      assert.match(await evaluate(rename('x')), /gives no object, so the write would be rejected/);
    });

    it('if the mutation would lack a variable', async () => {
      await setExpression('prepareVariables', '{ "id": variables.id, "input": data.nothing }');
      const text = await evaluate(rename('x'));
      assert.match(text, /No value for \$input, so ION would reject the write\./);
    });

    it('only if Prepare succeeds', async () => {
      assert.match(await evaluate({}), /^ION_GRAPHQL: .*\$id/);
      await setText('prepare', '{ runs {');
      assert.match(await evaluate({}), /^ION_QUERY: /);
      assert.match(await evaluate('{ "id": '), /^ION_VARIABLES: /);
      assert.match(await evaluate('[1]'), /^ION_VARIABLES: The test variables must be an object/);
    });

    it('without ever running a mutation', async () => {
      const { title } = run();
      const input = { id: 7, etag: String(run()._etag), title: 'changed by a test' };
      await setText('prepare', MUTATION);
      const text = await evaluate({ input });
      assert.equal(text, 'ION_QUERY: Prepare must be a query, not a mutation');
      assert.equal(run().title, title);
    });

    it('and marks the result as old once one of them differs', async () => {
      const old = editor.page.locator('#ion-graphql-result-old');
      await evaluate(rename('x'));
      assert.equal(await old.isVisible(), false);
      await setExpression('alreadyDone', 'false');
      await old.filter({ hasText: 'This result is old' }).waitFor();
      await editor.page.click('#ion-graphql-evaluate');
      await old.waitFor({ state: 'hidden' });
      await setText('prepare', '{ me { id } }');
      await old.waitFor();
    });
  });

  describe('is part of a template', () => {
    const choose = (key: string) => editor.page.selectOption('#ion-graphql-starter', key);
    const answer = async (button: string) => {
      const question = editor.page.locator('.red-ui-notification');
      await question.getByRole('button', { name: button, exact: true }).click();
      await question.waitFor({ state: 'detached' });
    };
    const queryIs = (text: string) =>
      editor.page.waitForFunction(
        ([selector, text]) =>
          monaco.editor
            .getEditors()
            .find((each) => each.getContainerDomNode().closest(selector))
            ?.getModel()
            .getValue() === text,
        [code.query, text] as const,
      );
    const undo = async (keys = 'Control+z') => {
      await editor.page.click(`${code.query} .view-line >> nth=0`);
      await editor.page.keyboard.press(keys);
    };
    const set = async () => {
      const value = (name: string) => editor.page.inputValue(`#node-input-${name}`);
      return {
        delivery: await value('delivery'),
        order: [await value('orderType'), await value('order')],
        prepare: await textOf('prepare'),
        prepareVariables: await value('prepareVariables'),
        alreadyDone: await value('alreadyDone'),
        variables: await value('variables'),
      };
    };
    const oneLine = (text: string) => text.replace(/\n\s*/g, ' ');
    const setOf = ({ order, prepare, variables, ...rest }: WriteTemplate) => ({
      delivery: 'outbox',
      order: order ? [order.type, order.value] : ['str', ''],
      prepare,
      prepareVariables: rest.prepareVariables.replaceAll('\n', '\t'),
      alreadyDone: rest.alreadyDone.replaceAll('\n', '\t'),
      variables: oneLine(variables),
    });
    const { createIssue, dispatchNotification } = writeTemplates as Record<string, WriteTemplate> &
      typeof writeTemplates;

    it('with the guarantee in its name', async () => {
      await edit('query');
      const group = editor.page.locator('optgroup[label="Writes through the outbox"] option');
      const names = await group.allTextContents();
      assert.equal(names.length, Object.keys(writeTemplates).length);
      assert.ok(names.includes('Create an issue (exactly once)'));
      assert.ok(names.includes('Send a notification (at least once)'));
      await editor.cancel();
    });

    it('with its whole set, which undo and redo bring back', async () => {
      await edit('query');
      const before = await set();
      const query = await textOf('query');
      await choose('createIssue');
      await editor.page.getByText('Replace your query, Prepare and its expressions').waitFor();
      await answer('Replace');
      await queryIs(createIssue.query);
      assert.deepEqual(await set(), setOf(createIssue));
      await undo();
      await queryIs(String(query));
      assert.deepEqual(await set(), { ...before, prepare: '' });
      await undo('Control+y');
      await queryIs(createIssue.query);
      assert.deepEqual(await set(), setOf(createIssue));
      await editor.cancel();
    });

    it('which the next one replaces without a question, and a query ends', async () => {
      await edit('query');
      await choose('createIssue');
      await answer('Replace');
      await queryIs(createIssue.query);
      await choose('dispatchNotification');
      await queryIs(dispatchNotification.query);
      assert.deepEqual(await set(), setOf(dispatchNotification));
      await choose('me');
      await editor.page.waitForSelector(`${code.query} .view-line >> text=WhoAmI`);
      assert.equal(await editor.page.inputValue('#node-input-delivery'), 'direct');
      assert.equal(await editor.page.locator('.red-ui-notification').count(), 0);
      await editor.cancel();
    });

    it("that asks before it replaces the user's own expressions, and keeps the user's order", async () => {
      const own = 'data.mine';
      await edit('query');
      await choose('createIssue');
      await answer('Replace');
      await queryIs(createIssue.query);
      await setExpression('alreadyDone', own);
      await choose('dispatchNotification');
      await answer('Cancel');
      assert.equal(await editor.page.inputValue('#node-input-alreadyDone'), own);
      await choose('createIssue');
      await editor.page.getByText('The present ones are lost.').waitFor();
      await answer('Cancel');
      await widget('order').locator('.red-ui-typedInput-input').fill('mine');
      await choose('dispatchNotification');
      await answer('Replace');
      await queryIs(dispatchNotification.query);
      assert.equal(await editor.page.inputValue('#node-input-alreadyDone'), '');
      assert.equal(await editor.page.inputValue('#node-input-order'), 'mine');
      await undo();
      await queryIs(createIssue.query);
      assert.equal(await editor.page.inputValue('#node-input-alreadyDone'), own);
      await editor.cancel();
    });
  });
});
