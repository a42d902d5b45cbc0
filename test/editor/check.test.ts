import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { Editor } from '../support/editor.js';
import { useSandbox } from '../support/sandbox.js';

declare global {
  interface Window {
    /** Texts that the page wrote to the clipboard. */
    copied: string[];
  }
}
/** The editor, inside the page. */
declare const RED: { clipboard: { copyText(text: string): boolean } };

describe('"Check everything" in the dialog of ion-config', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const place = { z: 'flow', x: 200, y: 100, wires: [] };
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'ION' }),
      { ...graphqlNode, ...place, id: 'broken', name: 'colours', query: '{ me { colour } }' },
      { ...graphqlNode, ...place, id: 'open', queryType: 'msg' },
      { ...stepNode, ...place, id: 'step', name: 'torque' },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
  });
  after(() => nodeRed?.stop());

  const open = async (test: Mocha.Context, locale = 'en-US') => {
    editor = await Editor.open(test, nodeRed.url, { locale });
    await editor.page.setViewportSize({ width: 1280, height: 720 });
    await editor.page.evaluate(() => {
      window.copied = [];
      RED.clipboard.copyText = (text) => window.copied.push(text) > 0;
    });
    await editor.editConfig('ion-config', 'config');
  };
  const permitNothing = () => context.sandbox.control.set({ permissions: ['CreateRun'] });
  const check = async () => {
    await editor.page.click('#ion-config-check');
    await editor.page.waitForSelector('.ion-check-list li');
  };
  const lines = () => editor.page.locator('.ion-check-list li').allInnerTexts();

  afterEach(async () => {
    const errors = editor?.errors;
    await editor?.close();
    assert.deepEqual(errors, []);
  });

  it('shows what fails first, with the nodes and advice, and a sign for each state', async function () {
    await open(this);
    permitNothing();
    await check();
    const all = await lines();
    assert.match(
      String(all[0]),
      /^Permissions\s+The user lacks permissions: UpdateRunStepFieldValue/,
    );
    assert.match(String(all[0]), /Nodes: “torque” \(ion-step step\)/);
    assert.match(String(all[0]), /Add the permissions to a role/);
    assert.match(String(all[1]), /“colours” \(ion-graphql broken\)/);
    const states = await editor.page
      .locator('.ion-check-list li > i')
      .evaluateAll((icons) => icons.map((icon) => icon.getAttribute('aria-label')));
    assert.equal(states.length, all.length);
    const inOrder = ['Failed', 'Unknown', 'OK'].flatMap((state) =>
      states.filter((each) => each === state),
    );
    assert.deepEqual(states, inOrder);
    assert.deepEqual(new Set(states).size, 3);
    assert.doesNotMatch(all.join(), /__|finding|undefined|ion-config\./);
  });

  it('copies the result as text without secrets', async function () {
    await open(this);
    await check();
    await editor.page.click('.ion-check-head button');
    await editor.page.getByText('The result was copied as text.').waitFor();
    const [text = ''] = await editor.page.evaluate(() => window.copied);
    assert.match(text, /^Check of http:.*\/graphql, 20/);
    assert.match(text, /^\[Failed\] Operations of the nodes: This node will fail: /m);
    assert.match(text, /^\[OK\] Owner of the API key: Sandbox Service Account/m);
    assert.equal(text.match(/^\[/gm)?.length, (await lines()).length);
    assert.ok(!text.includes(context.sandbox.clientSecret));
    assert.doesNotMatch(text, /eyJ[\w-]{8,}/);
  });

  it('speaks German and Japanese', async function () {
    await open(this, 'de');
    await check();
    assert.match((await lines()).join('\n'), /Besitzer des API-Schlüssels/);
    await editor.close();
    await open(this, 'ja');
    await check();
    assert.match((await lines()).join('\n'), /APIキーのユーザ/);
  });

  it('fits into the dialog', async function () {
    await open(this);
    await check();
    const overflow = await editor.page.evaluate(
      () =>
        [...document.querySelectorAll('#ion-config-check-result *')].filter((each) => {
          const right = document.querySelector('.ion-config-dialog')?.getBoundingClientRect().right;
          return each.getBoundingClientRect().right > Number(right) + 1;
        }).length,
    );
    assert.equal(overflow, 0);
  });

  it('says why the values cannot be checked, and forgets the result when a value changes', async function () {
    await open(this);
    await check();
    await editor.page.fill('#node-config-input-apiUrl', 'http://127.0.0.1:9');
    assert.deepEqual(await lines(), []);
    await editor.page.click('#ion-config-check');
    await editor.page.getByText('ION_CONFIG: The stored client secret').waitFor();
    assert.equal(await editor.page.isEnabled('#ion-config-check'), true);
  });

  it('ends with the dialog', async function () {
    await open(this);
    context.sandbox.control.fault({ target: 'token', kind: 'hang' });
    const requested = editor.page.waitForRequest((request) => request.url().endsWith('/check'));
    await editor.page.click('#ion-config-check');
    const request = await requested;
    const ended = editor.page.waitForEvent('requestfailed', (each) => each === request);
    await editor.page.click('#node-config-dialog-cancel');
    await ended;
  });

  it('works with the keyboard only', async function () {
    await open(this);
    await editor.page.focus('#ion-config-check');
    await editor.page.keyboard.press('Enter');
    await editor.page.waitForSelector('.ion-check-list li');
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.press('Enter');
    await editor.page.getByText('The result was copied as text.').waitFor();
  });
});
