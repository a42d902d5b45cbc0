import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { barriers, prepareBarriers } from '../support/barriers.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

/** The editors, inside the page. */
declare const monaco: {
  editor: { getEditors(): { getValue(): string; getDomNode(): Element }[] };
};
declare const RED: {
  workspaces: { active(): string; show(id: string): void };
  view: { selection(): { nodes?: { id: string }[] } };
};

const CREATE = `mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { id title } }
}`;
const NO_STEP = '99999999';
const PANEL = '#ion-config-outbox-edit';
const CODE = '#ion-config-outbox-editor';

describe('the list of rejected writes in a browser', () => {
  const context = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;
  let step: number;
  let field: number;

  before(async function () {
    const made = await makeStep(context.client(), [{ name: 'Torque', type: 'NUMBER' }]);
    step = made.step;
    field = Number(made.fields.Torque);
    const { clientId, clientSecret } = context.sandbox;
    const outbox = { delivery: 'outbox', outputs: 2, wires: [[], []] };
    const into = (id: string, x: number) => {
      const place = { z: 'flow', x, y: 100, wires: [[id, 'response']] };
      return { id: `in-${id}`, type: 'http in', ...place, url: `/${id}`, method: 'post' };
    };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      { id: 'other', type: 'tab', label: 'other' },
      sandboxConfig(context.sandbox, { name: 'ION' }),
      ...['issue', 'value', 'unnamed'].map((id, at) => into(id, 100 + 200 * at)),
      { id: 'response', type: 'http response', z: 'flow', x: 900, y: 100, wires: [] },
      {
        ...{ ...graphqlNode, id: 'issue', name: 'Report a defect', z: 'flow', x: 100, y: 200 },
        ...{ query: CREATE, variables: 'payload', order: 'line 4', orderType: 'str', ...outbox },
      },
      {
        ...{ ...stepNode, id: 'value', z: 'flow', x: 300, y: 200, run: '', step: '' },
        ...{ field: String(field), fieldType: 'num', value: 'payload.torque', ...outbox },
      },
      {
        ...{ ...graphqlNode, id: 'unnamed', z: 'flow', x: 500, y: 200 },
        ...{ query: CREATE, variables: 'payload', ...outbox },
      },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  beforeEach(async () => {
    await reject('issue', issue('a scratch'), 1);
    await reject('value', { torque: '12,5' }, 2);
    await editor.editConfig('ion-config', 'config');
    await items().nth(1).waitFor();
  });
  afterEach(async () => {
    await editor.page.click('#node-config-dialog-cancel');
    await editor.page.waitForSelector('#node-config-dialog-cancel', { state: 'detached' });
    await post('ion-config/config/outbox', { decision: 'discard', sequences: 'all' });
    await until(async () => (await state()).givenUp === 0);
    assert.deepEqual(editor.errors, []);
  });

  const post = async (path: string, body: object) => {
    const response = await fetch(`${nodeRed.url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
  };
  const state = async () => {
    const response = await fetch(`${nodeRed.url}/ion-config/config/outbox`);
    return (await response.json()) as { waiting: number; givenUp: number };
  };
  /** Sends a message whose write is rejected, and waits until so many are. */
  const reject = async (path: string, body: object, count: number) => {
    await post(path, body);
    await until(async () => (await state()).givenUp === count);
  };
  const issue = (title: string, runStepId: number | string = NO_STEP) => ({
    input: { title, runStepId: String(runStepId) },
  });
  const titles = () => context.sandbox.data.issues.all().map(({ title }) => title);
  const items = () => editor.page.locator('#ion-config-outbox-rejected-writes li');
  const editButton = (at: number) =>
    items()
      .nth(at)
      .getByRole('button', { name: /^Edit and retry: / });
  const code = () =>
    editor.page.evaluate((selector) => {
      const isIn = document.querySelector(selector);
      const editors = monaco.editor.getEditors();
      return editors.find((each) => isIn?.contains(each.getDomNode()))?.getValue();
    }, CODE);
  const openEdit = async (at: number) => {
    await editButton(at).click();
    await editor.page.locator(`${CODE} .monaco-editor.focused`).waitFor();
  };
  const replaceCode = async (text: string) => {
    await editor.page.keyboard.press('ControlOrMeta+a');
    await editor.page.keyboard.press('Delete');
    await editor.page.keyboard.insertText(text);
  };
  const save = () => editor.page.click('#ion-config-outbox-edit-retry');
  const problemSays = (text: RegExp) =>
    editor.page.locator('#ion-config-outbox-edit-problem').filter({ hasText: text }).waitFor();
  const untilListed = (text: string | RegExp) => items().filter({ hasText: text }).waitFor();

  it('shows both kinds in the same way: what, order key, node, values, age and reason', async () => {
    await reject('unnamed', issue('third'), 3);
    await editor.page.click('#ion-config-outbox-refresh');
    await items().nth(2).waitFor();
    const shown = await items().evaluateAll((all) =>
      all.map((item) =>
        ['what span', 'sender', 'value'].map(
          (part) => item.querySelector(`.ion-config-outbox-${part}`)?.textContent?.trim() ?? '',
        ),
      ),
    );
    const input = (title: string) => `{ input: { title: "${title}", runStepId: "${NO_STEP}" } }`;
    assert.deepEqual(shown, [
      ['Mutation CreateIssue · order key line 4', 'Report a defect', input('a scratch')],
      [`Value · field ${field}`, 'ion step', '"12,5"'],
      ['Mutation CreateIssue', 'ion graphql', input('third')],
    ]);
    for (const text of await items().allTextContents()) {
      assert.match(text, /\d+:\d\d:\d\d.* · \d+ ?[sm]\w*\.? ago.*rejected .*ION_[A-Z_]+: ./);
    }
    await reject('issue', issue('second of its key'), 4);
  });

  it('shows the age of a write that waited for long, and the node of one that is gone', async () => {
    const { page } = editor;
    const route = '**/ion-config/config/outbox';
    const now = Date.now();
    const write = { action: 'graphql', target: {}, operation: 'CreateIssue', value: '{  }' };
    const error = { code: 'ION_GRAPHQL', message: 'No.' };
    const ages = [-5000, 90_000, 3.5 * 3_600_000, 50 * 3_600_000];
    const refused = ages.map((age, at) => {
      const times = { acceptedAt: now - age, givenUpAt: now };
      return { ...write, ...times, sequence: at + 1, error, sender: 'gone' };
    });
    await page.route(route, (call) => call.fulfill({ json: { waiting: 0, givenUp: 4, refused } }));
    try {
      await page.click('#ion-config-outbox-refresh');
      await items().nth(3).waitFor();
      const times = await items().locator('time').allTextContents();
      assert.deepEqual(
        times.map((text) => text.split(' · ')[1]),
        ['0 sec. ago', '1 min. ago', '3 hr. ago', '2 days ago'],
      );
      assert.match((await items().first().textContent()) ?? '', /node gone, which is not in this/);
    } finally {
      await page.unroute(route);
    }
  });

  it('leads to the node in the flow', async () => {
    const { page } = editor;
    await page.evaluate(() => RED.workspaces.show('other'));
    await items().first().locator('.ion-config-outbox-sender').click();
    await page.waitForFunction(() => RED.workspaces.active() === 'flow');
    const selected = await page.evaluate(() => RED.view.selection().nodes?.map(({ id }) => id));
    assert.deepEqual(selected, ['issue']);
    assert.equal(await page.isVisible('#ion-config-outbox-writes'), true);
  });

  it('delivers a mutation with corrected variables, after wrong ones that nothing was sent for', async () => {
    await openEdit(0);
    assert.equal(await code(), JSON.stringify(issue('a scratch'), null, 2));
    await replaceCode('{ "input": ');
    await save();
    await problemSays(/^This is not valid JSON: /);
    await replaceCode('[1]');
    await save();
    await problemSays(/^ION_VARIABLES: The variables must be an object/);
    assert.equal((await state()).givenUp, 2);
    await replaceCode(JSON.stringify(issue('a dent', step)));
    await save();
    await editor.page.locator(PANEL).waitFor({ state: 'hidden' });
    await until(async () => titles().includes('a dent'));
    assert.ok(!titles().includes('a scratch'));
    await items().nth(1).waitFor({ state: 'detached' });
    await untilListed(/^Value · field/);
    assert.equal(
      await editor.page.getAttribute('#ion-config-outbox-refresh:focus', 'disabled'),
      null,
    );
  });

  it('delivers a corrected value', async () => {
    await openEdit(1);
    assert.equal(await code(), '"12,5"');
    await replaceCode('12.5');
    await save();
    await until(async () => context.sandbox.data.runStepFields.get(field)?.value === 12.5);
    await editor.page.locator(PANEL).waitFor({ state: 'hidden' });
  });

  it('shows a corrected write with its new variables if ION rejects it again', async () => {
    await openEdit(0);
    await replaceCode(JSON.stringify(issue('still wrong')));
    await save();
    await untilListed(/still wrong.*Retried, and rejected again\./);
    assert.equal((await state()).givenUp, 2);
  });

  for (const [way, leave] of [
    ['Cancel', () => editor.page.click('#ion-config-outbox-edit-cancel')],
    ['Escape', () => editor.page.keyboard.press('Escape')],
    ['closing the dialog', undefined],
  ] as const) {
    it(`keeps a write as it was after ${way}`, async () => {
      const { page } = editor;
      await openEdit(0);
      await replaceCode('{ "input": {} }');
      if (leave) {
        await leave();
        await page.locator(PANEL).waitFor({ state: 'hidden' });
        await page.waitForFunction(() =>
          document.activeElement?.matches('[data-sequence] .ion-config-outbox-edit'),
        );
      } else {
        await page.click('#node-config-dialog-cancel');
        await page.waitForSelector('#node-config-dialog-cancel', { state: 'detached' });
        await editor.editConfig('ion-config', 'config');
        await items().nth(1).waitFor();
        assert.equal(await page.isVisible(PANEL), false);
      }
      await openEdit(0);
      assert.equal(await code(), JSON.stringify(issue('a scratch'), null, 2));
      assert.equal((await state()).givenUp, 2);
    });
  }

  it('works with the keyboard only', async () => {
    const { page } = editor;
    await editButton(0).focus();
    await page.keyboard.press('Enter');
    await page.locator(`${CODE} .monaco-editor.focused`).waitFor();
    await replaceCode(JSON.stringify(issue('by keyboard', step)));
    await page.keyboard.press('Tab');
    await page.waitForSelector('#ion-config-outbox-edit-retry:focus');
    await page.keyboard.press('Tab');
    await page.waitForSelector('#ion-config-outbox-edit-cancel:focus');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await until(async () => titles().includes('by keyboard'));
    await page.waitForSelector('#ion-config-outbox-refresh:focus');
  });

  it('says that somebody else has decided, before and after the correction', async () => {
    const { page } = editor;
    await openEdit(0);
    await post('ion-config/config/outbox', { decision: 'discard', sequences: 'all' });
    await replaceCode(JSON.stringify(issue('too late', step)));
    await save();
    await problemSays(/^ION_NOT_FOUND: This write is no longer rejected/);
    await page.click('#ion-config-outbox-edit-cancel');
    await page.locator('#ion-config-outbox-state', { hasText: 'The outbox is empty.' }).waitFor();
    await page.waitForSelector('#ion-config-outbox-refresh:focus');
    await reject('issue', issue('a scratch'), 1);
    await page.click('#ion-config-outbox-refresh');
    await items().first().waitFor();
    await post('ion-config/config/outbox', { decision: 'discard', sequences: 'all' });
    await editButton(0).click();
    await problemSays(/^ION_NOT_FOUND: This write is no longer rejected/);
    assert.equal(await page.isVisible('#ion-config-outbox-edit-retry'), false);
    await page.waitForSelector('#ion-config-outbox-edit-cancel:focus');
    await page.keyboard.press('Enter');
    await page.locator('#ion-config-outbox-state', { hasText: 'The outbox is empty.' }).waitFor();
    assert.ok(!titles().includes('too late'));
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`has no barrier that axe-core finds, ${theme}`, async () => {
      const { page } = editor;
      await prepareBarriers(page, theme);
      assert.deepEqual(await barriers(page), []);
      await openEdit(0);
      await replaceCode('{ "input": ');
      await save();
      await problemSays(/JSON/);
      assert.deepEqual(await barriers(page), []);
    });
  }
});
