import assert from 'node:assert/strict';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { Editor } from '../support/editor.js';
import { graphqlNode, sandboxConfig } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { useTemporaryFolder } from '../support/package.js';
import { useSandbox } from '../support/sandbox.js';

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
    ];
    const key = { config: { clientId, clientSecret } };
    await prepareUserDir(folder.path, flow, key);
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

    it('shows the rarely used rows only where they are used', async () => {
      assert.equal(await editor.page.isVisible(field('timeout')), false);
      await editor.page.click('#ion-config-advanced summary');
      assert.equal(await editor.page.isVisible(field('timeout')), true);
    });
  });

  it('ends a test under way when it closes', async () => {
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
    for (const [name, value] of Object.entries({ apiUrl: url, authUrl, clientId, clientSecret })) {
      await page.fill(field(name), value);
    }
    await test();
    await resultSays('Connected as Sandbox Service Account');
    await editor.doneConfig();
    const id = await page.inputValue('#node-input-config');
    assert.equal(await editor.property(id, 'apiUrl'), url);
    await editor.cancel();
  });

  it('of nodes opens and says it where the configuration is missing or disabled', async () => {
    const { page } = editor;
    await page.evaluate(() => {
      const { nodes } = RED as unknown as {
        nodes: { node(id: string): { config: string; d?: boolean } };
      };
      nodes.node('node').config = 'gone';
    });
    await editor.edit('node');
    await page.waitForFunction(() =>
      document.querySelector('#ion-graphql-schema')?.textContent?.startsWith('no schema'),
    );
    await editor.cancel();
  });
});

/** The editor, inside the page. */
declare const RED: unknown;
