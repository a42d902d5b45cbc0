import assert from 'node:assert/strict';
import {
  eventsNode,
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

describe('the dialogs before a deploy', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200 };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'ION' }),
      { ...runsNode, ...place, id: 'runs', y: 100, wires: [] },
      { ...eventsNode, ...place, id: 'events', y: 160, wires: [] },
      { ...graphqlNode, ...place, id: 'graphql', query: '{ me { name } }', y: 220, wires: [] },
      { ...stepNode, ...place, id: 'step', y: 280, run: '', runType: 'str', wires: [] },
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

  const field = (name: string) => `#node-config-input-${name}`;
  /** Changes the config node of the open dialog, and does not deploy it. */
  const change = async (values: Record<string, string>, button = '#node-input-btn-config-edit') => {
    const { page } = editor;
    await editor.untilNothingSlides();
    await page.click(button);
    await editor.configIsOpen();
    await editor.untilNothingSlides();
    if (await page.isVisible(field('environment'))) {
      await page.selectOption(field('environment'), 'custom');
    }
    for (const [name, value] of Object.entries(values)) await page.fill(field(name), value);
    await editor.doneConfig();
  };
  const isTreeShown = () =>
    editor.page.waitForSelector('#ion-query-field-tree .red-ui-treeList-label');
  const schemaSays = (text: string) =>
    editor.page.locator('#ion-query-schema').filter({ hasText: text }).waitFor();
  const graphqlSays = (text: RegExp) =>
    editor.page.locator('#ion-graphql-schema').filter({ hasText: text }).waitFor();
  const panel = () => editor.page.locator('.ion-step-picker');
  /** Opens the search for runs in the dialog of ion-step. */
  const findRuns = () => editor.page.getByRole('button', { name: 'Find a run in ION' }).click();
  const closePanel = async () => {
    await editor.page.keyboard.press('Escape');
    await panel().waitFor({ state: 'detached' });
  };

  it('show what ION answered if it has no such URL, and not that the config node is not deployed', async () => {
    const fault = { target: 'api', kind: 'status', status: 404, times: 99 } as const;
    await editor.edit('runs');
    await isTreeShown();
    context.sandbox.control.fault(fault);
    await editor.page.click('#ion-query-schema-refresh');
    await schemaSays('ION_NOT_FOUND');
    await editor.cancel();
    const sent: string[] = [];
    editor.page.on('request', (request) => sent.push(new URL(request.url()).pathname));
    await editor.edit('step');
    await findRuns();
    await panel().getByText('ION_NOT_FOUND').waitFor();
    await closePanel();
    await editor.cancel();
    await editor.edit('graphql');
    await runQuery();
    await resultSays('ION_NOT_FOUND');
    assert.deepEqual(
      sent.filter((path) => /\/(find|run)$/.test(path)),
      ['/ion-config/config/find', '/ion-config/config/run'],
    );
    context.sandbox.control.clearFaults();
    await editor.cancel();
  });

  /** Runs a query in the open dialog of ion-graphql. */
  const runQuery = async () => {
    const { page } = editor;
    if (!(await page.isVisible('#ion-graphql-run'))) await page.click('.ion-graphql-trial summary');
    await page.click('#ion-graphql-run');
  };
  const resultSays = (text: string) =>
    editor.page.locator('#ion-graphql-result').filter({ hasText: text }).waitFor();

  it('never send the stored secret to other URLs than the deployed ones', async () => {
    await editor.edit('runs');
    await isTreeShown();
    const before = context.sandbox.control.counters().token.total;
    await change({ authUrl: context.sandbox.foreignAuthUrl });
    await schemaSays('only sent to the deployed URLs');
    await editor.cancel();
    await editor.edit('step');
    await findRuns();
    await panel().getByText('only sent to the deployed URLs').waitFor();
    await closePanel();
    await editor.done();
    await editor.edit('graphql');
    await runQuery();
    await resultSays('only sent to the deployed URLs');
    await editor.cancel();
    assert.equal(context.sandbox.control.counters().token.total, before);
    await editor.edit('step');
    await change({ authUrl: context.sandbox.authUrl });
    await findRuns();
    await panel().locator('.ion-step-found button').first().waitFor();
    await closePanel();
    await editor.cancel();
  });

  it('use the values of a config node that was changed, as soon as its dialog closes', async () => {
    const { clientSecret } = context.sandbox;
    await editor.edit('runs');
    await isTreeShown();
    await change({ clientSecret: 'a-wrong-secret' });
    await schemaSays('ION_AUTH');
    await change({ clientSecret });
    await isTreeShown();
    await editor.page.waitForSelector('#ion-query-schema', { state: 'hidden' });
    await change({ name: 'another name' });
    await isTreeShown();
    await editor.cancel();
    await editor.edit('graphql');
    await graphqlSays(/^schema: \d+ types$/);
    await editor.cancel();
  });

  it('run a query with the values of a config node that was changed, until the dialog closes', async () => {
    const { page } = editor;
    const { control, url: apiUrl, clientSecret } = context.sandbox;
    await editor.edit('graphql');
    await change({ clientSecret: 'a-wrong-secret' });
    await runQuery();
    await resultSays('ION_AUTH');
    await change({ apiUrl, clientSecret });
    await runQuery();
    await resultSays('Sandbox Service Account');
    control.fault({ target: 'api', kind: 'latency', ms: 60_000, times: 1 });
    const aborted = page.waitForEvent('requestfailed', (request) =>
      request.url().endsWith('/ion-config/run'),
    );
    const started = page.waitForRequest((request) => request.url().endsWith('/ion-config/run'));
    await page.click('#ion-graphql-run');
    await started;
    await editor.cancel();
    await aborted;
    control.clearFaults();
  });

  it('use the values of a config node that is new', async () => {
    const { page } = editor;
    const { url: apiUrl, authUrl, clientId, clientSecret } = context.sandbox;
    const values = { apiUrl, authUrl, clientId, clientSecret };
    await editor.edit('events');
    await isTreeShown();
    await change(values, '#node-input-btn-config-add');
    assert.notEqual(await page.inputValue('#node-input-config'), 'config');
    await isTreeShown();
    await page.waitForSelector('#ion-query-schema', { state: 'hidden' });
    await editor.done();
    const added = String(await editor.property('events', 'config'));
    await editor.edit('graphql');
    await page.selectOption('#node-input-config', '_ADD_');
    await runQuery();
    await resultSays('Select an ION configuration first.');
    await page.selectOption('#node-input-config', added);
    await graphqlSays(/^schema: \d+ types$/);
    await runQuery();
    await resultSays('Sandbox Service Account');
    await editor.cancel();
    await editor.edit('step');
    await page.selectOption('#node-input-config', added);
    await findRuns();
    await panel().locator('.ion-step-found button').first().click();
    assert.match(await page.inputValue('#node-input-run'), /^\d+$/);
    await editor.cancel();
  });
});
