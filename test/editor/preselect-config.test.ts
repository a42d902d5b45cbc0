import assert from 'node:assert/strict';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';

/** The editor, inside the page. */
declare const RED: {
  actions: { invoke(action: string): void };
  nodes: {
    node(id: string): { users: { id: string }[]; valid: boolean };
    clear(): void;
    import(flow: object): void;
    filterNodes(filter: object): { id: string }[];
  };
  view: { redraw(now: boolean): void; focus(): void; importNodes(nodes: object[]): void };
  workspaces: { show(id: string): void };
};

const TYPES = ['ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step', 'ion-events'];
const config = (id: string, properties: object = {}): FlowNode => ({
  id,
  type: 'ion-config',
  name: id,
  environment: 'staging',
  version: 1,
  ...properties,
});

describe('the ION configuration of a new node', () => {
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    await prepareUserDir(folder.path, [{ id: 'flow', type: 'tab', label: 'test' }], {});
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  /** Replaces the flow in the editor, without a deploy. */
  const useConfigs = async (...configs: FlowNode[]) => {
    const tabs = ['flow', 'other'].map((id) => ({ id, type: 'tab', label: id }));
    await editor.page.evaluate(
      (flow) => {
        RED.nodes.clear();
        RED.nodes.import(flow);
        RED.workspaces.show('flow');
      },
      [...tabs, ...configs],
    );
  };
  const theOnly = async (type: string): Promise<string> => {
    const ids = await editor.page.evaluate(
      (type) => RED.nodes.filterNodes({ type }).map(({ id }) => id),
      type,
    );
    assert.equal(ids.length, 1, type);
    return String(ids[0]);
  };
  const drag = async (type: string): Promise<string> => {
    await editor.dragFromPalette(type, 320, 60 + 60 * TYPES.indexOf(type));
    return theOnly(type);
  };
  const quickAdd = async (type: string): Promise<string> => {
    const { page } = editor;
    await page.click('#red-ui-workspace-chart', {
      position: { x: 320, y: 320 },
      modifiers: ['ControlOrMeta'],
    });
    const label = type.replace('-', ' ');
    const results = page.locator('.red-ui-type-search .red-ui-search-result:visible');
    // The dialog empties its input while it opens.
    await results.first().waitFor();
    await page.locator('.red-ui-type-search input').pressSequentially(label);
    await results.getByText(label).first().click();
    await page.waitForSelector('.red-ui-type-search', { state: 'hidden' });
    return theOnly(type);
  };
  const paste = async (node: object): Promise<string> => {
    const { page } = editor;
    await page.evaluate((node) => RED.view.importNodes([node]), node);
    await page.click('#red-ui-workspace-chart', { position: { x: 320, y: 420 } });
    return theOnly('ion-runs');
  };
  const configOf = (id: string) => editor.property(id, 'config');
  const usersOf = (id: string) =>
    editor.page.evaluate((id) => RED.nodes.node(id).users.map((user) => user.id), id);
  const hasTriangle = (id: string) => editor.page.isVisible(`[id="${id}"] .red-ui-flow-node-error`);

  it('is the only one, for a node from the palette', async () => {
    await useConfigs(config('main'));
    const added: string[] = [];
    for (const type of TYPES) {
      const id = await drag(type);
      added.push(id);
      assert.equal(await configOf(id), 'main', type);
    }
    assert.deepEqual(await usersOf('main'), added);
    // The other new nodes need no more than the configuration.
    for (const id of added) assert.equal(await hasTriangle(id), false);
  });

  it('is the only one, for a node from the quick-add dialog', async () => {
    await useConfigs(config('main'));
    const id = await quickAdd('ion-runs');
    assert.equal(await configOf(id), 'main');
    assert.deepEqual(await usersOf('main'), [id]);
    assert.equal(await hasTriangle(id), false);
  });

  it('remains a choice if there are two', async () => {
    await useConfigs(config('main'), config('second', { z: 'flow' }));
    const id = await drag('ion-runs');
    assert.equal(await configOf(id), '');
    assert.deepEqual(await usersOf('main'), []);
    assert.equal(await hasTriangle(id), true);
  });

  it('is the only usable one: neither disabled nor in another flow', async () => {
    await useConfigs(
      config('disabled', { d: true }),
      config('elsewhere', { z: 'other' }),
      config('here', { z: 'flow' }),
    );
    assert.equal(await configOf(await drag('ion-runs')), 'here');
    await useConfigs(config('disabled', { d: true }), config('elsewhere', { z: 'other' }));
    assert.equal(await configOf(await drag('ion-runs')), '');
  });

  it('is not filled in for a pasted node', async () => {
    await useConfigs(config('main'));
    const node = { id: 'pasted', type: 'ion-runs', z: 'flow', x: 100, y: 100, wires: [[]] };
    const id = await paste({ ...node, config: '' });
    assert.equal(await configOf(id), '');
    assert.deepEqual(await usersOf('main'), []);
  });
});
