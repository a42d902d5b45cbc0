import assert from 'node:assert/strict';
import {
  eventsNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { byLength } from '../support/length.js';
import { useSandbox } from '../support/sandbox.js';

describe('the labels of the dialogs', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, y: 100 };
    const filters = [
      { field: 'status', op: 'eq', value: 'TODO', valueType: 'str' },
      { field: 'status', op: 'notin', value: 'TODO', valueType: 'str' },
      { field: 'title', op: 'eq', value: 'payload', valueType: 'flow' },
    ];
    const several = ['COMPLETE,CANCELED', 'COMPLETE,CANCELED,IN_PROGRESS,TODO'].map((value) => {
      return { field: 'status', op: 'in', value, valueType: 'str' };
    });
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      { id: 'gov', type: 'ion-config', name: 'gov', environment: 'gov-staging' },
      { ...runsNode, ...place, id: 'several', y: 800, filters: several, sort: ['TITLE_ASC'] },
      { ...graphqlNode, ...place, id: 'graphql', pages: 'all' },
      { ...graphqlNode, ...place, id: 'by outbox', y: 860, delivery: 'outbox', outputs: 2 },
      { ...runsNode, ...place, id: 'runs', y: 200, changes: true },
      ...['field', 'status', 'file'].map((action, index) => ({
        ...{ ...stepNode, ...place, id: action, y: 300 + 60 * index },
        ...{ action, delivery: 'outbox', outputs: 2 },
      })),
      { ...runsNode, ...place, id: 'filtered runs', y: 680, filters, sort: ['TITLE_ASC'] },
      { ...eventsNode, ...place, id: 'filtered events', y: 740, filters },
      { ...lookupNode, ...place, id: 'lookup', y: 920, by: 'serial' },
      { ...eventsNode, ...place, id: 'poll', y: 560 },
      { ...eventsNode, ...place, id: 'webhook', y: 620, via: 'webhook', register: true },
      { ...stepNode, ...place, id: 'path', y: 500, action: 'file', value: '', valueType: 'path' },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
  });
  after(() => nodeRed?.stop());

  // German words are the longest, and Japanese characters the widest.
  for (const locale of byLength({ usual: ['de', 'ja'], brief: ['de'] })) {
    it(`name every control of the filters and fields in ${locale}`, async function () {
      const editor = await Editor.open(this, nodeRed.url, { locale });
      try {
        for (const id of ['filtered runs', 'filtered events']) {
          await editor.edit(id);
          // A long branch is filled in steps; `_etag` of the steps is near its end.
          const last = id === 'filtered runs' ? 1 : 0;
          await editor.page
            .locator('#ion-query-field-tree')
            .getByText('_etag', { exact: true })
            .nth(last)
            .waitFor({ state: 'attached' });
          assert.deepEqual(await controlsWithoutName(editor), []);
          const names = await editor.page
            .locator('.ion-query-row')
            .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')));
          assert.deepEqual(
            names.map((name) => /status|title|archived|due/.exec(String(name))?.[0]),
            ['status', 'status', 'title'],
          );
          await editor.cancel();
        }
      } finally {
        await editor.close();
      }
    });

    it(`fit on one line before their fields in ${locale}`, async function () {
      const editor = await Editor.open(this, nodeRed.url, { locale });
      try {
        for (const id of [
          'graphql',
          'by outbox',
          'runs',
          'field',
          'status',
          'file',
          'path',
          'lookup',
          'poll',
          'webhook',
        ]) {
          await editor.edit(id);
          assert.deepEqual(await labelsThatDoNotFit(editor), [], id);
          await editor.cancel();
        }
        await editor.editConfig('ion-config', 'config');
        assert.deepEqual(await labelsThatDoNotFit(editor), []);
        assert.deepEqual(editor.errors, []);
      } finally {
        await editor.close();
      }
    });
  }

  it('stand beside their inputs, which no content exceeds, in a small window', async function () {
    const editor = await Editor.open(this, nodeRed.url);
    const { page } = editor;
    const box = async (selector: string, index = 0) => {
      const found = await page.locator(selector).nth(index).boundingBox();
      assert.ok(found, selector);
      return { ...found, right: found.x + found.width, middle: found.y + found.height / 2 };
    };
    try {
      await page.setViewportSize({ width: 1280, height: 720 });
      await editor.edit('several');
      await page.waitForSelector('#ion-query-field-tree .red-ui-treeList-label');
      for (const index of [0, 1]) {
        const arrow = await box('.ion-query-row .red-ui-typedInput-option-caret', index);
        const value = await box('.ion-query-row .red-ui-typedInput-container', index);
        assert.ok(arrow.right <= value.right, `arrow ${index}`);
      }
      const label = await box('.ion-runs-sort-row > label');
      const sort = await box('.ion-runs-sort-field');
      assert.ok(Math.abs(label.middle - sort.middle) < 3, 'the sort order');
      await editor.cancel();
      await editor.editConfig('ion-config', 'gov');
      const environment = await box('#node-config-input-environment');
      for (const url of ['#ion-config-api-url', '#ion-config-auth-url']) {
        assert.ok((await box(url)).right <= environment.right, url);
      }
      assert.deepEqual(editor.errors, []);
    } finally {
      await editor.close();
    }
  });
});

/** The controls in the filters and the field tree without a name for a screen reader. */
function controlsWithoutName({ page }: Editor): Promise<string[]> {
  return page.evaluate(() => {
    const parts = '#ion-query-filters, #ion-query-field-tree, #ion-runs-sort-keys';
    const controls = [...document.querySelectorAll(parts)].flatMap((part) => [
      ...part.querySelectorAll<HTMLInputElement>('input, select, button, textarea, [role=button]'),
    ]);
    return controls
      .filter((control) => control.offsetParent !== null)
      .filter((control) => {
        const texts = [...(control.labels ?? [])].map(({ textContent }) => textContent);
        return !(control.getAttribute('aria-label') ?? texts.join('')).trim();
      })
      .map(({ outerHTML }) => outerHTML);
  });
}

function labelsThatDoNotFit({ page }: Editor): Promise<string[]> {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
    const labels = document.querySelectorAll<HTMLElement>('.red-ui-tray .form-row label');
    return [...labels].flatMap((label) => {
      const icon = label.querySelector('i')?.getBoundingClientRect();
      const text = label.querySelector('span');
      // A typed input is next to the field that it hides.
      const [field] = [...(label.parentElement?.children ?? [])]
        .filter((each) => each.tagName !== 'LABEL')
        .map((each) => each.getBoundingClientRect())
        .filter(({ width }) => width > 0);
      // Labels of check boxes have no field, and may wrap.
      if (!icon || !text || !field || !label.offsetParent) return [];
      const [line, ...more] = text.getClientRects();
      const fits =
        line && more.length === 0 && line.right <= field.left && Math.abs(line.top - icon.top) < 10;
      return fits ? [] : [label.textContent];
    });
  });
}
