import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { barriers, prepareBarriers } from '../support/barriers.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

/** The editor, inside the page. */
declare const RED: {
  sidebar: { show(name: string): void };
  view: { selection(): { nodes?: { id: string }[] } };
  workspaces: { active(): string };
};

const CREATE = `mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { id title } }
}`;
const ISSUE = { input: { title: 'a scratch' } };
const TABS = [
  { id: 'flow', type: 'tab', label: 'test' },
  { id: 'other', type: 'tab', label: 'other' },
];

/** Flows that POST requests start: a query, and a mutation through the outbox. */
function flowOf(config: FlowNode): FlowNode[] {
  const into = (id: string, y: number) => {
    const place = { z: 'other', x: 100, y, wires: [[id, 'response']] };
    return { id: `in-${id}`, type: 'http in', ...place, url: `/${id}`, method: 'post' };
  };
  const outbox = { delivery: 'outbox', outputs: 2, wires: [[], []] };
  return [
    ...TABS,
    config,
    into('ask', 100),
    into('issue', 200),
    { id: 'response', type: 'http response', z: 'other', x: 500, y: 100, wires: [] },
    { ...graphqlNode, id: 'ask', name: 'Who am I', z: 'other', x: 300, y: 100, wires: [[]] },
    {
      ...{ ...graphqlNode, id: 'issue', name: 'Report a defect', z: 'other', x: 300, y: 200 },
      ...{ query: CREATE, variables: 'payload', order: 'line 4', orderType: 'str', ...outbox },
    },
  ];
}

const card = (page: Page) => page.locator('#ion-sidebar .ion-card');
const verdict = (page: Page) => card(page).locator('.ion-card-verdict');

async function show(page: Page, tab = 'ion'): Promise<void> {
  await page.evaluate((tab) => RED.sidebar.show(tab), tab);
}

describe('the sidebar in a browser', () => {
  const context = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  let page: Page;
  /** Requests of the page to the package's routes, and messages that it received. */
  let requests: string[];
  let messages: string[];

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const flow = flowOf(sandboxConfig(context.sandbox, { name: 'Plant', timeout: 2, retries: 0 }));
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
    ({ page } = editor);
    page.on('request', (request) => {
      if (request.url().includes('/ion-config/')) requests.push(request.url());
    });
    // A connection begins with the page.
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes('ion/status')) messages.push(String(payload));
      });
    });
    await page.reload();
    await page.waitForSelector('.red-ui-palette-node');
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  beforeEach(() => {
    requests = [];
    messages = [];
  });
  afterEach(() => {
    assert.deepEqual(editor.errors, []);
  });

  const post = async (path: string, body: object = {}) => {
    const response = await fetch(`${nodeRed.url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
  };
  const says = (text: RegExp, severity: string) =>
    verdict(page)
      .and(page.locator(`.ion-card-${severity}`))
      .filter({ hasText: text })
      .waitFor();
  const cut = () => {
    for (const target of ['api', 'token'] as const) {
      context.sandbox.control.fault({ target, kind: 'reset', times: 1e9 });
    }
  };

  it('sends nothing before it is opened, and nothing after it is closed', async () => {
    await post('ask');
    assert.deepEqual(requests, []);
    await show(page);
    await until(() => messages.length > 0);
    await show(page, 'info');
    const isEnd = () => requests.filter((url) => url.endsWith('/watch')).length >= 2;
    await until(isEnd);
    // The last message may be in flight.
    await page.waitForTimeout(1500);
    const before = [requests.length, messages.length];
    // Longer than the period of messages and of renewals.
    for (let second = 0; second < 6; second++) {
      await post('ask');
      await page.waitForTimeout(1000);
    }
    assert.deepEqual([requests.length, messages.length], before);
    assert.equal(await page.locator('#ion-sidebar').count(), 1);
  });

  it('shows within a second how many requests there are', async () => {
    await show(page);
    await says(/^All is well/, 'ok');
    assert.match(String(await card(page).locator('h3').textContent()), /Plant\s*127\.0\.0\.1/);
    const bars = page.locator('#ion-sidebar .ion-chart-requests');
    await post('ask');
    const label = await bars.getAttribute('aria-label');
    const from = performance.now();
    await Promise.all(Array.from({ length: 5 }, () => post('ask')));
    await until(async () => (await bars.getAttribute('aria-label')) !== label);
    assert.ok(performance.now() - from < 2500, `${performance.now() - from} ms`);
    await card(page)
      .getByText(/^until /)
      .waitFor();
  });

  it('follows an outage: writes wait, the reason is shown, and all is well again', async () => {
    await show(page);
    await says(/^All is well/, 'ok');
    cut();
    await post('issue', ISSUE);
    await says(/^ION has not responded since .* Pending writes: 1\./, 'failed');
    await post('issue', ISSUE);
    await card(page)
      .getByText(/^2 pending · .* · oldest: \d+ sec/)
      .waitFor();
    await says(/The connection to /, 'failed');
    await card(page)
      .getByText(/^Next attempt: |^Retrying now/)
      .waitFor();
    context.sandbox.control.clearFaults();
    await card(page)
      .getByText(/^0 pending · 2 delivered/)
      .waitFor();
    // The failures of the last minute are few then.
    await Promise.all(Array.from({ length: 100 }, () => post('ask')));
    await says(/^All is well/, 'ok');
  });

  it('names requests that fail without the outbox', async () => {
    await show(page);
    cut();
    for (let count = 0; count < 3; count++) await post('ask');
    await says(/ION_NETWORK \(network error\)\. Check the network/, 'failed');
    assert.match(
      String(await card(page).locator('.ion-card-codes').textContent()),
      /ION_NETWORK \(network error\)\d/,
    );
    context.sandbox.control.clearFaults();
    await post('ask');
    // Some of the last minute still failed.
    await verdict(page).and(page.locator(':not(.ion-card-failed)')).waitFor();
  });

  it('retries a rejected write, by keyboard', async () => {
    const { control, data } = context.sandbox;
    await show(page);
    const count = data.issues.all().length;
    control.fault({
      target: 'api',
      kind: 'graphql',
      match: 'createIssue',
      errors: [{ message: 'the rules say no' }],
    });
    await post('issue', ISSUE);
    await says(/^Rejected writes: 1\./, 'failed');
    const item = card(page).locator('.ion-card-writes li');
    assert.match(String(await item.textContent()), /the rules say no/);
    await item.getByRole('button', { name: /^Retry: / }).focus();
    await page.keyboard.press('Enter');
    await item.waitFor({ state: 'detached' });
    await until(() => data.issues.all().length === count + 1);
    assert.ok(
      await page.evaluate(() => document.activeElement?.closest('#ion-sidebar') !== null),
      'the focus is still in the sidebar',
    );
  });

  it('selects a node that uses the config node, and its flow', async () => {
    await show(page);
    await card(page).locator('summary').click();
    await card(page).locator('.ion-card-users button', { hasText: 'Report a defect' }).click();
    assert.equal(await page.evaluate(() => RED.workspaces.active()), 'other');
    const selected = await page.evaluate(() => RED.view.selection().nodes?.map(({ id }) => id));
    assert.deepEqual(selected, ['issue']);
    await card(page).locator('summary').click();
  });

  it('checks everything, and then knows the owner of the key', async () => {
    await show(page);
    await card(page).getByText('not asked yet').waitFor();
    await card(page).getByRole('button', { name: 'Check everything' }).click();
    await card(page).locator('.ion-check-list li').first().waitFor();
    assert.match(String(await card(page).locator('.ion-check-head').textContent()), /OK/);
    await card(page).getByText('not asked yet').waitFor({ state: 'detached' });
  });

  it('opens the dialog of the config node', async () => {
    await show(page);
    await card(page).getByRole('button', { name: 'Open the configuration' }).click();
    await editor.configIsOpen();
    assert.equal(await page.inputValue('#node-config-input-name'), 'Plant');
    await editor.cancelConfig();
  });

  it('closes and opens a card by keyboard', async () => {
    await show(page);
    const title = card(page).locator('.ion-card-title');
    await title.focus();
    await page.keyboard.press('Enter');
    await card(page).locator('.ion-card-body').waitFor({ state: 'hidden' });
    assert.equal(await title.getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('Space');
    await card(page).locator('.ion-card-body').waitFor();
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`has no barrier that axe-core finds, ${theme}, and fits into 300 px`, async () => {
      const { control } = context.sandbox;
      await show(page);
      control.fault({
        target: 'api',
        kind: 'graphql',
        match: 'createIssue',
        errors: [{ message: 'no' }],
      });
      await post('issue', ISSUE);
      await card(page).locator('.ion-card-writes li').first().waitFor();
      await card(page)
        .locator('details')
        .evaluate((details: HTMLDetailsElement) => {
          details.open = true;
        });
      await prepareBarriers(page, theme);
      assert.deepEqual(await barriers(page, '#ion-sidebar'), []);
      await page.evaluate(() => {
        const content = document.querySelector<HTMLElement>('#ion-sidebar');
        if (content) content.style.width = '280px';
      });
      const overflow = await page
        .locator('#ion-sidebar')
        .evaluate((content) => content.scrollWidth - content.clientWidth);
      assert.ok(overflow <= 0, `${overflow} px`);
      await post('ion-config/config/outbox', { decision: 'discard', sequences: 'all' });
      await card(page).locator('.ion-card-writes li').waitFor({ state: 'detached' });
    });
  }

  it('shows another config node after a deploy, and none after its removal', async () => {
    await show(page);
    const config = sandboxConfig(context.sandbox, { name: 'Plant', timeout: 2, retries: 0 });
    const second = { ...config, id: 'second', name: 'Second plant', apiUrl: 'no URL' };
    await card(page).locator('.ion-card-title').click();
    const { clientId, clientSecret } = context.sandbox;
    const credentials = { clientId, clientSecret };
    const dry = { ...config, id: 'third', name: 'Test stand', mode: 'dryRun', credentials };
    await nodeRed.deploy([...flowOf(config), second, dry]);
    const dryRun = card(page).filter({ hasText: 'Test stand' });
    await dryRun.locator('.ion-card-attention', { hasText: /no write reaches ION/ }).waitFor();
    assert.ok(await dryRun.locator('.ion-card-mode').isVisible());
    // The most severe first, once the user works elsewhere.
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await until(async () => {
      const names = await card(page).locator('.ion-card-name').allTextContents();
      return names.join() === 'Second plant,Test stand,Plant';
    });
    const added = card(page).filter({ hasText: 'Second plant' });
    await added.locator('.ion-card-failed', { hasText: /settings cannot work/ }).waitFor();
    await nodeRed.deploy(flowOf(config));
    await added.waitFor({ state: 'detached' });
    // A deploy also stops the other one for a moment.
    await until(async () => (await card(page).count()) === 1);
    // The user had closed it before.
    assert.equal(await card(page).locator('.ion-card-body').isVisible(), false);
    await card(page).locator('.ion-card-title').click();
  });

  it('follows a Node-RED that starts again', async () => {
    await show(page);
    const port = Number(new URL(nodeRed.url).port);
    await nodeRed.stop();
    nodeRed = await RunningNodeRed.start(folder.path, { port });
    messages = [];
    await until(() => messages.length > 0);
    await card(page).getByText('not asked yet').waitFor();
  });
});

describe('the sidebar of a user with few permissions', () => {
  const context = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const flow = flowOf(sandboxConfig(context.sandbox, { name: 'Plant' }));
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
  });
  const start = async (permissions: string | string[]) => {
    const adminAuth = { type: 'credentials', users: [], default: { permissions } };
    nodeRed = await RunningNodeRed.startForEditor(folder.path, { settings: { adminAuth } });
  };
  afterEach(() => nodeRed?.stop());

  it('shows a plain sentence without the permission to read the state', async function () {
    await start(['settings.read', 'plugins.read', 'nodes.read', 'flows.read']);
    const editor = await Editor.open(this, nodeRed.url);
    const { page } = editor;
    try {
      await show(page);
      await page.getByText('You do not have permission to see the state').waitFor();
      assert.equal(await card(page).count(), 0);
      assert.deepEqual(editor.errors, []);
    } finally {
      await editor.close();
    }
  });

  it('shows the state and rejected writes, without a decision or a check', async function () {
    await start('read');
    const { control } = context.sandbox;
    const errors = [{ message: 'the rules say no' }];
    control.fault({ target: 'api', kind: 'graphql', match: 'createIssue', errors });
    const response = await fetch(`${nodeRed.url}/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ISSUE),
    });
    assert.equal(response.status, 200);
    const editor = await Editor.open(this, nodeRed.url);
    const { page } = editor;
    try {
      await show(page);
      await verdict(page)
        .filter({ hasText: /^Rejected writes: 1\./ })
        .waitFor();
      await card(page).getByText('You do not have permission to change the outbox.').waitFor();
      const buttons = card(page).locator('.ion-config-outbox-decide');
      assert.equal(await buttons.count(), 2);
      for (const button of await buttons.all()) assert.ok(await button.isDisabled());
      assert.ok(await card(page).getByRole('button', { name: 'Check everything' }).isDisabled());
      assert.deepEqual(editor.errors, []);
    } finally {
      await editor.close();
    }
  });
});
