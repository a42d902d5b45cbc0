import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { Editor } from '../support/editor.js';
import type { FlowNode } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { root, useTemporaryFolder } from '../support/package.js';

/** The editor, inside the page. */
declare const RED: {
  nodes: { createCompleteNodeSet(options: { credentials: boolean }): FlowNode[] };
};

const SECRET = 'the-secret-of-this-test';
const files = [
  'sandbox/demo/flow.json',
  ...readdirSync(join(root, 'examples'))
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
  /** Without what the editor adds to every node, and in no order. */
  const comparable = (nodes: FlowNode[]) =>
    nodes.map(({ env: _, ...node }) => node).sort((a, b) => a.id.localeCompare(b.id));

  for (const file of files) {
    it(`of ${file} holds no credential, and everything else`, async function () {
      const flow = JSON.parse(readFileSync(join(root, file), 'utf8')) as FlowNode[];
      const credentials = { clientId: 'the-key-of-this-test', clientSecret: SECRET };
      const withKey = flow.map((node) =>
        node.type === 'ion-config' ? { ...node, credentials } : node,
      );
      await nodeRed.deploy(withKey);
      const editor = await Editor.open(this, nodeRed.url);
      let exported: FlowNode[];
      try {
        exported = await editor.page.evaluate(() =>
          RED.nodes.createCompleteNodeSet({ credentials: false }),
        );
      } finally {
        await editor.close();
      }
      const text = JSON.stringify(exported);
      for (const value of [SECRET, 'the-key-of-this-test', 'credentials', '__PWRD__']) {
        assert.ok(!text.includes(value), value);
      }
      await nodeRed.deploy([]);
      await nodeRed.deploy(exported);
      const wanted = new Map(flow.map((node) => [node.id, node]));
      for (const node of comparable(await stored())) {
        const original = wanted.get(node.id);
        for (const [name, value] of Object.entries(original ?? {})) {
          assert.deepEqual(node[name], value, `${node.id}: ${name}`);
        }
        wanted.delete(node.id);
      }
      assert.deepEqual([...wanted.keys()], []);
    });
  }
});
