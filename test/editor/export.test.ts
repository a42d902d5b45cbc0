import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { Editor } from '../support/editor.js';
import type { FlowNode } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { root, useTemporaryFolder } from '../support/package.js';

/** The editor, inside the page. */
declare const RED: { actions: { invoke(action: string): void } };

/** What the export dialog offers of a flow: all that is selected, or everything there is. */
const RANGES = ['selected', 'full'] as const;

const CLIENT_ID = 'the-key-of-this-test';
const SECRET = 'the-secret-of-this-test';
const files = [
  'sandbox/demo/flow.json',
  ...readdirSync(join(root, 'examples'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `examples/${name}`),
];

describe('an export from the editor', function () {
  this.timeout(60_000);
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    await prepareUserDir(folder.path, [], {});
    nodeRed = await RunningNodeRed.start(folder.path, {
      // The flows name these; nothing answers there.
      env: { ION_API_URL: 'http://127.0.0.1:9', ION_AUTH_URL: 'http://127.0.0.1:9' },
    });
  });
  after(() => nodeRed?.stop());

  const stored = async (): Promise<FlowNode[]> =>
    (await fetch(`${nodeRed.url}/flows`)).json() as Promise<FlowNode[]>;

  const exportAll = async (editor: Editor, range: (typeof RANGES)[number]): Promise<FlowNode[]> => {
    const { page } = editor;
    await page.evaluate(() => {
      RED.actions.invoke('core:select-all-nodes');
      RED.actions.invoke('core:show-export-dialog');
    });
    await page.click(`#red-ui-clipboard-dialog-export-rng-${range}`);
    const text = await page.inputValue('#red-ui-clipboard-dialog-export-text');
    await page.click('#red-ui-clipboard-dialog-cancel');
    await page.waitForSelector('#red-ui-clipboard-dialog-export-text', { state: 'hidden' });
    return JSON.parse(text) as FlowNode[];
  };

  for (const file of files) {
    it(`of ${file} holds no credential, and everything else`, async function () {
      const flow = JSON.parse(readFileSync(join(root, file), 'utf8')) as FlowNode[];
      const credentials = { clientId: CLIENT_ID, clientSecret: SECRET };
      const withKey = flow.map((node) =>
        node.type === 'ion-config' ? { ...node, credentials } : node,
      );
      await nodeRed.deploy(withKey);
      const exports: [string, FlowNode[]][] = [];
      const editor = await Editor.open(this, nodeRed.url);
      try {
        for (const range of RANGES) exports.push([range, await exportAll(editor, range)]);
      } finally {
        await editor.close();
      }
      for (const [range, exported] of exports) {
        const text = JSON.stringify(exported);
        for (const value of [CLIENT_ID, SECRET, 'credentials', 'clientId', '__PWRD__']) {
          assert.ok(!text.includes(value), `${range}: ${value}`);
        }
        await nodeRed.deploy([]);
        await nodeRed.deploy(exported);
        const imported = new Map((await stored()).map((node) => [node.id, node]));
        // A selection is of nodes, without the tab that they are on.
        const wanted = flow.filter(({ type }) => range === 'full' || type !== 'tab');
        for (const { id, ...properties } of wanted) {
          for (const [name, value] of Object.entries(properties)) {
            assert.deepEqual(imported.get(id)?.[name], value, `${range}: ${id}: ${name}`);
          }
        }
      }
    });
  }
});
