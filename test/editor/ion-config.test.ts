import assert from 'node:assert/strict';
import {
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
import { until } from '../support/until.js';

/** The editor, inside the page. */
declare const RED: { nodes: { node(id: string): { credentials?: Record<string, unknown> } } };

describe('the ion-config dialog in a browser', () => {
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
      sandboxConfig(context.sandbox, { id: 'traced', name: 'with traces' }),
      sandboxConfig(context.sandbox, { id: 'numbers', timeout: '${ION_TIMEOUT}', retries: 5 }),
      ...writingFlow(),
    ];
    const key = { clientId, clientSecret };
    await prepareUserDir(folder.path, flow, { config: key, deleted: key });
    nodeRed = await RunningNodeRed.startForEditor(folder.path);
    editor = await Editor.open(this, nodeRed.url);
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(editor.errors, []));

  /** POST /write adds a write to the outbox of the config node. */
  const writingFlow = (): FlowNode[] => {
    const place = { z: 'flow', x: 600, y: 100 };
    const from = (name: string) => ({ [name]: `payload.${name}`, [`${name}Type`]: 'msg' });
    return [
      {
        id: 'in',
        type: 'http in',
        ...place,
        url: '/write',
        method: 'post',
        wires: [['write', 'out']],
      },
      { id: 'out', type: 'http response', ...place, y: 200, wires: [] },
      {
        ...{ ...stepNode, ...place, id: 'write', y: 300 },
        ...{ ...from('run'), ...from('step'), ...from('field'), ...from('value') },
        ...{ delivery: 'outbox', outputs: 2, wires: [[], []] },
      },
    ];
  };

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

  describe('its numbers', () => {
    it('have limits and defaults, and reject values beyond them', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'config');
      await page.click('#ion-config-advanced summary');
      const attributes = (name: string) =>
        Promise.all(
          ['min', 'max', 'step', 'placeholder'].map((each) => page.getAttribute(field(name), each)),
        );
      assert.deepEqual(await attributes('timeout'), ['0.1', '3600', 'any', '30']);
      assert.deepEqual(await attributes('concurrency'), ['1', '1000', '1', '10']);
      for (const beyond of ['9999999', '0', '-1']) {
        await page.fill(field('timeout'), beyond);
        await page.press(field('timeout'), 'Tab');
        await page.waitForSelector(`${field('timeout')}.input-error`);
        await page.fill(field('timeout'), '3600');
        await page.press(field('timeout'), 'Tab');
        await page.waitForSelector(`${field('timeout')}:not(.input-error)`);
      }
      await cancel();
    });

    it('may come from an environment variable, which the dialog keeps', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'numbers');
      assert.equal(await page.inputValue(field('timeout')), '${ION_TIMEOUT}');
      assert.equal(await page.isVisible(field('timeout')), true);
      await page.fill(field('retries'), '4');
      await editor.doneConfig();
      assert.equal(await editor.property('numbers', 'timeout'), '${ION_TIMEOUT}');
      assert.equal(await editor.property('numbers', 'retries'), '4');
    });
  });

  describe('its monitoring', () => {
    it('has limits that are shown once they differ from the defaults', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'numbers');
      assert.equal(await page.isVisible(field('healthAge')), false);
      await page.click('#ion-config-monitoring summary');
      assert.equal(await page.inputValue(field('healthAge')), '15');
      assert.equal(await page.inputValue(field('healthRejected')), '0');
      await page.fill(field('healthRejected'), '0.5');
      await page.press(field('healthRejected'), 'Tab');
      await page.waitForSelector(`${field('healthRejected')}.input-error`);
      await page.fill(field('healthRejected'), '10');
      await page.fill(field('healthAge'), '');
      await editor.doneConfig();
      assert.equal(await editor.property('numbers', 'healthRejected'), '10');
      await editor.editConfig('ion-config', 'numbers');
      assert.equal(await page.isVisible(field('healthRejected')), true);
      await cancel();
    });
  });

  describe('of a deployed configuration', () => {
    beforeEach(() => editor.editConfig('ion-config', 'config'));
    afterEach(cancel);

    it('shows whose key is stored', async () => {
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

    it('shows the result over the whole width of the dialog', async () => {
      await editor.page.fill(field('clientSecret'), 'another-secret');
      await test();
      await resultSays('ION_AUTH: The auth server');
      const [result, dialog] = await Promise.all(
        ['#ion-config-test-result', '.ion-config-dialog'].map((selector) =>
          editor.page.locator(selector).boundingBox(),
        ),
      );
      assert.ok(result && dialog);
      assert.deepEqual([result.x, result.width], [dialog.x, dialog.width]);
    });

    it('does not send the stored secret elsewhere', async () => {
      await editor.page.fill(field('authUrl'), context.sandbox.foreignAuthUrl);
      await test();
      await resultSays('only sent to the deployed URLs');
      assert.equal(context.sandbox.control.counters().token.total, 0);
    });

    it('says that ION accepts only a bearer token', async () => {
      context.sandbox.control.set({ authScheme: 'bearer' });
      assert.equal(await editor.page.inputValue(field('authScheme')), 'auto');
      await test();
      await resultSays('Connected as Sandbox Service Account');
      await resultSays('ION accepts only a bearer token (Authorization: Bearer …).');
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

    it('can be tested with the keyboard only', async () => {
      const { page } = editor;
      await page.focus(field('clientSecret'));
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await resultSays('Connected');
      await page.waitForSelector('#ion-config-test:focus');
      await page.keyboard.press('Tab');
      await page.waitForSelector('#ion-config-check:focus');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await page.isVisible(field('timeout')), true);
    });
  });

  describe('when it closes', () => {
    it('keeps the mode, and the label of the configuration names a dry run', async () => {
      const { page } = editor;
      const chosen = () => page.textContent('#node-input-config option:checked');
      await editor.editConfig('ion-config', 'config');
      assert.equal(await page.inputValue(field('mode')), 'live');
      const options = await page.$$eval(`${field('mode')} option`, (all) =>
        all.map(({ textContent }) => textContent),
      );
      assert.deepEqual(options, ['live', 'dry run: no writes']);
      await page.selectOption(field('mode'), 'dryRun');
      await editor.doneConfig();
      assert.equal(await editor.property('config', 'mode'), 'dryRun');
      await editor.edit('node');
      assert.equal(await chosen(), 'ION · dry run');
      await editor.cancel();
      await editor.editConfig('ion-config', 'config');
      await page.selectOption(field('mode'), 'live');
      await editor.doneConfig();
      await editor.edit('node');
      assert.equal(await chosen(), 'ION');
      await editor.cancel();
    });

    it('keeps its values and its secret, and then shows the rarely used rows that are in use', async () => {
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

    it('keeps the choice of new traces, and then shows the rarely used rows', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'traced');
      assert.equal(await page.isVisible(field('trace')), false);
      await page.click('#ion-config-advanced summary');
      assert.equal(await page.isChecked(field('trace')), false);
      await page.check(field('trace'));
      await editor.doneConfig();
      assert.equal(await editor.property('traced', 'trace'), true);
      await editor.editConfig('ion-config', 'traced');
      assert.equal(await page.isChecked(field('trace')), true);
      assert.equal(await page.isVisible(field('trace')), true);
      await cancel();
    });

    it('keeps the choice of a log of writes, and then shows its section', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'traced');
      assert.equal(await page.isVisible(field('audit')), false);
      await page.click('#ion-config-monitoring summary');
      await page.check(field('audit'));
      await editor.doneConfig();
      assert.equal(await editor.property('traced', 'audit'), true);
      await editor.editConfig('ion-config', 'traced');
      assert.equal(await page.isVisible(field('audit')), true);
      assert.equal(await page.isChecked(field('audit')), true);
      await cancel();
    });

    it('keeps a time zone, which is offered by name and has to be valid', async () => {
      const { page } = editor;
      await editor.editConfig('ion-config', 'config');
      if (!(await page.isVisible(field('timeZone')))) {
        await page.click('#ion-config-advanced summary');
      }
      assert.equal(await page.inputValue(field('timeZone')), '');
      const names = await page.$$eval('#ion-config-time-zones option', (options) =>
        options.map((option) => option.getAttribute('value')),
      );
      for (const name of ['UTC', 'Europe/Berlin', 'Asia/Tokyo']) assert.ok(names.includes(name));
      await page.fill(field('timeZone'), 'Europe/Atlantis');
      await page.press(field('timeZone'), 'Tab');
      await page.waitForSelector(`${field('timeZone')}.input-error`);
      for (const value of ['', 'UTC', '${PLANT_ZONE}', 'Europe/Berlin']) {
        await page.fill(field('timeZone'), value);
        await page.press(field('timeZone'), 'Tab');
        await page.waitForSelector(`${field('timeZone')}:not(.input-error)`);
      }
      await editor.doneConfig();
      assert.equal(await editor.property('config', 'timeZone'), 'Europe/Berlin');
      await editor.editConfig('ion-config', 'config');
      assert.equal(await page.isVisible(field('timeZone')), true);
      await page.fill(field('timeZone'), '');
      await editor.doneConfig();
    });

    it('ends a test in progress', async () => {
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
      await editor.configIsOpen();
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
      assert.equal(await page.inputValue(field('authScheme')), 'auto');
      await editor.doneConfig();
      const id = await page.inputValue('#node-input-config');
      assert.equal(await editor.property(id, 'apiUrl'), url);
      assert.equal(await editor.property(id, 'authScheme'), 'auto');
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
      ['deleted in the editor', 'deleted', /^no schema: /, /no longer exists|Select an ION/],
    ] as const) {
      it(`opens, works and reports a configuration that is ${what}`, async () => {
        const { page } = editor;
        if (config === 'deleted') {
          await editor.editConfig('ion-config', config);
          await page.click('.red-ui-tray-toolbar .leftButton');
          await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
        }
        for (const [type, status, text] of [
          ['graphql', '#ion-graphql-schema', graphqlSays],
          ['runs', '#ion-query-schema', runsSays],
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

  describe('with an outbox', () => {
    let target: { run: number; step: string; field: string };
    let fieldId: number;

    before(() => {
      const { data } = context.sandbox;
      const found = data.runStepFields
        .all()
        .find(
          ({ type, runStepId }) =>
            type === 'NUMBER' && data.runSteps.get(runStepId)?.status === 'IN_PROGRESS',
        );
      const step = found && data.runSteps.get(found.runStepId);
      assert.ok(found && step);
      fieldId = found.id;
      target = { run: step.runId, step: step.title, field: found.name };
    });

    const outbox = async () =>
      (await (await fetch(`${nodeRed.url}/ion-config/config/outbox`)).json()) as {
        waiting: number;
        givenUp: number;
        unreachableSince?: number;
      };
    const write = async (values: object) => {
      const response = await fetch(`${nodeRed.url}/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...target, ...values }),
      });
      assert.equal(response.status, 200);
    };
    /** Waits until nothing is pending, and this many writes are rejected. */
    const untilGivenUp = (count: number) =>
      until(async () => {
        const { waiting, givenUp } = await outbox();
        return waiting === 0 && givenUp === count;
      });
    const discardAll = async () => {
      const response = await fetch(`${nodeRed.url}/ion-config/config/outbox`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ decision: 'discard', sequences: 'all' }),
      });
      assert.equal(response.status, 200);
    };
    const open = () => editor.editConfig('ion-config', 'config');
    const says = (text: string | RegExp, id = 'state') =>
      editor.page.locator(`#ion-config-outbox-${id}`).filter({ hasText: text }).waitFor();
    const refresh = () => editor.page.click('#ion-config-outbox-refresh');
    const entries = () => editor.page.locator('#ion-config-outbox-rejected-writes li');
    const untilListed = (count: number) =>
      editor.page.waitForFunction(
        (count) =>
          document.querySelectorAll('#ion-config-outbox-rejected-writes li').length === count,
        count,
      );
    const press = (name: string, index = 0) =>
      entries()
        .nth(index)
        .getByRole('button', { name: new RegExp(`^${name}: `) })
        .click();
    const answer = async (button: string) => {
      const question = editor.page.locator('.red-ui-notification');
      await question.getByRole('button', { name: button }).click();
      await question.waitFor({ state: 'detached' });
    };

    it('has limits, and says that nothing is pending', async () => {
      const { page } = editor;
      await open();
      assert.equal(await page.isVisible(field('outboxLimit')), false);
      await page.click('#ion-config-outbox summary');
      await says('The outbox is empty.');
      assert.equal(await page.isVisible('#ion-config-outbox-rejected'), false);
      for (const name of ['outboxLimit', 'outboxSize']) {
        await page.fill(field(name), '0');
        await page.press(field(name), 'Tab');
        await page.waitForSelector(`${field(name)}.input-error`);
        await page.fill(field(name), '500');
        await page.press(field(name), 'Tab');
        await page.waitForSelector(`${field(name)}:not(.input-error)`);
      }
      await editor.doneConfig();
      assert.equal(await editor.property('config', 'outboxLimit'), '500');
      assert.equal(await editor.property('config', 'outboxSize'), '500');
      await open();
      assert.equal(await page.isVisible(field('outboxSize')), true);
      await cancel();
    });

    it('has the defaults in a new configuration, and no state before it is deployed', async () => {
      const { page } = editor;
      await editor.edit('node');
      await page.click('#node-input-btn-config-add');
      await editor.configIsOpen();
      assert.equal(await page.inputValue(field('outboxLimit')), '1000000');
      assert.equal(await page.inputValue(field('outboxSize')), '1024');
      await page.click('#ion-config-outbox summary');
      await says('not deployed yet');
      await cancel();
      await editor.cancel();
    });

    it('lists rejected writes, with the reasons', async () => {
      await write({ value: '12,5' });
      await write({ value: '<b>12</b>', step: '<i>none</i>' });
      await untilGivenUp(2);
      await open();
      await untilListed(2);
      await says('0 pending, 2 rejected');
      const [first = '', second = ''] = await entries().allTextContents();
      const { run, step, field } = target;
      assert.ok(first.startsWith(`Value · run ${run} · step ${step} · field ${field}`), first);
      assert.match(
        first,
        /ION_VARIABLES: The field .* takes a number such as 12\.5, not the text "12,5"/,
      );
      assert.match(first, /\d+:\d\d/);
      assert.deepEqual(await entries().locator('.ion-config-outbox-value').allTextContents(), [
        '"12,5"',
        '"<b>12</b>"',
      ]);
      assert.match(second, /step <i>none<\/i>.*ION_NOT_FOUND: There is no step/);
      assert.equal(await entries().locator('b, i:not(.fa)').count(), 0);
      await cancel();
    });

    it('retries one, which is rejected again after the others', async () => {
      await open();
      await press('Retry');
      // Without the button Refresh.
      await editor.page.waitForFunction(() => {
        const [first] = document.querySelectorAll('#ion-config-outbox-rejected-writes li');
        return first?.textContent?.includes('ION_NOT_FOUND');
      });
      await says('0 pending, 2 rejected');
      await untilListed(2);
      const [first = '', last = ''] = await entries().allTextContents();
      assert.match(first, /ION_NOT_FOUND/);
      assert.doesNotMatch(first, /again/);
      assert.match(last, /Retried, and rejected again\./);
      await cancel();
    });

    it('discards one after confirmation', async () => {
      await open();
      await press('Discard');
      await editor.page
        .getByText('Discard 1 write? It is deleted and never reaches ION.')
        .waitFor();
      const question = editor.page.locator('.red-ui-notification');
      assert.deepEqual(await question.locator('button').allTextContents(), ['Cancel', 'Discard']);
      await answer('Cancel');
      assert.equal((await outbox()).givenUp, 2);
      await press('Discard');
      await answer('Discard');
      await untilListed(1);
      await says('0 pending, 1 rejected');
      assert.equal((await outbox()).givenUp, 1);
      // The pressed button is gone.
      await editor.page.waitForSelector('#ion-config-outbox-refresh:focus');
      await cancel();
    });

    it('delivers all of them once ION accepts them', async () => {
      const { data } = context.sandbox;
      data.runStepFields.update(fieldId, { type: 'STRING' });
      await open();
      await editor.page.click('#ion-config-outbox-retry-all');
      await says('The outbox is empty.');
      assert.equal(data.runStepFields.get(fieldId)?.value, '12,5');
      await cancel();
      data.runStepFields.update(fieldId, { type: 'NUMBER', value: null });
    });

    it('discards all of them, and only those that were shown', async () => {
      await write({ step: 'none' });
      await write({ step: 'none' });
      await untilGivenUp(2);
      await open();
      await untilListed(2);
      await write({ step: 'unseen' });
      await untilGivenUp(3);
      await editor.page.click('#ion-config-outbox-discard-all');
      await editor.page.getByText('Discard 2 writes?').waitFor();
      await answer('Discard');
      await untilListed(1);
      assert.match((await entries().first().textContent()) ?? '', /unseen/);
      await editor.page.click('#ion-config-outbox-discard-all');
      await answer('Discard');
      await says('The outbox is empty.');
      await cancel();
    });

    it('shows a write that fails while ION answers, with its reason, to be skipped or discarded', async () => {
      const { control } = context.sandbox;
      const fault = { kind: 'status', status: 500, body: 'A fault of its own.' } as const;
      control.fault({ target: 'api', times: 1e6, match: '665\\.75', ...fault });
      const { page } = editor;
      const failing = page.locator('#ion-config-outbox-failing-writes li');
      const isShown = async () => {
        const response = await fetch(`${nodeRed.url}/ion-config/config/outbox`);
        return ((await response.json()) as { failing: unknown[] }).failing.length > 0;
      };
      const before = (await outbox()).givenUp;
      for (const [button, givenUp] of [
        ['Skip', before + 1],
        ['Discard', before + 1],
      ] as const) {
        await write({ value: 665.75 });
        await write({ value: 5 });
        await until(isShown);
        await open();
        await failing
          .filter({ hasText: /A fault of its own.*Attempts since .*: \d+\. / })
          .waitFor();
        assert.equal(await page.isVisible('#ion-config-outbox-outage'), false);
        await failing.getByRole('button', { name: button }).click();
        if (button === 'Discard') await answer('Discard');
        await failing.waitFor({ state: 'detached' });
        await untilGivenUp(givenUp);
        await cancel();
      }
      assert.equal(context.sandbox.data.runStepFields.get(fieldId)?.value, 5);
      control.clearFaults();
      await discardAll();
    });

    for (const [what, begin, text, reason] of [
      [
        'ION has been unreachable',
        () => context.sandbox.control.fault({ target: 'api', kind: 'reset', times: 1000 }),
        'ION has been unreachable since',
        'connection',
      ],
      [
        'writes wait, if ION responds with errors',
        () =>
          context.sandbox.control.fault({
            target: 'api',
            kind: 'status',
            status: 500,
            times: 1000,
          }),
        'Writes have been waiting since',
        '500',
      ],
      [
        'writes wait, if the auth server refuses the API key',
        () => context.sandbox.control.set({ keyEnabled: false, tokenLifetime: 1 }),
        'Writes have been waiting since',
        'refused the API key',
      ],
    ] as const) {
      it(`says since when ${what}, and why`, async () => {
        const { control, data } = context.sandbox;
        begin();
        control.revokeTokens();
        const others = data.runs.all().slice(0, 3);
        for (const { id } of others) await write({ run: id, value: 11 });
        await until(async () => (await outbox()).unreachableSince !== undefined);
        await open();
        await says('3 pending, 0 rejected');
        await says(text, 'outage');
        await says(reason, 'outage');
        await says(/Next attempt: .*\d+:\d\d|Retrying now\./, 'outage');
        await cancel();
        control.clearFaults();
        control.set({ keyEnabled: true, tokenLifetime: 300 });
        await until(async () => (await outbox()).waiting === 0);
        await discardAll();
      });
    }

    it('decides about all if more were rejected than are shown', async () => {
      const { page } = editor;
      const route = '**/ion-config/config/outbox';
      const refused = [
        {
          ...{ sequence: 1, action: 'file', target: { run: 1, step: 2 }, filename: 'report.pdf' },
          ...{ givenUpAt: 1, error: { code: 'ION_GRAPHQL', message: 'No.' } },
        },
      ];
      await page.route(route, (call) =>
        call.fulfill({ json: { waiting: 0, givenUp: 150, refused } }),
      );
      await open();
      await says('Only the oldest 1 are shown.', 'more');
      assert.match(
        (await entries().first().textContent()) ?? '',
        /^File report\.pdf · run 1 · step 2/,
      );
      await page.click('#ion-config-outbox-discard-all');
      await page.getByText('Discard 150 writes?').waitFor();
      const asked = page.waitForRequest((request) => request.method() === 'POST');
      await answer('Discard');
      assert.deepEqual((await asked).postDataJSON(), { decision: 'discard', sequences: 'all' });
      await page.waitForSelector('#ion-config-outbox-refresh:enabled');
      await cancel();
      await page.unroute(route);
    });

    it('says why a machine can have none', async () => {
      const { page } = editor;
      const route = '**/ion-config/config/outbox';
      const problem = 'The outbox needs the package classic-level.';
      await page.route(route, (call) =>
        call.fulfill({ json: { waiting: 0, givenUp: 0, refused: [], problem } }),
      );
      await open();
      await says(problem);
      await page.unroute(route);
      await cancel();
    });

    it('says that its state cannot be read, and reads it again', async () => {
      const { page } = editor;
      const route = '**/ion-config/config/outbox';
      await page.route(route, (call) =>
        call.fulfill({ status: 502, json: { code: 'ION_CONFIG', message: 'In use elsewhere.' } }),
      );
      await open();
      await says('ION_CONFIG: In use elsewhere.');
      await page.unroute(route);
      await refresh();
      await says('The outbox is empty.');
      await cancel();
    });
  });
});
