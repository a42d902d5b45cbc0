import assert from 'node:assert/strict';
import { eventsNode, type FlowNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

/** The editor, inside the page. */
declare const RED: {
  settings: { httpNodeRoot: string | false };
  nodes: {
    node(id: string): {
      credentials?: { secret?: string };
      validationErrors?: string[];
      _def: { outputLabels(this: object, index: number): string };
    };
  };
};

describe('the ion-events dialog in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  const filters = [
    { field: 'status', op: 'in', value: 'IN_PROGRESS, HOLD', valueType: 'str' },
    { field: 'locationId', op: 'eq', value: 'location', valueType: 'flow' },
  ];
  const nodes: Record<string, object> = {
    plain: {},
    poll: { resource: 'ISSUES', actions: ['UPDATE'], interval: 2.5, fields: ['id', 'title'] },
    filtered: { filters, fields: ['title', 'run.title', 'noSuchField'] },
    watching: { actions: ['UPDATE'], changedFields: ['status', 'run.title', 'noSuchField'] },
    webhook: {
      ...{ via: 'webhook', resource: 'STEPS_DAGS', actions: ['DELETE', 'CREATE'], path: '/hook' },
      ...{ signatureHeader: 'x-signed', expectedResponseCode: 202, verify: false },
    },
    registered: { via: 'webhook', register: true, publicUrl: 'https://factory.example.com' },
    secret: { via: 'webhook' },
    changing: {},
    wrong: {},
    misspelled: {
      // A filter of runs, not of their steps.
      filters: [{ field: 'procedureId', op: 'eq', value: '7', valueType: 'num' }],
    },
  };

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = (node: FlowNode, x: number, y: number) => ({ ...node, z: 'flow', x, y });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      place({ ...eventsNode, id: 'live', config: '', wires: [['keep']] }, 100, 40),
      place(
        {
          id: 'keep',
          type: 'function',
          func: `global.set('reported', { topic: msg.topic, payload: msg.payload, via: msg.ion.via });`,
          wires: [],
        },
        300,
        40,
      ),
      place(
        { id: 'in', type: 'http in', url: '/told', method: 'get', wires: [['take']] },
        100,
        100,
      ),
      place(
        {
          id: 'take',
          type: 'function',
          func: `msg.payload = global.get('reported') ?? {}; return msg;`,
          wires: [['out']],
        },
        300,
        100,
      ),
      place({ id: 'out', type: 'http response', wires: [] }, 500, 100),
      place({ id: 'post', type: 'http in', url: '/posted', method: 'post', wires: [] }, 100, 160),
      // Disabled, so that they neither poll nor register.
      ...Object.entries(nodes).map(([id, properties], index) =>
        place({ ...eventsNode, wires: [[]], d: true, ...properties, id }, 300, 160 + 50 * index),
      ),
    ];
    const key = { config: { clientId, clientSecret }, registered: { secret: 'example-secret' } };
    await prepareUserDir(folder.path, flow, key);
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const input = (property: string) => `#node-input-${property}`;
  const via = (way: string) => editor.page.selectOption(input('via'), way);
  /** Labels of the visible rows, below the name and the config node. */
  const rows = () =>
    editor.page.locator('.ion-events-dialog > .form-row:visible').evaluateAll((shown) =>
      shown
        .map((row) => (row.matches('.ion-query-heading') ? row : row.querySelector('label')))
        .map((label) => label?.textContent?.trim())
        .filter(Boolean)
        .slice(2),
    );
  const treeIsShown = () =>
    editor.page.waitForSelector('#ion-query-field-tree .red-ui-treeList-label');
  const labelsOfTree = () =>
    editor.page
      .locator('#ion-query-field-tree .red-ui-treeList-label-text')
      .evaluateAll((labels) => labels.map((label) => label.textContent));
  const action = (name: string) =>
    editor.page.locator(`#ion-events-actions input[value="${name}"]`);
  const isMarked = async (property: string) =>
    /\binput-error\b/.test((await editor.page.getAttribute(input(property), 'class')) ?? '');
  const stored = async (id: string, properties: string[]) =>
    Object.fromEntries(
      await Promise.all(
        properties.map(async (name) => [name, await editor.property(id, name)] as const),
      ),
    );
  const enter = async (property: string, text: string) => {
    await editor.page.fill(input(property), text);
    await editor.page.press(input(property), 'Tab');
  };

  it('has the defaults that flows depend on', async () => {
    const { page } = editor;
    await editor.dragFromPalette('ion-events', 650, 500);
    const { id, type, z, x, y, wires, ...properties } =
      (await editor.nodesOfType('ion-events')).find(
        ({ id }) => id !== 'live' && !(String(id) in nodes),
      ) ?? {};
    const { id: _, type: __, ...expected } = eventsNode;
    assert.deepEqual(properties, { ...expected, config: 'config', version: 1 });
    assert.equal(
      await page.evaluate((id) => {
        const node = RED.nodes.node(id);
        return node._def.outputLabels.call(node, 0);
      }, String(id)),
      'one message per event',
    );
    await page.keyboard.press('Delete');
  });

  it('shows the rows for each source', async () => {
    await editor.edit('plain');
    await treeIsShown();
    const always = ['Source', 'Resource', 'Events'];
    const object = ['Filters (all must match)', 'Fields', 'Only if changed'];
    assert.deepEqual(await rows(), [...always, 'Interval (s)', ...object]);
    assert.equal(await action('DELETE').isVisible(), false);
    await via('webhook');
    const webhook = ['Path', 'Secret', 'Signature header', 'Response status'];
    const boxes = [
      'Accept only signed deliveries',
      'Register in ION on deploy, unregister on deletion',
    ];
    assert.deepEqual(await rows(), [...always, ...webhook, ...boxes, ...object]);
    assert.equal(await action('DELETE').isVisible(), true);
    await editor.page.check(input('register'));
    assert.deepEqual(await rows(), [...always, ...webhook, ...boxes, 'Public URL', ...object]);
    await via('poll');
    assert.deepEqual(await rows(), [...always, 'Interval (s)', ...object]);
    await editor.cancel();
    assert.notEqual(await editor.property('plain', 'changed'), true);
  });

  for (const [id, properties] of Object.entries(nodes)) {
    it(`keeps everything of "${id}" when nothing is changed`, async () => {
      await editor.edit(id);
      await editor.page.waitForSelector('#ion-query-schema', { state: 'hidden' });
      await editor.done();
      const { wires, ...expected } = { ...eventsNode, id, ...properties } as FlowNode;
      assert.deepEqual(await stored(id, Object.keys(expected)), expected);
      assert.notEqual(await editor.property(id, 'changed'), true);
    });
  }

  it('offers listable resources for polls, and all resources of the schema for webhooks', async () => {
    const { page } = editor;
    await editor.edit('plain');
    await treeIsShown();
    const options = await page.locator('#ion-events-resource option').allTextContents();
    assert.ok(options.includes('RUN_STEPS') && options.includes('ISSUES'));
    assert.ok(!options.includes('STEPS_DAGS'));
    await via('webhook');
    await page.fill(input('resource'), '');
    await page.locator(input('resource')).pressSequentially('run_steps_d');
    await page.locator('.red-ui-autoComplete-container').getByText('RUN_STEPS_DAGS').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.inputValue(input('resource')), 'RUN_STEPS_DAGS');
    await editor.cancel();
  });

  it('shows filters and fields of the resource', async () => {
    const { page } = editor;
    await editor.edit('plain');
    await treeIsShown();
    assert.ok((await labelsOfTree()).includes('runId'));
    await page.selectOption('#ion-events-resource', 'ISSUES');
    await page.waitForFunction(
      () => !document.querySelector('#ion-query-field-tree')?.textContent?.includes('runId'),
    );
    assert.match(String(await page.textContent('#ion-events-fields-hint')), /: id .*title status$/);
    await via('webhook');
    await enter('resource', 'STEPS_DAGS');
    await page.waitForSelector('#ion-query-field-text');
    assert.match(
      String(await page.textContent('#ion-events-fields-hint')),
      /^Objects of the resource STEPS_DAGS cannot be read/,
    );
    await editor.cancel();
  });

  it('marks a stored resource that cannot be polled as wrong', async () => {
    const { page } = editor;
    await editor.edit('webhook');
    await via('poll');
    assert.equal(await page.inputValue('#ion-events-resource'), 'STEPS_DAGS');
    assert.equal(await page.getAttribute('#ion-events-resource', 'aria-invalid'), 'true');
    await page.selectOption('#ion-events-resource', 'PARTS');
    assert.equal(await page.getAttribute('#ion-events-resource', 'aria-invalid'), 'false');
    await editor.cancel();
  });

  it('has the default fields of the resource ticked, and stores none of them', async () => {
    const { page } = editor;
    const ticked = () =>
      page
        .locator('#ion-query-field-tree input:checked')
        .evaluateAll((all) => all.map((box) => box.getAttribute('aria-label')));
    await editor.edit('plain');
    await treeIsShown();
    assert.deepEqual(await ticked(), ['id', '_created', '_updated', 'title', 'status', 'runId']);
    await page.selectOption('#ion-events-resource', 'RUN_STEPS_FIELDS');
    assert.deepEqual(await ticked(), ['id', '_created', '_updated', 'runStepId']);
    // A webhook without fields sends ION's event as it is.
    await via('webhook');
    assert.deepEqual(await ticked(), []);
    await via('poll');
    await page.selectOption('#ion-events-resource', 'RUN_STEPS');
    await editor.done();
    assert.deepEqual(await editor.property('plain', 'fields'), []);
    assert.notEqual(await editor.property('plain', 'changed'), true);
  });

  it('stores the ticked actions and fields', async () => {
    const { page } = editor;
    await editor.edit('plain');
    await treeIsShown();
    await action('CREATE').uncheck();
    for (const name of ['position', 'title']) {
      await page.fill('#ion-query-field-search', name);
      await page
        .locator('#ion-query-field-tree .red-ui-treeList-label')
        .filter({ has: page.getByText(name, { exact: true }) })
        .first()
        .click();
    }
    await editor.done();
    assert.deepEqual(await stored('plain', ['actions', 'fields']), {
      ...{
        actions: ['UPDATE'],
        fields: ['id', '_created', '_updated', 'status', 'runId', 'position'],
      },
    });
  });

  it('stores the fields that must change, from the tree or as text', async () => {
    const { page } = editor;
    await editor.edit('changing');
    await treeIsShown();
    await page.fill('#ion-events-changed-search', 'status');
    await page
      .locator('#ion-events-changed-tree .red-ui-treeList-label')
      .filter({ has: page.getByText('status', { exact: true }) })
      .first()
      .click();
    assert.match(String(await page.textContent('#ion-events-changed-hint')), /changed: status$/);
    await editor.done();
    assert.deepEqual(await stored('changing', ['fields', 'changedFields']), {
      ...{ fields: [], changedFields: ['status'] },
    });
    assert.equal(await editor.property('changing', 'changed'), true);
    await editor.edit('changing');
    await treeIsShown();
    await via('webhook');
    await enter('resource', 'STEPS_DAGS');
    await page.fill('#ion-events-changed-text', 'status two-words');
    await editor.done();
    const errors = () =>
      page.evaluate(() => (RED.nodes.node('changing').validationErrors ?? []).join('\n'));
    assert.match(await errors(), /^Only if changed cannot be used, .*STEPS_DAGS/m);
    await editor.edit('changing');
    await enter('resource', 'RUN_STEPS');
    await page.locator('#ion-events-changed-tree').getByText('two-words').waitFor();
    await editor.done();
    assert.match(await errors(), /^Only if changed: .*two-words/m);
  });

  it('shows the address that ION has to call', async () => {
    const { page } = editor;
    const address = () => page.textContent('#ion-events-address');
    await editor.edit('secret');
    assert.equal(await page.getAttribute(input('path'), 'placeholder'), '/ion/secret');
    assert.equal(await address(), `${nodeRed.url}/ion/secret`);
    await enter('path', '/ion/steps');
    assert.equal(await address(), `${nodeRed.url}/ion/steps`);
    await page.check(input('register'));
    await enter('publicUrl', 'https://factory.example.com/');
    assert.equal(await address(), 'https://factory.example.com/ion/steps');
    await editor.cancel();
  });

  it('warns of a public URL that cannot lead here, and of settings without webhooks', async () => {
    const { page } = editor;
    const warning = () => page.locator('#ion-events-public-warning');
    const setRoot = (root: string | false) =>
      page.evaluate((root) => {
        RED.settings.httpNodeRoot = root;
      }, root);
    await setRoot('/api/');
    await editor.edit('secret');
    await page.check(input('register'));
    for (const [url, expected] of [
      ['https://factory.example.com', /under \/api\/ /],
      ['https://factory.example.com/apis', /under \/api\/ /],
      ['https://factory.example.com/api', null],
      ['https://factory.example.com/line1/api/', null],
      ['http://localhost:1880/api', /own machine/],
      ['${PUBLIC_URL}', null],
    ] as const) {
      await enter('publicUrl', url);
      assert.equal(await warning().isVisible(), expected !== null, url);
      if (expected) assert.match(String(await warning().textContent()), expected);
    }
    await editor.cancel();
    await setRoot(false);
    await editor.edit('secret');
    assert.match(String(await page.textContent('#ion-events-address')), /httpNodeRoot is false/);
    await editor.cancel();
    await setRoot('/');
  });

  it('generates a secret, shows it once, and stores it as a credential', async () => {
    const { page } = editor;
    await editor.edit('secret');
    assert.equal(await isMarked('secret'), true);
    assert.equal(await page.isVisible('#ion-events-secret-shown'), false);
    await page.click('#ion-events-make-secret');
    const secret = await page.inputValue('#ion-events-secret-shown');
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.equal(await page.inputValue(input('secret')), secret);
    assert.equal(await isMarked('secret'), false);
    await page.click('#ion-events-make-secret');
    assert.notEqual(await page.inputValue('#ion-events-secret-shown'), secret);
    await page.click('#ion-events-copy-secret');
    await page.waitForSelector('text=Copied.');
    await editor.done();
    assert.match(
      String(await page.evaluate(() => RED.nodes.node('secret').credentials?.secret)),
      /^[0-9a-f]{64}$/,
    );
    await editor.edit('secret');
    assert.equal(await page.isVisible('#ion-events-secret-shown'), false);
    assert.equal(await page.inputValue('#ion-events-secret-shown'), '');
    await editor.cancel();
    await editor.edit('registered');
    assert.equal(await page.inputValue(input('secret')), '__PWRD__');
    await editor.cancel();
  });

  it('warns if every sender is accepted', async () => {
    const { page } = editor;
    await editor.edit('secret');
    const warning = page.getByText('Anyone who can reach this address');
    assert.equal(await warning.isVisible(), false);
    await page.uncheck(input('verify'));
    assert.equal(await warning.isVisible(), true);
    await editor.cancel();
  });

  it('marks invalid values, and says why', async () => {
    const { page } = editor;
    await editor.edit('wrong');
    await enter('interval', '0.05');
    assert.equal(await isMarked('interval'), true);
    await via('webhook');
    assert.deepEqual([await isMarked('secret'), await isMarked('path')], [true, false]);
    await page.uncheck(input('verify'));
    assert.equal(await isMarked('secret'), false);
    await page.check(input('register'));
    assert.deepEqual([await isMarked('secret'), await isMarked('publicUrl')], [true, true]);
    await enter('publicUrl', 'http://factory.example.com');
    assert.equal(await isMarked('publicUrl'), true);
    await enter('path', 'steps');
    assert.equal(await isMarked('path'), true);
    await enter('path', '/posted');
    assert.equal(await isMarked('path'), true);
    await enter('expectedResponseCode', '42');
    await action('CREATE').uncheck();
    await action('UPDATE').uncheck();
    await editor.done();
    const errors = (await page.evaluate(() => RED.nodes.node('wrong').validationErrors ?? [])).join(
      '\n',
    );
    for (const text of [
      /^Events: select at least one$/m,
      /^Path: another node uses this path$/m,
      /^Response status must be /m,
      /^A secret is required /m,
      /^Public URL must be /m,
    ]) {
      assert.match(errors, text);
    }
    assert.doesNotMatch(errors, /^Interval/m);
  });

  it('marks a node with a misspelled filter of its resource, and shows the reason', async () => {
    await editor.edit('misspelled');
    const reason = 'ION\'s schema has no filter "procedureId"';
    await editor.page.locator('.ion-query-problem').getByText(reason).waitFor();
    await editor.done();
    assert.deepEqual(await editor.property('misspelled', 'validationErrors'), [reason]);
  });

  it('reports a changed step, once it is deployed', async () => {
    const { page } = editor;
    const { control, data } = context.sandbox;
    await editor.edit('live');
    await page.selectOption(input('config'), 'config');
    await treeIsShown();
    await enter('interval', '1');
    await editor.done();
    const before = control.counters().api.total;
    await nodeRed.untilStarted(() => editor.deploy());
    // The first poll only sets the checkpoint.
    await until(() => control.counters().api.total > before + 1);
    const [step] = data.runSteps.all();
    assert.ok(step);
    data.runSteps.update(step.id, { title: 'Told' });
    const told = async () =>
      (await (await fetch(`${nodeRed.url}/told`)).json()) as Record<string, unknown>;
    await until(async () => (await told()).topic !== undefined);
    const { topic, payload, via } = await told();
    assert.deepEqual([topic, via], ['RUN_STEPS/UPDATE', 'poll']);
    assert.equal((payload as { title: string }).title, 'Told');
    await page.waitForSelector('[id="live"] .red-ui-flow-node-status-label >> text=/^1 event$/');
  });
});
