import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { barriers, prepareBarriers } from '../support/barriers.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

const filter = { field: 'status', op: 'in', value: '["IN_PROGRESS"]', valueType: 'json' };
const place = { z: 'flow', x: 200, y: 100 };
/** Nodes whose dialogs together show every control. */
const nodes: FlowNode[] = [
  { ...graphqlNode, ...place, id: 'graphql', pages: 'all' },
  { ...runsNode, ...place, id: 'runs', changes: true, filters: [filter], sort: ['ID_ASC'] },
  { ...stepNode, ...place, id: 'step', delivery: 'outbox', outputs: 2 },
  { ...stepNode, ...place, id: 'file', action: 'file' },
  { ...lookupNode, ...place, id: 'lookup', by: 'serial', value: 'x', valueType: 'str' },
  { ...eventsNode, ...place, id: 'poll', filters: [filter] },
  { ...eventsNode, ...place, id: 'webhook', via: 'webhook', register: true },
  { ...graphqlNode, ...place, id: 'from-message', queryType: 'msg' },
  { ...graphqlNode, ...place, id: 'by-outbox', delivery: 'outbox', outputs: 2 },
];

describe('the dialogs for people who use a screen reader, or need contrast', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const tab = { id: 'flow', type: 'tab', label: 'test' };
    const flow = [tab, sandboxConfig(context.sandbox), ...nodes];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
  });
  after(() => nodeRed?.stop());

  for (const theme of ['light', 'dark'] as const) {
    it(`have no barrier that axe-core finds, ${theme}`, async function () {
      const editor = await Editor.open(this, nodeRed.url);
      const { page } = editor;
      try {
        await prepareBarriers(page, theme);
        const found: Record<string, string[]> = {};
        for (const { id } of nodes) {
          await editor.edit(id);
          await openAll(page);
          found[id] = await barriers(page);
          await editor.cancel();
        }
        await editor.editConfig('ion-config', 'config');
        await openAll(page);
        await page.click('#ion-config-test');
        await page.waitForSelector('.ion-config-test-good');
        await page.click('#ion-config-check');
        for (const state of ['ok', 'failed', 'unknown']) {
          await page.waitForSelector(`.ion-check-${state}`);
        }
        found.config = await barriers(page);
        assert.deepEqual(Object.values(found).flat(), [], JSON.stringify(found, null, 2));
      } finally {
        await editor.close();
      }
    });
  }
});

/** Shows the parts that are hidden at first. */
async function openAll(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const each of document.querySelectorAll('.red-ui-tray details')) {
      (each as HTMLDetailsElement).open = true;
    }
  });
}
