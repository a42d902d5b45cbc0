import assert from 'node:assert/strict';
import { type FlowNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

/** The editor, inside the page. */
declare const RED: {
  nodes: {
    node(id: string): {
      outputs: number;
      _def: { outputLabels(this: object, index: number): string };
      validationErrors: string[];
    };
    filterLinks(filter: { source: object }): { sourcePort: number }[];
  };
};

describe('the ion-step dialog in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  /** A step in progress, with a field for a number. */
  let target: { run: number; step: string; stepId: number; field: string; fieldId: number };

  const nodes: Record<string, object> = {
    plain: {},
    status: { action: 'status', value: 'COMPLETE', valueType: 'str' },
    'other-status': { action: 'status', value: 'DAG_MODIFIABLE', valueType: 'str' },
    file: {
      action: 'file',
      value: '[1,2]',
      valueType: 'bin',
      filename: 'a.bin',
      filenameType: 'str',
    },
    path: { action: 'file', value: '', valueType: 'path', delivery: 'outbox', outputs: 2 },
    outbox: {
      ...{ run: '7', runType: 'num', step: '$uppercase(topic)', stepType: 'jsonata' },
      ...{ field: '', fieldType: 'str', value: '{"Torque":12.5}', valueType: 'json' },
      ...{ onConflict: 'fail', delivery: 'outbox', keep: 'latest', outputs: 2 },
      ...{ output: 'written', startStep: true },
      wires: [['debug'], ['debug']],
    },
    date: { value: 'iso', valueType: 'date' },
    fixed: {
      ...{ run: '1', runType: 'num', step: 'A', stepType: 'str' },
      ...{ field: 'A', fieldType: 'str' },
    },
    'fixed-field': { run: 'run', runType: 'msg', field: '1', fieldType: 'num' },
    switch: { field: 'true', fieldType: 'str', value: 'true', valueType: 'bool' },
  };

  before(async function () {
    const { clientId, clientSecret, data } = context.sandbox;
    const field = data.runStepFields
      .all()
      .find(
        ({ type, runStepId }) =>
          type === 'NUMBER' && data.runSteps.get(runStepId)?.status === 'IN_PROGRESS',
      );
    const step = field && data.runSteps.get(field.runStepId);
    assert.ok(field && step);
    target = {
      ...{ run: step.runId, step: step.title, stepId: step.id },
      ...{ field: field.name, fieldId: field.id },
    };
    const place = (node: FlowNode, x: number, y: number): FlowNode => ({
      ...node,
      z: 'flow',
      x,
      y,
    });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      place(
        { id: 'in', type: 'http in', url: '/write', method: 'post', wires: [['write']] },
        100,
        40,
      ),
      place({ ...stepNode, id: 'write', wires: [['out']] }, 300, 40),
      place({ id: 'out', type: 'http response', wires: [] }, 500, 40),
      place({ id: 'debug', type: 'debug', active: false, complete: 'true', wires: [] }, 500, 100),
      ...Object.entries(nodes).map(([id, properties], index) =>
        place({ ...stepNode, wires: [[]], ...properties, id }, 300, 100 + 60 * index),
      ),
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

  const input = (property: string) => `#node-input-${property}`;
  const widget = (property: string) =>
    editor.page.locator(`${input(property)} + .red-ui-typedInput-container`);
  const text = (property: string) => widget(property).locator('.red-ui-typedInput-input');
  type Trigger = 'type-select' | 'option-trigger';
  const openMenu = (property: string, trigger: Trigger) =>
    editor.openMenu(widget(property).locator(`.red-ui-typedInput-${trigger}`));
  const choose = async (property: string, trigger: Trigger, value: string) => {
    const menu = await openMenu(property, trigger);
    await menu.locator(`a[value="${value}"]`).click();
    await menu.waitFor({ state: 'hidden' });
  };
  const chooseType = (property: string, type: string) => choose(property, 'type-select', type);
  const offeredTypes = async (property: string) => {
    const menu = await openMenu(property, 'type-select');
    const types = await menu
      .locator('a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('value')));
    // It takes keys once one of its entries has the focus.
    await menu.locator('a:focus').waitFor();
    await editor.page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
    return types;
  };
  const action = (name: string) => editor.page.selectOption(input('action'), name);
  /** Labels of the visible rows, below the name and the config node. */
  const rows = () =>
    editor.page
      .locator('#dialog-form > .form-row:visible > label > span')
      .evaluateAll((labels) => labels.slice(2).map((label) => label.textContent));
  const isMarked = async (property: string) =>
    /\binput-error\b/.test((await widget(property).getAttribute('class')) ?? '');
  const stored = async (id: string, properties: string[]) =>
    Object.fromEntries(
      await Promise.all(
        properties.map(async (name) => [name, await editor.property(id, name)] as const),
      ),
    );
  const validationErrors = (id: string) =>
    editor.page.evaluate((id) => RED.nodes.node(id).validationErrors ?? [], id);
  const portLabels = (id: string) =>
    editor.page.evaluate((id) => {
      const node = RED.nodes.node(id);
      return Array.from({ length: node.outputs }, (_, index) =>
        node._def.outputLabels.call(node, index),
      );
    }, id);

  const write = async (body: object) => {
    const response = await fetch(`${nodeRed.url}/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const from = async (property: string, path: string) => {
    await text(property).fill(path);
    await text(property).press('Tab');
  };

  it('has the defaults that flows depend on', async () => {
    const { page } = editor;
    await editor.dragFromPalette('ion-step', 650, 400);
    const { id, type, z, x, y, wires, ...properties } =
      (await editor.nodesOfType('ion-step')).find(
        ({ id }) => id !== 'write' && !(String(id) in nodes),
      ) ?? {};
    const { id: _, type: __, ...expected } = stepNode;
    assert.deepEqual(properties, { ...expected, config: 'config', version: 2 });
    assert.deepEqual(await portLabels(String(id)), ['written to ION']);
    await page.keyboard.press('Delete');
  });

  it('shows the rows that an action needs', async () => {
    await editor.edit('plain');
    const target = ['Action', 'Run', 'Step'];
    assert.deepEqual(await rows(), [...target, 'Field', 'Value', 'Conflict', 'Delivery', 'Result']);
    await action('status');
    assert.deepEqual(await rows(), [...target, 'Status', 'Conflict', 'Delivery', 'Result']);
    await action('file');
    assert.deepEqual(await rows(), [...target, 'Content', 'File name', 'Delivery', 'Result']);
    await chooseType('value', 'path');
    assert.deepEqual(await rows(), [...target, 'Content', 'Path', 'Delivery', 'Result']);
    await editor.page.selectOption(input('delivery'), 'outbox');
    assert.deepEqual(await rows(), [...target, 'Content', 'Path', 'Delivery', 'Result']);
    await action('status');
    assert.deepEqual(await rows(), [
      ...target,
      'Status',
      'Conflict',
      'Delivery',
      'Queue',
      'Result',
    ]);
    await action('field');
    assert.deepEqual(await rows(), [
      ...target,
      ...['Field', 'Value', 'Conflict', 'Delivery', 'Queue', 'Result'],
    ]);
    await editor.cancel();
    assert.notEqual(await editor.property('plain', 'changed'), true);
  });

  it('offers the value sources of each action', async () => {
    const reference = ['msg', 'flow', 'global', 'str', 'num', 'jsonata', 'env'];
    await editor.edit('plain');
    for (const property of ['run', 'step', 'field']) {
      assert.deepEqual(await offeredTypes(property), reference, property);
    }
    assert.deepEqual(await offeredTypes('value'), [
      ...['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'date', 'jsonata', 'env'],
    ]);
    await action('status');
    const [listed, ...others] = await offeredTypes('value');
    assert.ok(listed);
    assert.deepEqual(others, ['msg', 'flow', 'global', 'str', 'jsonata', 'env']);
    await action('file');
    assert.deepEqual(await offeredTypes('filename'), reference);
    assert.deepEqual(await offeredTypes('value'), [
      ...['msg', 'flow', 'global', 'str', 'bin', 'jsonata', 'env', 'path'],
    ]);
    await editor.cancel();
  });

  it('names its inputs for screen readers', async () => {
    await editor.edit('file');
    const { page } = editor;
    await page.getByRole('textbox', { name: 'File name', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Source of Content' }).waitFor();
    await editor.cancel();
  });

  for (const [id, properties] of Object.entries(nodes)) {
    it(`keeps everything of "${id}" when nothing is changed`, async () => {
      await editor.edit(id);
      await editor.done();
      const { wires, ...expected } = { ...stepNode, id, ...properties } as FlowNode;
      assert.deepEqual(await stored(id, Object.keys(expected)), expected);
      assert.notEqual(await editor.property(id, 'changed'), true);
    });
  }

  const finder = (kind: string) =>
    editor.page.getByRole('button', { name: `Find a ${kind} in ION` });
  const panel = () => editor.page.locator('.ion-step-picker');
  const results = () => panel().locator('.ion-step-found button');
  const searchText = () => panel().getByRole('textbox');

  it('finds a run, its step and the field in ION by the keyboard alone', async () => {
    const { page } = editor;
    const { data } = context.sandbox;
    const { serialNumber } = data.partInventories.get(
      data.runs.get(target.run)?.partInventoryId as number,
    ) ?? { serialNumber: undefined };
    await editor.edit('fixed');
    await finder('run').focus();
    await page.keyboard.press('Enter');
    await results().first().waitFor();
    assert.equal(await results().count(), 20);
    await panel().getByText('Only the first 20 are shown.').waitFor();
    await page.keyboard.type('no such run');
    await panel().getByText('No runs found.').waitFor();
    await searchText().fill(String(serialNumber ?? target.run));
    await searchText().press('End');
    await results()
      .filter({ hasText: `ID ${target.run}` })
      .waitFor();
    await page.keyboard.press('ArrowDown');
    const wanted = results().filter({ hasText: `ID ${target.run} ·` });
    while (!(await wanted.evaluate((each) => each === document.activeElement))) {
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
    await panel().waitFor({ state: 'detached' });
    assert.equal(await text('run').inputValue(), String(target.run));

    await finder('step').click();
    await results().filter({ hasText: target.step }).first().click();
    await panel().waitFor({ state: 'detached' });
    assert.ok([target.step, String(target.stepId)].includes(await text('step').inputValue()));

    await finder('field').click();
    await searchText().fill(target.field);
    await results().first().click();
    assert.ok([target.field, String(target.fieldId)].includes(await text('field').inputValue()));
    assert.equal(await finder('field').evaluate((each) => each === document.activeElement), true);
    await editor.cancel();
  });

  it('shows all results of a search in a window of 1280 by 720 pixels', async () => {
    const { page } = editor;
    const before = page.viewportSize();
    const { runs } = context.sandbox.data;
    const title = runs.get(target.run)?.title;
    runs.update(target.run, { title: 'A long title '.repeat(300) });
    await page.setViewportSize({ width: 1280, height: 720 });
    await editor.edit('fixed-field');
    await finder('field').click();
    await searchText().fill(String(target.run));
    const long = results().filter({ hasText: `ID ${target.run} ·` });
    await long.waitFor();
    const { bottom } = await panel().evaluate((each) => each.getBoundingClientRect());
    assert.ok(bottom <= 720, `the panel ends at ${bottom}`);
    const { height } = await long.evaluate((each) => each.getBoundingClientRect());
    assert.ok(height < 100, `a long title takes ${height} pixels`);
    await editor.cancel();
    runs.update(target.run, { title: title ?? '' });
    if (before) await page.setViewportSize(before);
  });

  it('lets a run be chosen as an example if the run comes from the message', async () => {
    await editor.edit('fixed-field');
    await finder('field').click();
    const heading = panel().getByText('as an example');
    assert.equal(
      await heading.textContent(),
      'Choose a run as an example; the node still uses msg.run.',
    );
    await panel()
      .getByPlaceholder('Run: ID, title, part, serial number or status')
      .fill(String(target.run));
    await results()
      .filter({ hasText: `ID ${target.run} ·` })
      .click();
    await panel().getByPlaceholder('Step: ID or title').fill(String(target.stepId));
    assert.equal(
      await heading.textContent(),
      'Choose a step as an example; the node still uses msg.step.',
    );
    await results()
      .filter({ hasText: `ID ${target.stepId} ·` })
      .click();
    await panel().getByPlaceholder('Field: ID or name').fill(target.field);
    assert.equal(await heading.count(), 0);
    await results()
      .filter({ hasText: `ID ${target.fieldId} ·` })
      .click();
    assert.equal(await text('field').inputValue(), String(target.fieldId));
    assert.equal(await text('run').inputValue(), 'run');
    await editor.cancel();
  });

  it('makes an input that depends on the message fixed once a row is chosen', async () => {
    const { page } = editor;
    const type = (property: string) => page.inputValue(`${input(property)}Type`);
    await editor.edit('plain');
    assert.equal(await type('run'), 'msg');
    await finder('run').click();
    await searchText().fill(String(target.run));
    await results()
      .filter({ hasText: `ID ${target.run} ·` })
      .click();
    assert.deepEqual([await type('run'), await text('run').inputValue()], ['num', `${target.run}`]);
    await finder('step').click();
    await results().filter({ hasText: target.step }).first().click();
    assert.deepEqual([await type('step'), await text('step').inputValue()], ['str', target.step]);
    await editor.cancel();
  });

  it('has inputs that end at one line', async () => {
    for (const id of ['plain', 'fixed', 'outbox', 'path', 'status']) {
      await editor.edit(id);
      const ends = await editor.page
        .locator('#dialog-form > .form-row:visible')
        .evaluateAll((rows) =>
          rows.flatMap((row) => {
            const parts = [
              ...row.querySelectorAll(
                'input:not([type=checkbox]), select, button, a.red-ui-button',
              ),
            ]
              .map((part) => part.closest('.red-ui-typedInput-container') ?? part)
              .filter((part) => part.checkVisibility())
              .map((part) => Math.round(part.getBoundingClientRect().right));
            return parts.length > 0 ? [Math.max(...parts)] : [];
          }),
        );
      assert.equal(new Set(ends).size, 1, `${id}: ${ends}`);
      await editor.cancel();
    }
  });

  it('shows errors of ION, and that no configuration is selected', async () => {
    const { page } = editor;
    await editor.edit('fixed');
    await page.selectOption(input('config'), '_ADD_');
    await finder('run').click();
    await panel().getByText('Select an ION configuration first.').waitFor();
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'detached' });
    await editor.cancel();
    await editor.edit('fixed');
    const errors = [{ message: 'Not today.' }];
    context.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, match: 'FindRuns' });
    await finder('run').click();
    const note = panel().getByText('Not today.');
    await note.waitFor();
    const [error, search] = await Promise.all([note.boundingBox(), searchText().boundingBox()]);
    const gap = (error?.y ?? 0) - (search?.y ?? 0) - (search?.height ?? 0);
    assert.ok(gap < 20, `the error is ${gap} pixels below the search text`);
    await text('run').click();
    await panel().waitFor({ state: 'detached' });
    await text('run').fill('9999');
    await finder('step').click();
    await panel().getByText('ION_NOT_FOUND: ION has no run "9999", by its ID').waitFor();
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'detached' });
    await editor.cancel();
  });

  it('stores a chosen status as text', async () => {
    await editor.edit('status');
    const label = widget('value').locator('.red-ui-typedInput-option-label');
    assert.equal(await label.textContent(), 'COMPLETE');
    const menu = await openMenu('value', 'option-trigger');
    assert.deepEqual(await menu.locator('a').allTextContents(), [
      ...['TODO', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'HOLD', 'CANCELED', 'REDLINE'],
    ]);
    await menu.locator('a[value="HOLD"]').click();
    await menu.waitFor({ state: 'hidden' });
    await editor.done();
    assert.deepEqual(await stored('status', ['value', 'valueType', 'valid']), {
      ...{ value: 'HOLD', valueType: 'str', valid: true },
    });
    await editor.edit('status');
    assert.equal(await label.textContent(), 'HOLD');
    await editor.cancel();
  });

  it('shows an unlisted status as text', async () => {
    await editor.edit('other-status');
    assert.equal(await text('value').inputValue(), 'DAG_MODIFIABLE');
    assert.equal(await text('value').isVisible(), true);
    await editor.cancel();
  });

  it('offers to start the step only for a field value', async () => {
    const { page } = editor;
    await editor.edit('plain');
    const box = page.getByRole('checkbox', { name: 'Start the step first if it is TODO' });
    assert.equal(await box.isChecked(), false);
    await action('status');
    assert.equal(await box.isVisible(), false);
    await action('field');
    await box.check();
    await editor.done();
    assert.equal(await editor.property('plain', 'startStep'), true);
    await editor.edit('plain');
    await box.uncheck();
    await editor.done();
    assert.equal(await editor.property('plain', 'startStep'), false);
  });

  it('uses the payload if the value cannot have its previous type', async () => {
    await editor.edit('switch');
    await action('file');
    assert.equal(await text('value').inputValue(), 'payload');
    await text('filename').fill('report.pdf');
    await chooseType('filename', 'str');
    await editor.done();
    assert.deepEqual(
      await stored('switch', ['action', 'value', 'valueType', 'filename', 'filenameType']),
      {
        ...{ action: 'file', value: 'payload', valueType: 'msg' },
        ...{ filename: 'report.pdf', filenameType: 'str' },
      },
    );
  });

  it('has a second output with the outbox, and removes its wires without it', async () => {
    const { page } = editor;
    const ports = () =>
      page.evaluate(() =>
        RED.nodes
          .filterLinks({ source: RED.nodes.node('outbox') })
          .map(({ sourcePort }) => sourcePort)
          .sort(),
      );
    const circles = page.locator('[id="outbox"] .red-ui-flow-port-output');
    assert.deepEqual(await ports(), [0, 1]);
    assert.deepEqual(await portLabels('outbox'), ['delivered to ION', 'rejected writes']);
    await editor.edit('outbox');
    await page.selectOption(input('delivery'), 'direct');
    await editor.done();
    assert.equal(await editor.property('outbox', 'outputs'), 1);
    assert.deepEqual(await ports(), [0]);
    await circles.nth(1).waitFor({ state: 'detached' });
    await editor.edit('plain');
    await page.selectOption(input('delivery'), 'outbox');
    await editor.done();
    assert.deepEqual(await stored('plain', ['delivery', 'keep', 'outputs']), {
      ...{ delivery: 'outbox', keep: 'all', outputs: 2 },
    });
    await page.locator('[id="plain"] .red-ui-flow-port-output').nth(1).waitFor();
  });

  it('writes a value to a field by its names when it is deployed', async () => {
    await editor.edit('write');
    for (const property of ['run', 'step', 'field', 'value']) {
      await from(property, `payload.${property}`);
    }
    await editor.done();
    await nodeRed.untilStarted(() => editor.deploy());
    const { run, step, field, fieldId } = target;
    const { body } = await write({ run, step, field, value: '11.25' });
    assert.deepEqual([body.id, body.value], [fieldId, 11.25]);
    assert.equal(context.sandbox.data.runStepFields.get(fieldId)?.value, 11.25);
    await editor.page.waitForSelector(
      '[id="write"] .red-ui-flow-node-status-label >> text=/^recorded · \\d+ ms$/',
    );
  });

  it('sets a status from its list', async () => {
    await editor.edit('write');
    await action('status');
    const [listed] = await offeredTypes('value');
    await chooseType('value', String(listed));
    await choose('value', 'option-trigger', 'HOLD');
    await editor.done();
    await nodeRed.untilStarted(() => editor.deploy());
    const { run, step, stepId } = target;
    const { body } = await write({ run, step });
    assert.deepEqual([body.id, body.status], [stepId, 'HOLD']);
  });

  it('marks invalid values, and says why', async () => {
    await editor.edit('date');
    assert.equal(await isMarked('value'), false);
    await chooseType('value', 'num');
    await text('value').fill('twelve');
    await text('value').press('Tab');
    await text('step').fill('');
    await text('step').press('Tab');
    assert.deepEqual([await isMarked('value'), await isMarked('step')], [true, false]);
    // One value needs a field, and a field without an ID needs a step.
    await text('field').fill('');
    await text('field').press('Tab');
    assert.deepEqual([await isMarked('step'), await isMarked('field')], [true, true]);
    await action('file');
    await text('filename').fill('');
    await text('filename').press('Tab');
    assert.deepEqual([await isMarked('filename'), await isMarked('value')], [true, false]);
    await chooseType('run', 'num');
    await text('run').fill('first');
    await text('run').press('Tab');
    assert.equal(await isMarked('run'), true);
    await editor.done();
    const errors = (await validationErrors('date')).join('\n');
    assert.match(errors, /^Run: /m);
    assert.match(errors, /^Step is required$/m);
    assert.match(errors, /^File name is required$/m);
    assert.doesNotMatch(errors, /^(Field|Value|Content): /m);
  });
});
