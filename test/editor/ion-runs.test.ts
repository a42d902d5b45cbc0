import assert from 'node:assert/strict';
import { rowsFilter } from '../../nodes/client/lists/rows-query.js';
import { type FlowNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

/** The evaluator of the editor, inside the page. */
declare function jsonata(text: string): { evaluate(input: object): Promise<{ filters: object }> };

const filters = [
  { field: 'status', op: 'in', value: 'TODO, GONE', valueType: 'str' },
  { field: 'steps.nothing', op: 'like', value: '%x%', valueType: 'str' },
  { field: 'part.partNumber', op: 'eq', value: 'payload.part', valueType: 'msg' },
  { field: 'archived', op: 'eq', value: 'false', valueType: 'bool' },
];
const fields = ['title', 'id', 'steps.fields.value', 'oldField', 'steps'];
const sort = ['_UPDATED_DESC', 'OLD_SORT'];

describe('the ion-runs dialog in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const config = sandboxConfig(context.sandbox, { name: 'sandbox' });
    const runs = (id: string, properties: object = {}): FlowNode => ({
      ...runsNode,
      ...{ z: 'flow', x: 300, y: 100, wires: [['out']] },
      ...properties,
      id,
    });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      config,
      { ...config, id: 'failing', name: 'ION that fails', retries: 0 },
      { ...config, id: 'disabled', name: 'disabled ION', d: true },
      { id: 'in', type: 'http in', z: 'flow', url: '/runs', method: 'get', wires: [['runs']] },
      { id: 'out', type: 'http response', z: 'flow', x: 500, y: 100, wires: [] },
      runs('runs', { fields: ['id'] }),
      runs('columns', { fields: ['id'] }),
      runs('strange', { filters, fields, sort }),
      runs('later', {
        filters: [
          { field: 'status', op: 'in', value: 'payload.list', valueType: 'msg' },
          { field: 'title', op: 'eq', value: '$uppercase(topic)', valueType: 'jsonata' },
          { field: 'dueDate', op: 'isnull', value: 'payload["is open"]', valueType: 'msg' },
        ],
      }),
      runs('misspelled', {
        filters: [{ field: 'statsu', op: 'eq', value: 'TODO', valueType: 'str' }],
      }),
      runs('none of', {
        filters: [
          { field: 'status', op: 'notin', value: 'payload', valueType: 'msg' },
          { field: 'steps.status', op: 'notin', value: 'TODO, HOLD', valueType: 'str' },
        ],
      }),
      runs('large', {
        filters: [
          { field: 'id', op: 'eq', value: '9007199254740993', valueType: 'num' },
          { field: 'id', op: 'in', value: '[9007199254740993, 7]', valueType: 'json' },
        ],
      }),
      runs('fallback', { config: 'failing', filters, fields, sort }),
      runs('without', { config: 'disabled', d: true, filters, fields, sort }),
      runs('lost', { config: 'gone', d: true, filters, fields, sort }),
    ].map((node) => (node.type === 'http in' ? { ...node, x: 100, y: 100 } : node));
    const key = { clientId, clientSecret };
    const credentials = { config: key, failing: key, disabled: key };
    await prepareUserDir(folder.path, flow, credentials);
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const open = async (id: string) => {
    await editor.edit(id);
    await editor.page.waitForSelector('#ion-query-field-tree .red-ui-treeList-label');
  };
  const row = (index: number) => editor.page.locator('.ion-query-row').nth(index);
  const query = () => editor.page.locator('#ion-runs-preview-query');
  const variables = async () =>
    JSON.parse((await editor.page.textContent('#ion-runs-preview-variables')) ?? '');
  const tick = (label: string) =>
    editor.page
      .locator('#ion-query-field-tree .red-ui-treeList-label')
      .filter({ hasText: new RegExp(`^${label}`) })
      .locator('input')
      .click();
  const sortField = (index: number) => editor.page.locator('.ion-runs-sort-field').nth(index);
  const sortDirection = (index: number) =>
    editor.page.locator('#ion-runs-sort-keys > div').nth(index).locator('.ion-runs-sort-direction');
  /** The sort keys in the preview, which may be JSONata. */
  const preview = async () => {
    const text = (await editor.page.textContent('#ion-runs-preview-variables')) ?? '';
    return { sort: JSON.parse(/"sort": (\[[^\]]*\])/.exec(text)?.[1] ?? '') as string[] };
  };
  const keepsEverything = async (id: string) => {
    assert.deepEqual(await editor.property(id, 'filters'), filters);
    assert.deepEqual(await editor.property(id, 'fields'), fields);
    assert.deepEqual(await editor.property(id, 'sort'), sort);
    assert.notEqual(await editor.property(id, 'changed'), true);
  };
  const schemaSays = (text: string) =>
    editor.page.locator('#ion-query-schema').filter({ hasText: text }).waitFor();

  it('builds a filter from values in the schema', async () => {
    const { page } = editor;
    await open('runs');
    await page.click('.red-ui-editableList-addButton');
    await row(0).locator('.ion-query-field').pressSequentially('stat');
    await page.locator('.red-ui-autoComplete-container').getByText('status').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await row(0).locator('.ion-query-field').inputValue(), 'status');
    await page.keyboard.press('Tab');
    await row(0).locator('.ion-query-op').selectOption('in');
    const menu = await editor.openMenu(row(0).locator('.red-ui-typedInput-option-trigger'));
    // The first value was chosen before, with "is".
    await menu.locator('a[value="IN_PROGRESS"]').click();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
    assert.deepEqual((await variables()).filters, { status: { in: ['TODO', 'IN_PROGRESS'] } });
  });

  it('offers the fields for a new filter at once', async () => {
    const { page } = editor;
    await editor.done();
    await open('large');
    await page.click('.red-ui-editableList-addButton');
    const menu = page.locator('.red-ui-autoComplete-container');
    await menu.getByText('partNumber', { exact: true }).waitFor();
    // The ones with a few values first, relations last.
    const names = await menu.locator('li').allTextContents();
    assert.equal(names[0], 'status');
    assert.match(String(names.at(-1)), /\.…$/);
    const field = row(2).locator('.ion-query-field');
    assert.ok(await field.evaluate((element) => element === document.activeElement));
    await page.keyboard.type('dueD');
    await menu.getByText('partNumber').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    assert.equal(await field.inputValue(), 'dueDate');
    await editor.cancel();
    await open('runs');
  });

  it('has true and false for booleans, and the operators of the schema', async () => {
    const { page } = editor;
    await page.click('.red-ui-editableList-addButton');
    const operators = () => row(1).locator('.ion-query-op option').allTextContents();
    await row(1).locator('.ion-query-field').fill('archived');
    await row(1).locator('.ion-query-op').focus();
    assert.ok((await operators()).includes('is like'));
    const menu = await editor.openMenu(row(1).locator('.red-ui-typedInput-option-trigger'));
    await menu.locator('a[value="false"]').click();
    assert.deepEqual((await variables()).filters, {
      and_: [{ status: { in: ['TODO', 'IN_PROGRESS'] } }, { archived: { eq: false } }],
    });
  });

  it('has the default fields ticked and first, and technical ones last', async () => {
    const { page } = editor;
    await editor.done();
    await open('large');
    const boxes = page.locator('#ion-query-field-tree input');
    const names = await boxes.evaluateAll((all) =>
      all.map((box) => box.getAttribute('aria-label')),
    );
    assert.deepEqual(names.slice(0, 3), ['id', 'title', 'status']);
    const ofRun = names.filter((name) => !name?.includes('.'));
    const first = ofRun.indexOf('_etag');
    assert.ok(first > 10 && ofRun.includes('LastSessionId'));
    assert.ok(ofRun.slice(first).every((name) => /^[_A-Z]/.test(String(name))));
    assert.ok(ofRun.indexOf('_updated') < first);
    const ticked = await boxes.evaluateAll((all) =>
      all.flatMap((box) =>
        (box as HTMLInputElement).checked ? box.getAttribute('aria-label') : [],
      ),
    );
    assert.deepEqual(ticked, runsNode.fields);
    await editor.cancel();
    await open('runs');
  });

  it('has a tree of fields that is read level by level, and can be searched', async () => {
    const { page } = editor;
    await tick('title');
    await page.locator('#ion-query-field-tree').getByText('steps', { exact: true }).click();
    await page.waitForSelector('#ion-query-field-tree .red-ui-treeList-list .red-ui-treeList-list');
    await page.fill('#ion-query-field-search', 'part.partN');
    await page.locator('#ion-query-field-search').press('u');
    await tick('part.partNumber');
    await query()
      .filter({ hasText: /node \{\s+id\s+title\s+part \{\s+partNumber\s+\}/ })
      .waitFor({
        state: 'attached',
      });
  });

  it('can be ticked with the keyboard only', async () => {
    const { page } = editor;
    await page.fill('#ion-query-field-search', '');
    await page.keyboard.press('Backspace');
    await page.locator('#ion-query-field-tree').getByText('percentComplete').waitFor();
    await page.locator('#ion-query-field-tree').focus();
    // The chosen fields are the first ones: id, title, part.
    await page.keyboard.press('Space');
    assert.doesNotMatch((await query().textContent()) ?? '', / id\n/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    assert.doesNotMatch((await query().textContent()) ?? '', /title/);
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    assert.match((await query().textContent()) ?? '', /title\s+id\n/);
    // Back to the order in which they were chosen.
    for (const name of ['title', 'partNumber']) {
      await tick(name);
      await tick(name);
    }
  });

  it('shows the same when it is opened again', async () => {
    await sortField(0).selectOption('title');
    await sortDirection(0).selectOption({ label: 'Z to A' });
    await sortField(1).selectOption('id');
    const text = await query().textContent();
    const chosen = await variables();
    assert.deepEqual(chosen.sort, ['TITLE_DESC', 'ID_ASC']);
    await editor.done();
    assert.deepEqual(await editor.property('runs', 'filters'), [
      { field: 'status', op: 'in', value: 'TODO,IN_PROGRESS', valueType: 'str' },
      { field: 'archived', op: 'eq', value: 'false', valueType: 'bool' },
    ]);
    assert.deepEqual(await editor.property('runs', 'fields'), ['id', 'title', 'part.partNumber']);
    await open('runs');
    assert.equal(await query().textContent(), text);
    assert.deepEqual(await variables(), chosen);
    await editor.done();
  });

  it('sorts by each field once, with a direction in words', async () => {
    const { page } = editor;
    await open('later');
    const names = async (index: number) =>
      (await sortField(index).locator('option').allTextContents()).slice(1);
    const directions = async (index: number) =>
      sortDirection(index).locator('option').allTextContents();
    const all = await names(0);
    assert.ok(all.includes('dueDate') && all.includes('_updated'));
    await sortField(0).selectOption('_updated');
    assert.deepEqual(await directions(0), ['newest first', 'oldest first']);
    assert.ok(!(await names(1)).includes('_updated'));
    await sortField(1).selectOption('title');
    assert.deepEqual(await directions(1), ['A to Z', 'Z to A']);
    await sortField(2).selectOption('partId');
    assert.deepEqual(await directions(2), ['ascending', 'descending']);
    await sortDirection(2).selectOption({ label: 'descending' });
    await sortField(3).selectOption('endTime');
    assert.deepEqual(await directions(3), ['newest first', 'oldest first']);
    assert.deepEqual(
      await names(4),
      all.filter((name) => !['_updated', 'title', 'partId', 'endTime'].includes(name)),
    );
    const sort = ['_UPDATED_DESC', 'TITLE_ASC', 'PART_ID_DESC', 'END_TIME_DESC'];
    assert.deepEqual((await preview()).sort, sort);
    await sortField(1).selectOption('');
    assert.ok((await names(3)).includes('title'));
    await page.click('#node-dialog-ok');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    assert.deepEqual(
      await editor.property('later', 'sort'),
      sort.filter((key) => key !== 'TITLE_ASC'),
    );
  });

  it('says that a limit of 0 means all runs', async () => {
    await open('runs');
    const texts = await editor.page.locator('label[for=node-input-limit]').allTextContents();
    assert.deepEqual(
      texts.map((text) => text.trim()),
      ['Limit', '0: all runs'],
    );
    await editor.cancel();
  });

  it('creates a flow that returns the chosen fields', async () => {
    await nodeRed.untilStarted(() => editor.deploy());
    const response = await fetch(`${nodeRed.url}/runs`);
    const runs = (await response.json()) as { id: number; title: string; part: object | null }[];
    assert.ok(runs.length > 0);
    for (const run of runs) assert.deepEqual(Object.keys(run), ['id', 'title', 'part']);
    const titles = runs.map(({ title }) => title);
    assert.deepEqual(titles, titles.toSorted().reverse());
  });

  it('names the choices of the output after the shape, and saves the shape', async () => {
    const { page } = editor;
    await open('large');
    const modes = () => page.locator('#node-input-mode option').allTextContents();
    const ofRuns = await modes();
    await page.selectOption('#node-input-shape', { label: 'flat rows for a table or CSV' });
    assert.deepEqual(await modes(), [
      'one message with all rows',
      'one message per row',
      'one message per page of runs',
    ]);
    await editor.done();
    assert.equal(await editor.property('large', 'shape'), 'rows');
    await open('large');
    await page.selectOption('#node-input-shape', 'nested');
    assert.deepEqual(await modes(), ofRuns);
    await editor.done();
  });

  it('shows the columns of flat rows in the order in which the fields were selected', async () => {
    const { page } = editor;
    await open('columns');
    const columns = page.getByRole('status').filter({ hasText: 'Columns' });
    const shown = (text: string) => columns.filter({ hasText: text }).waitFor();
    assert.equal(await columns.count(), 0);
    await page.selectOption('#node-input-shape', 'rows');
    await shown('Columns: id');
    await tick('title');
    await shown('Columns: id, title');
    await tick('id');
    await tick('id');
    await shown('Columns: title, id');
    await page.selectOption('#node-input-shape', 'nested');
    await columns.waitFor({ state: 'detached' });
    await editor.cancel();
  });

  it('counts the rows in the status of the node', async () => {
    const { page } = editor;
    await open('runs');
    await page.selectOption('#node-input-shape', 'rows');
    await page.fill('#ion-query-field-search', 'steps.titl');
    await page.locator('#ion-query-field-search').press('e');
    await tick('steps.title');
    await page.locator('#ion-runs-columns').filter({ hasText: 'steps.title' }).waitFor();
    await editor.done();
    await nodeRed.untilStarted(() => editor.deploy());
    const rows = (await (await fetch(`${nodeRed.url}/runs`)).json()) as object[];
    const runs = context.sandbox.data.runs.all().length;
    assert.ok(rows.length > runs);
    const status = page.locator('[id="runs"] .red-ui-flow-node-status-label');
    await status.filter({ hasText: new RegExp(`^${rows.length} rows · \\d+ ms$`) }).waitFor();
  });

  it('has no limit while only changed runs are read', async () => {
    const { page } = editor;
    await open('runs');
    const changes = page.getByRole('checkbox', { name: 'Only runs created or changed' });
    assert.equal(await page.isVisible('#node-input-limit'), true);
    await changes.check();
    assert.equal(await page.isVisible('#node-input-limit'), false);
    await changes.uncheck();
    assert.equal(await page.isVisible('#node-input-limit'), true);
    await editor.cancel();
  });

  it('keeps values unknown to the schema', async () => {
    await open('strange');
    const { page } = editor;
    await page.locator('#ion-query-field-tree').getByText('oldField').waitFor();
    assert.equal(await row(1).locator('.ion-query-field').getAttribute('aria-invalid'), 'true');
    await editor.done();
    await keepsEverything('strange');
  });

  it('marks a node with a misspelled filter, and shows the reason', async () => {
    const { page } = editor;
    const reason = 'ION\'s schema has no filter "statsu"';
    const problems = () => editor.property('misspelled', 'validationErrors');
    await open('misspelled');
    await row(0).getByText(reason).waitFor();
    await editor.done();
    assert.equal(await editor.property('misspelled', 'valid'), false);
    assert.deepEqual(await problems(), [reason]);
    await page.waitForSelector('[id="misspelled"] .red-ui-flow-node-error:not(.hide)');
    await open('misspelled');
    await row(0).locator('.ion-query-field').fill('status');
    await row(0).locator('.ion-query-op').focus();
    assert.equal(await row(0).locator('.ion-query-problem').isVisible(), false);
    await editor.done();
    assert.deepEqual(await problems(), []);
  });

  it('opens as an ion-graphql node with the same query', async () => {
    const { page } = editor;
    await open('runs');
    const text = await query().textContent();
    await page.click('#ion-runs-open-as');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    const [graphql] = await editor.nodesOfType('ion-graphql');
    assert.equal(String(graphql?.query).trim(), text);
    assert.equal(graphql?.config, 'config');
    assert.equal(graphql?.variablesType, 'json');
    assert.deepEqual(JSON.parse(String(graphql?.variables)), {
      filters: {
        and_: [{ status: { in: ['TODO', 'IN_PROGRESS'] } }, { archived: { eq: false } }],
      },
      sort: ['TITLE_DESC', 'ID_ASC'],
    });
  });

  it('opens with IDs that a number cannot hold', async () => {
    const { page } = editor;
    await open('large');
    await page.click('#ion-runs-open-as');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    const graphql = (await editor.nodesOfType('ion-graphql')).at(-1);
    const { filters } = JSON.parse(String(graphql?.variables));
    assert.deepEqual(filters, {
      and_: [{ id: { eq: '9007199254740993' } }, { id: { in: ['9007199254740993', 7] } }],
    });
  });

  it('opens with JSONata if values come from the message', async () => {
    const { page } = editor;
    await open('later');
    await page.click('#ion-runs-open-as');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    const graphql = (await editor.nodesOfType('ion-graphql')).at(-1);
    assert.equal(graphql?.variablesType, 'jsonata');
    const message = { topic: 'pump', payload: { list: 'TODO, HOLD', 'is open': false } };
    const { filters } = await page.evaluate(
      async ([text, message]) => jsonata(text).evaluate(message),
      [String(graphql?.variables), message] as const,
    );
    assert.deepEqual(filters, {
      and_: [
        { status: { in: ['TODO', 'HOLD'] } },
        { title: { eq: 'PUMP' } },
        { dueDate: { isnull: false } },
      ],
    });
  });

  it('composes "is not one of", with an empty field as none of the values', async () => {
    const { page } = editor;
    await open('none of');
    const operator = row(0).locator('.ion-query-op option:checked');
    assert.equal(await operator.textContent(), 'is not one of');
    await page.click('#ion-runs-open-as');
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
    const graphql = (await editor.nodesOfType('ion-graphql')).at(-1);
    const filtersFor = (payload: unknown) =>
      page.evaluate(
        async ([text, payload]) =>
          JSON.parse(JSON.stringify((await jsonata(text).evaluate({ payload })).filters)),
        [String(graphql?.variables), payload] as const,
      );
    const steps = [{ status: { neq: 'TODO' } }, { status: { neq: 'HOLD' } }];
    const ofSteps = { steps: { or_: [{ status: { isnull: true } }, { and_: steps }] } };
    const [empty, full] = [true, false].map((isnull) => ({ status: { isnull } }));
    const not = (...values: string[]) => values.map((neq) => ({ status: { neq } }));
    const cases: [unknown, object][] = [
      ['TODO, CANCELED', { or_: [empty, { and_: not('TODO', 'CANCELED') }] }],
      [['TODO'], { or_: [empty, { and_: not('TODO') }] }],
      [['TODO', null], { and_: [full, ...not('TODO')] }],
      [[], { or_: [empty, full] }],
    ];
    for (const [payload, expected] of cases) {
      const filters = [
        { field: 'status', op: 'notin', value: payload } as const,
        { field: 'steps.status', op: 'notin', value: 'TODO, HOLD' } as const,
      ];
      assert.deepEqual(await filtersFor(payload), { and_: [expected, ofSteps] });
      assert.deepEqual(rowsFilter({ filters, fields: [], sort: [] }), {
        and_: [expected, ofSteps],
      });
    }
  });

  it('shows text inputs if ION does not answer, keeps everything, and retries', async () => {
    const { page } = editor;
    const { control } = context.sandbox;
    control.fault({ target: 'api', kind: 'status', status: 500 });
    await editor.edit('fallback');
    await schemaSays('ION_SERVER');
    assert.equal(await page.inputValue('#ion-query-field-text'), fields.join(' '));
    assert.equal(await page.inputValue('#ion-runs-sort-text'), sort.join(' '));
    assert.equal(await page.isVisible('#ion-query-field-tree'), false);
    await editor.done();
    await keepsEverything('fallback');
    control.fault({ target: 'api', kind: 'status', status: 500 });
    await editor.edit('fallback');
    await schemaSays('ION_SERVER');
    await page.click('#ion-query-schema-again');
    await page.locator('#ion-query-field-tree').getByText('oldField').waitFor();
    assert.equal(await page.isVisible('#ion-query-schema'), false);
    await editor.done();
    await keepsEverything('fallback');
  });

  it('says that its config node is disabled', async () => {
    await editor.edit('without');
    await schemaSays('disabled');
    await editor.done();
    await keepsEverything('without');
  });

  it('says that its config node is missing', async () => {
    await editor.edit('lost');
    await schemaSays('no longer exists');
    await editor.cancel();
    await keepsEverything('lost');
  });
});
