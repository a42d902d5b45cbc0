import assert from 'node:assert/strict';
import { addScanCases, type ScanCases } from '../../sandbox/data/scan-cases.js';
import { type FlowNode, lookupNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { barriers, prepareBarriers } from '../support/barriers.js';
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
  };
};

describe('the ion-lookup dialog in a browser', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  let cases: ScanCases;

  const nodes: Record<string, object> = {
    plain: {},
    serial: {
      ...{ by: 'serial', value: 'SCAN-STARTED', valueType: 'str', fields: false },
      ...{ part: 'part', partType: 'msg', step: 'Assemble', stepType: 'str' },
      ...{ remember: 0, output: 'found' },
    },
    variables: { by: 'run', value: 'RUN_NAME', valueType: 'env', remember: '${HOURS}' },
    'no-config': { config: '' },
  };

  before(async function () {
    const { clientId, clientSecret, data } = context.sandbox;
    cases = addScanCases(data);
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'sandbox' }),
      ...Object.entries(nodes).map(([id, properties], index): FlowNode => {
        const place = { z: 'flow', x: 200, y: 60 + 60 * index, wires: [[], []] };
        return { ...lookupNode, ...place, ...properties, id };
      }),
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
  const choose = (by: string) => editor.page.selectOption(input('by'), by);
  const rows = () =>
    editor.page
      .locator('#dialog-form > .form-row:visible > label:first-of-type')
      .evaluateAll((labels) => labels.slice(2).map((label) => label.textContent?.trim()));
  const errorsOf = (id: string) =>
    editor.page.evaluate((id) => RED.nodes.node(id).validationErrors ?? [], id);
  const example = () => editor.page.locator('#ion-lookup-try-value');
  const button = () => editor.page.locator('#ion-lookup-try');
  const said = (pattern: RegExp) =>
    editor.page.locator('#ion-lookup-result > p').filter({ hasText: pattern }).waitFor();
  /** A style of the line below the button. */
  const styleOf = (property: 'color' | 'fontWeight') =>
    editor.page
      .locator('#ion-lookup-result > p')
      .evaluate((line, property) => getComputedStyle(line)[property], property);
  /** The texts in the cells of a table, by rows. */
  const table = (index: number) =>
    editor.page
      .locator('#ion-lookup-result table')
      .nth(index)
      .locator('tr')
      .evaluateAll((found) =>
        found.map((row) =>
          [...row.children].map((cell) =>
            [...cell.childNodes].map((part) => part.textContent).join(' | '),
          ),
        ),
      );
  const tables = () => editor.page.locator('#ion-lookup-result table').count();

  it('has the defaults that flows depend on', async () => {
    const { page } = editor;
    await editor.dragFromPalette('ion-lookup', 650, 400);
    const { id, type, z, x, y, wires, ...properties } =
      (await editor.nodesOfType('ion-lookup')).find(({ id }) => !(String(id) in nodes)) ?? {};
    const { id: _, type: __, ...expected } = lookupNode;
    assert.deepEqual(properties, expected);
    const labels = await page.evaluate((id) => {
      const node = RED.nodes.node(id);
      return Array.from({ length: node.outputs }, (_each, index) =>
        node._def.outputLabels.call(node, index),
      );
    }, String(id));
    assert.deepEqual(labels, ['found', 'not found']);
    assert.deepEqual(await errorsOf(String(id)), []);
    await page.keyboard.press('Delete');
  });

  for (const [id, properties] of Object.entries(nodes)) {
    it(`keeps everything of "${id}" when nothing is changed`, async () => {
      await editor.edit(id);
      await editor.done();
      for (const [name, value] of Object.entries({ ...lookupNode, id, ...properties })) {
        assert.equal(await editor.property(id, name), value, name);
      }
      assert.notEqual(await editor.property(id, 'changed'), true);
    });
  }

  it('shows the rows that a kind of value needs', async () => {
    await editor.edit('plain');
    const after = ['Step', 'Read the fields of the step', 'Memory (h)', 'Result', 'Try it'];
    assert.deepEqual(await rows(), ['Look up by', 'Barcode', ...after]);
    await choose('serial');
    assert.deepEqual(await rows(), ['Look up by', 'Serial number', 'Part number', ...after]);
    await editor.page.getByRole('button', { name: 'Source of Serial number' }).waitFor();
    await choose('run');
    assert.deepEqual(await rows(), ['Look up by', 'Run', ...after]);
    await choose('location');
    assert.deepEqual(await rows(), ['Look up by', 'Location', ...after]);
    await editor.cancel();
    assert.notEqual(await editor.property('plain', 'changed'), true);
  });

  it('fits into a window of 1280 by 720 pixels', async () => {
    const { page } = editor;
    const before = page.viewportSize();
    await page.setViewportSize({ width: 1280, height: 720 });
    await editor.edit('serial');
    const { top, bottom } = await button().evaluate((each) => {
      const body = each.closest('.red-ui-tray-body')?.getBoundingClientRect();
      return { top: each.getBoundingClientRect().bottom, bottom: body?.bottom ?? 0 };
    });
    assert.ok(top <= bottom, `the button ends at ${top}, the dialog at ${bottom}`);
    await editor.cancel();
    if (before) await page.setViewportSize(before);
  });

  it('shows the unit, the run, the step and its fields, by the keyboard alone', async () => {
    const { page } = editor;
    const [unit] = cases.started.units;
    const [run] = cases.started.runs;
    const step = run?.stepIds[1];
    await editor.edit('plain');
    await example().focus();
    await page.keyboard.type(unit?.code ?? '');
    await page.keyboard.press('Enter');
    await said(/^Found\. 2 requests\.$/);
    assert.deepEqual(await table(0), [
      ['Unit', `SCAN-STARTED | ID ${unit?.id} · part EX-SCAN-1 A · Example of a scanned part`],
      ['Run', `Scan run started | ID ${run?.id} · IN_PROGRESS`],
      ['Step', `Assemble | ID ${step} · #1 · IN_PROGRESS · Scan station 1`],
    ]);
    assert.deepEqual(
      await table(1),
      [
        ['Fields of the step'],
        ['Field', 'Value'],
        ['Torque | NUMBER · N·m · required', '–'],
        ['Finish | SELECT', '–'],
        ['Notes | STRING', '–'],
      ].slice(1),
    );
    const focused = () => page.evaluate(() => document.activeElement?.id);
    assert.equal(await focused(), 'ion-lookup-try-value');
    await editor.cancel();
  });

  it('takes a fixed value, and says what depends on the message', async () => {
    await editor.edit('serial');
    assert.equal(await example().inputValue(), 'SCAN-STARTED');
    await button().click();
    await said(/^Found\. The part number depends on the message and was left out\. 1 request\.$/);
    assert.equal(await tables(), 1);
    // A value of its own stays when the fixed one changes.
    await text('value').fill('SCAN-READY');
    await text('value').press('Tab');
    assert.equal(await example().inputValue(), 'SCAN-READY');
    await example().fill('SCAN-HOLD');
    await text('value').fill('SCAN-STARTED');
    await text('value').press('Tab');
    assert.equal(await example().inputValue(), 'SCAN-HOLD');
    await editor.cancel();
  });

  it('shows the reason and the candidates if there are several', async () => {
    await editor.edit('plain');
    await choose('serial');
    await example().fill('SCAN-SHARED');
    await button().click();
    await said(/SCAN-SHARED.*EX-SCAN-1.*Give the part number as well\. 1 request\.$/);
    const [caption, head, ...found] = [['Candidates'], ...(await table(0))];
    assert.deepEqual(caption, ['Candidates']);
    assert.deepEqual(head, ['Unit', 'Run', 'Step']);
    assert.equal(found.length, 2);
    assert.match(String(found[0]?.[0]), /^SCAN-SHARED \| ID \d+ · part EX-SCAN-1 A/);
    assert.match(String(found[1]?.[0]), /^SCAN-SHARED \| ID \d+ · part EX-SCAN-2 A/);
    await text('part').fill('EX-SCAN-2');
    await text('part').press('Tab');
    // The answer belongs to other values.
    assert.equal(await tables(), 0);
    await button().click();
    await said(/^Found\./);
    await editor.cancel();
  });

  it('shows the steps that block', async () => {
    await editor.edit('plain');
    await choose('serial');
    await example().fill('SCAN-HOLD');
    await button().click();
    await said(/can be worked on now: .*Inspect.* is on hold/);
    const [, ...found] = await table(0);
    assert.equal(found.length, 1);
    assert.match(String(found[0]?.join()), /Inspect \| ID \d+ · #2 · HOLD/);
    await editor.cancel();
  });

  it('shows that nothing was found', async () => {
    await editor.edit('plain');
    await example().fill('no such code');
    await button().click();
    await said(/^ION has nothing that belongs to the code "no such code".* 1 request\.$/);
    assert.equal(await styleOf('fontWeight'), '700');
    assert.equal(await tables(), 0);
    await editor.cancel();
  });

  it('asks for a value and for a configuration', async () => {
    await editor.edit('plain');
    await button().click();
    await said(/^Enter a value first\.$/);
    await editor.cancel();
    await editor.edit('no-config');
    await example().fill('x');
    await button().click();
    await said(/^Select an ION configuration first\.$/);
    await editor.cancel();
  });

  it('shows a failure with its code, and works when ION responds again', async () => {
    await editor.edit('plain');
    await choose('serial');
    await example().fill('SCAN-READY');
    context.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, times: 99 });
    await button().click();
    await said(/^ION_SERVER: .*503/);
    const failed = await styleOf('color');
    context.sandbox.control.clearFaults();
    assert.equal(await button().isEnabled(), true);
    await button().click();
    await said(/^Found\./);
    assert.notEqual(await styleOf('color'), failed);
    await editor.cancel();
  });

  it('forgets a look-up in flight if a value changes', async () => {
    await editor.edit('plain');
    await choose('serial');
    await example().fill('SCAN-READY');
    context.sandbox.control.fault({ target: 'api', kind: 'latency', ms: 60_000, times: 1 });
    await button().click();
    await said(/^Looking up …$/);
    await example().fill('SCAN-HOLD');
    await button().click();
    await said(/can be worked on now/);
    await editor.cancel();
  });

  it('shows names and values from ION as plain text', async () => {
    const [run] = cases.ready.runs;
    const { data } = context.sandbox;
    const row = data.runs.get(run?.id ?? 0);
    assert.ok(row);
    const { title } = row;
    data.runs.update(row.id, { title: '<img src=x onerror=alert(1)>' });
    await editor.edit('plain');
    await choose('serial');
    await example().fill('SCAN-READY');
    await button().click();
    await said(/^Found\./);
    assert.match(String((await table(0))[1]?.[1]), /^<img src=x onerror=alert\(1\)> \| /);
    assert.equal(await editor.page.locator('#ion-lookup-result img').count(), 0);
    await editor.cancel();
    data.runs.update(row.id, { title });
  });

  it('works with a configuration that was changed and is not deployed', async () => {
    const sent: string[] = [];
    editor.page.on('request', (request) => sent.push(new URL(request.url()).pathname));
    await editor.editConfig('ion-config', 'config');
    await editor.page.locator('#ion-config-advanced summary').click();
    await editor.page.fill('#node-config-input-timeout', '29');
    await editor.doneConfig();
    await editor.edit('serial');
    await button().click();
    await said(/^Found\./);
    assert.ok(sent.includes('/ion-config/lookup'), sent.join());
    await editor.cancel();
  });

  for (const [locale, label, pattern] of [
    ['de', 'Suchen', /^Gefunden\. Die Teilenummer .* 1 Anfrage\.$/],
    ['ja', '検索', /^見つかりました。.*リクエスト1回。$/],
  ] as const) {
    it(`is translated in ${locale}`, async function () {
      const other = await Editor.open(this, nodeRed.url, { locale });
      try {
        await other.edit('serial');
        const { page } = other;
        await page.getByRole('button', { name: label, exact: true }).click();
        await page.locator('#ion-lookup-result > p').filter({ hasText: pattern }).waitFor();
        const shown = (await page.textContent('#dialog-form')) ?? '';
        assert.doesNotMatch(shown, /ion-lookup\./);
      } finally {
        await other.close();
      }
    });
  }

  for (const theme of ['light', 'dark'] as const) {
    it(`has no barrier in its answers, ${theme}`, async function () {
      const other = await Editor.open(this, nodeRed.url);
      try {
        const { page } = other;
        await prepareBarriers(page, theme);
        const found: string[] = [];
        await other.edit('plain');
        await page.selectOption('#node-input-by', 'serial');
        for (const value of ['SCAN-STARTED', 'SCAN-SHARED', 'SCAN-HOLD', 'none such']) {
          await page.fill('#ion-lookup-try-value', value);
          await page.click('#ion-lookup-try');
          await page
            .locator('#ion-lookup-result > p')
            .filter({ hasText: /request\./ })
            .waitFor();
          found.push(...(await barriers(page)));
        }
        assert.deepEqual(found, []);
      } finally {
        await other.close();
      }
    });
  }
});
