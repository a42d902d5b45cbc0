import assert from 'node:assert/strict';
import { buildSchema, introspectionFromSchema } from 'graphql';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { httpServer, type TestServer } from '../support/servers.js';
import { until } from '../support/until.js';

/** The editor, inside the page. */
declare const RED: {
  workspaces: { show(id: string): void };
  nodes: { node(id: string): { validationErrors?: string[]; path: string } };
  editor: { validateNode(node: object): boolean };
};

describe("the dialogs of a subflow's nodes in a browser", () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  /** An ION whose schema has few types. */
  let tiny: TestServer;

  const place = (node: FlowNode, z: string): FlowNode => ({
    x: 300,
    y: 100,
    wires: [],
    ...node,
    z,
  });
  const subflow = (id: string, env: object[]) => ({
    ...{ id, type: 'subflow', name: `Subflow ${id}`, category: '', info: '', env },
    ...{ in: [], out: [], meta: {}, color: '#DDAA99' },
  });
  const property = { name: 'ION', type: 'ion-config', value: '', ui: { type: 'conf-types' } };
  const instance = (id: string, client: string) =>
    place(
      {
        ...{ id, type: 'subflow:sub', name: `Line ${id}` },
        env: [
          { name: 'CLIENT', type: 'str', value: client },
          { name: 'ION', type: 'conf-type', value: 'shared' },
          { name: 'PATH', type: 'str', value: `/hook/${id}` },
        ],
      },
      'flow',
    );
  const configs = (shared = {}) => {
    const { clientId, clientSecret } = context.sandbox;
    const config = (id: string, z?: string, own = {}) => ({
      ...sandboxConfig(context.sandbox, { id, name: `config ${id}`, ...own }),
      ...(z && { z }),
    });
    const credentials = { clientId, clientSecret };
    return [
      config('own', 'sub', { credentials: { clientId: '${CLIENT}', clientSecret } }),
      config('lonely', 'empty', { credentials }),
      config('shared', undefined, { credentials, ...shared }),
    ];
  };
  const flow = (shared = {}): FlowNode[] => [
    { id: 'flow', type: 'tab', label: 'Plant' },
    subflow('sub', [property, { name: 'CLIENT', type: 'str', value: '' }]),
    subflow('empty', []),
    ...configs(shared),
    instance('one', context.sandbox.clientId),
    instance('two', 'nobody'),
    place({ ...graphqlNode, id: 'graphql', config: 'own' }, 'sub'),
    place({ ...runsNode, id: 'runs', config: '${ION}' }, 'sub'),
    place({ ...stepNode, id: 'step', config: 'own', delivery: 'outbox', outputs: 2 }, 'sub'),
    ...['hook', 'fixed', 'property'].map((id, index) => {
      const path = { hook: '', fixed: '/fixed', property: '${PATH}' }[id];
      const hook = { ...eventsNode, via: 'webhook', verify: false, config: 'own', path };
      return place({ ...hook, id, y: 200 + 50 * index }, 'sub');
    }),
    place({ ...graphqlNode, id: 'alone', config: 'lonely' }, 'empty'),
    place({ ...eventsNode, id: 'unheard', via: 'webhook', config: 'lonely' }, 'empty'),
    place({ ...graphqlNode, id: 'plain', config: 'shared' }, 'flow'),
  ];

  before(async function () {
    tiny = await httpServer((request, response) => {
      request.resume();
      response.setHeader('content-type', 'application/json');
      const data = introspectionFromSchema(buildSchema('type Query { tiny: Int }'));
      response.end(JSON.stringify({ data }));
    });
    await prepareUserDir(folder.path, [], {});
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    await nodeRed.deploy(flow());
    editor = await Editor.open(this as unknown as Mocha.Context, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
    await tiny?.close();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const show = (id: string) => editor.page.evaluate((id) => RED.workspaces.show(id), id);
  const text = async (selector: string) =>
    String(await editor.page.locator(selector).textContent());
  const untilText = (selector: string, pattern: RegExp) =>
    until(async () => pattern.test(await text(selector)));
  const options = (selector: string) => editor.page.locator(`${selector} option`).allTextContents();

  it('test the key of the chosen instance, and show its outbox', async () => {
    await show('sub');
    await editor.editConfig('ion-config', 'own');
    const { page } = editor;
    assert.deepEqual(await options('#ion-config-instance'), [
      'Plant / Line one',
      'Plant / Line two',
    ]);
    await page.click('#ion-config-test');
    await untilText('#ion-config-test-result', /^Connected as/);
    await page.click('#ion-config-outbox summary');
    await untilText('#ion-config-outbox-state', /The outbox is empty/);
    await page.selectOption('#ion-config-instance', 'two-own');
    assert.equal(await text('#ion-config-test-result'), '');
    await page.click('#ion-config-test');
    await untilText('#ion-config-test-result', /ION_AUTH/);
    await untilText('#ion-config-outbox-state', /The outbox is empty/);
    await editor.doneConfig();
  });

  it('report a subflow without an instance', async () => {
    await show('empty');
    await editor.editConfig('ion-config', 'lonely');
    await editor.page.click('#ion-config-outbox summary');
    await untilText('#ion-config-outbox-state', /no running instance/);
    assert.ok(await editor.page.locator('#ion-config-instance').isHidden());
    await editor.doneConfig();
    await editor.edit('alone');
    await untilText('#ion-graphql-schema', /no running instance/);
    await editor.page.click('.ion-graphql-trial summary');
    await editor.page.click('#ion-graphql-run');
    await untilText('#ion-graphql-result', /no running instance/);
    await editor.cancel();
    await editor.edit('unheard');
    assert.match(await text('#ion-events-address'), /Each instance of the subflow/);
    await editor.cancel();
  });

  it('complete and run queries with the chosen instance', async () => {
    await show('sub');
    await editor.edit('graphql');
    const { page } = editor;
    await untilText('#ion-graphql-schema', /^schema: \d+ types/);
    await page.click('.ion-graphql-trial summary');
    await page.click('#ion-graphql-run');
    await untilText('#ion-graphql-result', /me/);
    await page.selectOption('#ion-instance', 'two-own');
    await untilText('#ion-graphql-schema', /no schema/);
    await page.click('#ion-graphql-run');
    await untilText('#ion-graphql-result', /ION_AUTH/);
    await editor.cancel();
  });

  it('read the schema of the config node that a subflow property names', async () => {
    await show('sub');
    await editor.edit('runs');
    const { page } = editor;
    assert.equal(await page.locator('#node-input-config').inputValue(), '${ION}');
    await page.locator('#ion-query-field-tree .red-ui-treeList-label').first().waitFor();
    assert.ok(await page.locator('#ion-instance').isHidden());
    await editor.cancel();
  });

  it('show the address of each instance, and mark a path that they would share', async () => {
    await show('sub');
    await editor.edit('hook');
    const addresses = () => editor.page.locator('#ion-events-address > div').allTextContents();
    assert.deepEqual(await addresses(), [
      `Plant / Line one: ${nodeRed.url}/ion/one-hook`,
      `Plant / Line two: ${nodeRed.url}/ion/two-hook`,
    ]);
    await editor.cancel();
    for (const path of ['/ion/one-hook', '/ion/two-hook', '/hook/one', '/hook/two']) {
      const response = await fetch(nodeRed.url + path, { method: 'POST', body: '{}' });
      assert.equal(response.status, 200, path);
    }
    const errorsOf = (id: string) =>
      editor.page.evaluate((id) => {
        const node = RED.nodes.node(id);
        RED.editor.validateNode(node);
        return node.validationErrors ?? [];
      }, id);
    assert.match(String(await errorsOf('fixed')), /needs its own path/);
    assert.deepEqual(await errorsOf('property'), []);
    await editor.edit('property');
    assert.deepEqual(
      (await addresses()).map((address) => address.split(nodeRed.url)[1]),
      ['/hook/one', '/hook/two'],
    );
    await editor.cancel();
  });

  it('read the schema again once another ION is deployed', async () => {
    await show('flow');
    await editor.edit('plain');
    await untilText('#ion-graphql-schema', /^schema: \d{3,} types/);
    await editor.cancel();
    await nodeRed.deploy(flow({ apiUrl: tiny.url }));
    await editor.edit('plain');
    await untilText('#ion-graphql-schema', /^schema: \d{1,2} types/);
    await editor.cancel();
    await editor.edit('plain');
    await untilText('#ion-graphql-schema', /^schema: \d{1,2} types/);
    await editor.cancel();
  });
});
