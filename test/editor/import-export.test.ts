import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { addPalette, homeIn, palettes, usePalettes } from '../../tools/palettes.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';

/** The editor, inside the page. */
declare const RED: {
  actions: { invoke(action: string): void };
  nodes: {
    workspace(id: string): object | undefined;
    eachConfig(look: (node: { type: string }) => void): void;
  };
  workspaces: { show(id: string): void };
};

const CLIENT_ID = 'the-key-of-this-test';
const SECRET = 'the-secret-of-this-test';
const files = [
  'demo/flow.json',
  ...readdirSync(join(root, 'examples'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `examples/${name}`),
];

const flows = new Map<string, FlowNode[]>(
  files.map((file) => [file, JSON.parse(readFileSync(join(root, file), 'utf8'))]),
);
const dashboard = [...flows.values()].flat().find(({ type }) => type === 'ui-base')?.id;

/** The nodes of a flow in an editor with all flows: the dashboard keeps only one base for all pages. */
function inOneDashboard(flow: readonly FlowNode[]): FlowNode[] {
  return flow
    .filter(({ id, type }) => type !== 'ui-base' || id === dashboard)
    .map((node) => (node.ui ? { ...node, ui: dashboard } : node));
}

describe('the editor', () => {
  // Without the types of the nodes Node-RED starts no flow, and a selection lacks config nodes.
  usePalettes();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async () => {
    await prepareUserDir(folder.path, [], {});
    for (const palette of palettes) await addPalette(folder.path, palette);
    nodeRed = await RunningNodeRed.startForEditor(folder.path, {
      env: {
        // The flows name these addresses; nothing listens there.
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
  });
  after(() => nodeRed?.stop());

  /** Menu, Import, Examples. */
  const importExample = async (file: string) => {
    const { page } = editor;
    await page.evaluate(() => RED.actions.invoke('core:show-examples-import-dialog'));
    const tree = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    const [, ...folders] = file.replace('.json', '').split('/');
    const name = folders.pop() ?? '';
    const click = async (text: string) => {
      const item = tree.getByText(text, { exact: true });
      await item.waitFor();
      await editor.untilNothingSlides();
      await item.click();
    };
    for (const folder of ['@ion-nodes/node-red-ion', ...folders]) {
      await click(folder);
      await page.keyboard.press('ArrowRight');
    }
    await click(name);
    await page.click('#red-ui-clipboard-dialog-ok');
    const tab = flows.get(file)?.find(({ type }) => type === 'tab');
    await page.waitForFunction((id) => RED.nodes.workspace(id), String(tab?.id));
    // The dashboard removes a second base a moment after the import.
    await page.waitForFunction(() => {
      const bases: object[] = [];
      RED.nodes.eachConfig((node) => {
        if (node.type === 'ui-base') bases.push(node);
      });
      return bases.length <= 1;
    });
  };

  /** The editor's export with all nodes of a flow selected. */
  const exportSelected = async (flow: FlowNode[]): Promise<FlowNode[]> => {
    const exported: FlowNode[] = [];
    for (const tab of flow.filter(({ type }) => type === 'tab')) {
      await editor.page.evaluate((id) => RED.workspaces.show(id), tab.id);
      exported.push(...(await exportRange('selected')));
    }
    return exported;
  };

  const exportRange = async (range: 'selected' | 'full'): Promise<FlowNode[]> => {
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

  describe('imports unchanged from its menu', () => {
    before(async function () {
      editor = await Editor.open(this, nodeRed.url);
    });
    after(() => editor?.close());

    for (const [file, flow] of flows) {
      if (!file.startsWith('examples/')) continue;
      it(file, async () => {
        await importExample(file);
        const found = await editor.completeFlow();
        for (const node of inOneDashboard(flow)) assertHolds(found.get(node.id), node);
      });
    }

    it('and deploys all of them', async () => {
      await editor.deploy();
      const response = await fetch(`${nodeRed.url}/flows`);
      const found = new Map(((await response.json()) as FlowNode[]).map((node) => [node.id, node]));
      for (const [file, flow] of flows) {
        if (file.startsWith('examples/'))
          for (const node of inOneDashboard(flow)) assertHolds(found.get(node.id), node);
      }
    });
  });

  describe('exports no credential, and everything else, of', () => {
    let everything: FlowNode[];

    before(async function () {
      const credentials = { clientId: CLIENT_ID, clientSecret: SECRET };
      await nodeRed.deploy(
        [...flows.values()]
          .flat()
          .map((node) => (node.type === 'ion-config' ? { ...node, credentials } : node)),
      );
      editor = await Editor.open(this, nodeRed.url);
      everything = await exportRange('full');
    });
    after(() => editor?.close());

    const check = (exported: FlowNode[], wanted: FlowNode[], range: string) => {
      const text = JSON.stringify(exported);
      for (const value of [CLIENT_ID, SECRET, 'credentials', 'clientId', '__PWRD__']) {
        assert.ok(!text.includes(value), `${range}: ${value}`);
      }
      const found = new Map(exported.map((node) => [node.id, node]));
      for (const node of inOneDashboard(wanted)) assertHolds(found.get(node.id), node, range);
    };

    for (const [file, flow] of flows) {
      it(file, async () => {
        // A selection contains nodes, without their tab.
        const nodes = flow.filter(({ type }) => type !== 'tab');
        check(await exportSelected(flow), nodes, 'selected');
        check(everything, flow, 'full');
      });
    }
  });
});

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
