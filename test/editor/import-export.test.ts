import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { Editor } from '../support/editor.js';
import type { FlowNode } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { root, useTemporaryFolder } from '../support/package.js';
import { addPalette, homeIn, installPalettes, palettes } from '../support/palettes.js';

/** The editor, inside the page. */
declare const RED: {
  actions: { invoke(action: string): void };
  nodes: { workspace(id: string): object | undefined };
  workspaces: { show(id: string): void };
};

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

const flows = new Map<string, FlowNode[]>(
  files.map((file) => [file, JSON.parse(readFileSync(join(root, file), 'utf8'))]),
);

describe('the editor', () => {
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  /** The flows that run after all examples were imported from the menu. */
  let imported: FlowNode[];
  /** Of each file, by range. */
  const exports = new Map<string, [(typeof RANGES)[number], FlowNode[]][]>();

  before(async function () {
    await prepareUserDir(folder.path, [], {});
    // Without the types of the nodes Node-RED starts no flow, and a selection lacks config nodes.
    await installPalettes();
    for (const palette of palettes) await addPalette(folder.path, palette);
    nodeRed = await RunningNodeRed.start(folder.path, {
      env: {
        // The flows name these; nothing answers there.
        ION_API_URL: 'http://127.0.0.1:9',
        ION_AUTH_URL: 'http://127.0.0.1:9',
        MQTT_HOST: '127.0.0.1',
        MQTT_PORT: '9',
        PLC_HOST: '127.0.0.1',
        PLC_PORT: '9',
        OPCUA_ENDPOINT: 'opc.tcp://127.0.0.1:9',
        ...homeIn(folder.path),
      },
    });
    const newcomer = await Editor.open(this, nodeRed.url);
    try {
      for (const file of files) if (isExample(file)) await importExample(newcomer, file);
      await newcomer.deploy();
      imported = await stored();
    } finally {
      await newcomer.close();
    }
    const credentials = { clientId: CLIENT_ID, clientSecret: SECRET };
    await nodeRed.deploy(
      [...flows.values()]
        .flat()
        .map((node) => (node.type === 'ion-config' ? { ...node, credentials } : node)),
    );
    // All of them in one editor, which takes its time to open.
    const editor = await Editor.open(this, nodeRed.url);
    try {
      for (const [file, flow] of flows) exports.set(file, await exportFlow(editor, flow));
    } finally {
      await editor.close();
    }
  });
  after(() => nodeRed?.stop());

  const stored = async (): Promise<FlowNode[]> =>
    (await fetch(`${nodeRed.url}/flows`)).json() as Promise<FlowNode[]>;

  /** Menu, Import, Examples. */
  const importExample = async (editor: Editor, file: string) => {
    const { page } = editor;
    await page.evaluate(() => RED.actions.invoke('core:show-examples-import-dialog'));
    const tree = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    const [, ...folders] = file.replace('.json', '').split('/');
    const name = folders.pop() ?? '';
    for (const folder of ['@ion-nodes/node-red-ion', ...folders]) {
      await tree.getByText(folder, { exact: true }).click();
      await page.keyboard.press('ArrowRight');
    }
    await tree.getByText(name, { exact: true }).click();
    await page.click('#red-ui-clipboard-dialog-ok');
    const tab = flows.get(file)?.find(({ type }) => type === 'tab');
    await page.waitForFunction((id) => RED.nodes.workspace(id), String(tab?.id));
  };

  const exportFlow = async (editor: Editor, flow: FlowNode[]) => {
    const ids = new Set(flow.map(({ id }) => id));
    const exported: [(typeof RANGES)[number], FlowNode[]][] = [];
    for (const range of RANGES) {
      const nodes = new Map<string, FlowNode>();
      for (const tab of flow.filter(({ type }) => type === 'tab')) {
        await editor.page.evaluate((id) => RED.workspaces.show(id), tab.id);
        for (const node of await exportAll(editor, range)) nodes.set(node.id, node);
      }
      exported.push([range, [...nodes.values()].filter(({ id }) => ids.has(id))]);
    }
    return exported;
  };

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

  for (const [file, flow] of flows) {
    if (!isExample(file)) continue;
    it(`imports ${file} from its menu as it is`, () => {
      const found = new Map(imported.map((node) => [node.id, node]));
      for (const node of flow) assertHolds(found.get(node.id), node);
    });
  }

  for (const [file, flow] of flows) {
    it(`exports of ${file} no credential, and everything else`, async () => {
      const ofFile = exports.get(file);
      assert.ok(ofFile);
      for (const [range, exported] of ofFile) {
        const text = JSON.stringify(exported);
        for (const value of [CLIENT_ID, SECRET, 'credentials', 'clientId', '__PWRD__']) {
          assert.ok(!text.includes(value), `${range}: ${value}`);
        }
        await nodeRed.deploy([]);
        await nodeRed.deploy(exported);
        const found = new Map((await stored()).map((node) => [node.id, node]));
        // A selection is of nodes, without the tab that they are on.
        const wanted = flow.filter(({ type }) => range === 'full' || type !== 'tab');
        for (const node of wanted) assertHolds(found.get(node.id), node, range);
      }
    });
  }
});

function isExample(file: string): boolean {
  return file.startsWith('examples/');
}

/** The editor and Node-RED may add properties, but change none. */
function assertHolds(
  found: FlowNode | undefined,
  { id, ...properties }: FlowNode,
  range = '',
): void {
  for (const [name, value] of Object.entries(properties)) {
    assert.deepEqual(found?.[name], value, `${range} ${id}: ${name}`);
  }
}
