import assert from 'node:assert/strict';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { Editor } from '../support/editor.js';
import { graphqlNode, runsNode, sandboxConfig } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { useTemporaryFolder } from '../support/package.js';
import { useSandbox } from '../support/sandbox.js';

/** The editor, inside the page. */
declare const RED: { nodes: { node(id: string): { credentials?: Record<string, unknown> } } };

describe('the ion-config dialog in a browser', function () {
  this.timeout(60_000);
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let editor: Editor;

  before(async function () {
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { name: 'ION' }),
      { ...graphqlNode, z: 'flow', x: 200, y: 100, wires: [] },
      sandboxConfig(context.sandbox, { id: 'disabled', name: 'off', d: true }),
      ...['disabled', 'gone', 'deleted'].flatMap((config, index) => [
        { ...graphqlNode, id: `graphql-${config}`, z: 'flow', x: 200, y: 200 + 60 * index, config },
        { ...runsNode, id: `runs-${config}`, z: 'flow', x: 400, y: 200 + 60 * index, config },
      ]),
      sandboxConfig(context.sandbox, { id: 'deleted', name: 'soon gone' }),
    ];
    const key = { clientId, clientSecret };
    await prepareUserDir(folder.path, flow, { config: key, deleted: key });
    nodeRed = await RunningNodeRed.start(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  const field = (name: string) => `#node-config-input-${name}`;
  const test = () => editor.page.click('#ion-config-test');
  const resultSays = (text: string) =>
    editor.page.waitForFunction(
      (wanted) => document.querySelector('#ion-config-test-result')?.textContent?.includes(wanted),
      text,
    );
  const cancel = async () => {
    await editor.page.click('#node-config-dialog-cancel');
    await editor.page.waitForSelector('#node-config-dialog-cancel', { state: 'detached' });
  };

  describe('of a deployed configuration', () => {
    beforeEach(() => editor.editConfig('ion-config', 'config'));
    afterEach(cancel);

    it('tells whose key is stored', async () => {
      await test();
      await resultSays('Connected as Sandbox Service Account');
      await resultSays('example.test');
      assert.equal(await editor.page.isEnabled('#ion-config-test'), true);
    });

    it('says with its code why a key does not work', async () => {
      await editor.page.fill(field('clientSecret'), 'another-secret');
      await test();
      await resultSays('ION_AUTH: The auth server');
    });

    it('does not send the stored secret elsewhere', async () => {
      await editor.page.fill(field('authUrl'), context.sandbox.foreignAuthUrl);
      await test();
      await resultSays('only sent to the URLs that are deployed');
      assert.equal(context.sandbox.control.counters().token.total, 0);
    });

    it('forgets the result when a value changes', async () => {
      await test();
      await resultSays('Connected');
      await editor.page.fill(field('clientId'), 'another');
      assert.equal(await editor.page.textContent('#ion-config-test-result'), '');
    });

    it('shows the rarely used rows on request', async () => {
      assert.equal(await editor.page.isVisible(field('timeout')), false);
      await editor.page.click('#ion-config-advanced summary');
      assert.equal(await editor.page.isVisible(field('timeout')), true);
    });

    it('can be tested by keys only', async () => {
      const { page } = editor;
      await page.focus(field('clientSecret'));
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await resultSays('Connected');
      await page.waitForSelector('#ion-config-test:focus');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await page.isVisible(field('timeout')), true);
    });
  });

  describe('when it closes', () => {
    it('keeps its values and its secret, and afterwards shows the rarely used rows where they are used', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'config');
      await page.click('#ion-config-advanced summary');
      await page.fill(field('timeout'), '12.5');
      await page.selectOption(field('authScheme'), 'bearer');
      await test();
      await resultSays('Connected');
      await editor.doneConfig();
      assert.equal(await editor.property('config', 'timeout'), '12.5');
      assert.equal(await editor.property('config', 'authScheme'), 'bearer');
      const { clientId } = context.sandbox;
      const credentials = await page.evaluate(() => RED.nodes.node('config').credentials);
      assert.equal(credentials?.clientId, clientId);
      assert.equal(credentials?.has_clientSecret, true);
      assert.ok(!JSON.stringify(credentials).includes(context.sandbox.clientSecret));
      await editor.editConfig('ion-config', 'config');
      assert.equal(await page.isVisible(field('timeout')), true);
      assert.equal(await page.inputValue(field('clientSecret')), '__PWRD__');
      await test();
      await resultSays('Connected');
      await cancel();
    });

    it('ends a test under way', async () => {
      const { control } = context.sandbox;
      control.fault({ target: 'token', kind: 'hang' });
      await editor.editConfig('ion-config', 'config');
      await test();
      await editor.page.waitForSelector('#ion-config-test:disabled');
      const aborted = editor.page.waitForEvent('requestfailed');
      await cancel();
      assert.match((await aborted).url(), /ion-config\/test$/);
    });

    it('tests a configuration that is not deployed yet, and stores nothing but its values', async () => {
      const { page } = editor;
      const { url, authUrl, clientId, clientSecret } = context.sandbox;
      await editor.edit('node');
      await page.click('#node-input-btn-config-add');
      await page.waitForSelector('#node-config-dialog-ok');
      await page.selectOption(field('environment'), 'custom');
      for (const [name, value] of Object.entries({
        apiUrl: url,
        authUrl,
        clientId,
        clientSecret,
      })) {
        await page.fill(field(name), value);
      }
      await test();
      await resultSays('Connected as Sandbox Service Account');
      await editor.doneConfig();
      const id = await page.inputValue('#node-input-config');
      assert.equal(await editor.property(id, 'apiUrl'), url);
      await editor.cancel();
    });
  });

  describe('of another node', () => {
    const says = (selector: string, text: RegExp) =>
      editor.page.waitForFunction(
        ([selector, source]) =>
          new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
        [selector, text.source] as const,
      );

    for (const [what, config, graphqlSays, runsSays] of [
      ['disabled', 'disabled', /^no schema: .*disabled/, /disabled/],
      ['missing', 'gone', /^no schema: /, /no longer exists/],
      ['deleted in the editor', 'deleted', /^no schema: /, /no longer exists|Choose an ION/],
    ] as const) {
      it(`opens, works and says it where the configuration is ${what}`, async () => {
        const { page } = editor;
        if (config === 'deleted') {
          await editor.editConfig('ion-config', config);
          await page.click('.red-ui-tray-toolbar .leftButton');
          await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
        }
        for (const [type, status, text] of [
          ['graphql', '#ion-graphql-schema', graphqlSays],
          ['runs', '#ion-runs-schema', runsSays],
        ] as const) {
          const id = `${type}-${config}`;
          await editor.edit(id);
          await says(status, text);
          if (config !== 'disabled') {
            await page.waitForSelector('select#node-input-config.input-error');
          }
          await page.selectOption('#node-input-config', 'config');
          await page.fill('#node-input-name', 'found another');
          await editor.done();
          assert.equal(await editor.property(id, 'config'), 'config');
          assert.equal(await editor.property(id, 'name'), 'found another');
        }
      });
    }
  });
});
