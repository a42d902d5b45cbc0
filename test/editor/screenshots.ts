// npm run screenshots: updates the pictures in docs/images with the installed Node-RED.
// The dark ones need Node-RED 5, which has a dark theme.
// Arguments: beginnings of file names, to save only these pictures.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { Random } from '../../sandbox/data/random.js';
import { addScanCases } from '../../sandbox/data/scan-cases.js';
import { tick } from '../../sandbox/live/simulation.js';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import type { EditorEvent } from '../../tools/comms.js';
import { exampleFlow, RunningExample } from '../../tools/example.js';
import { chromium } from '../../tools/find-tool.js';
import { lookupNode, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { closeBrowsers, openPage } from '../support/browser.js';
import { Editor } from '../support/editor.js';
import { StationPage } from '../support/station-page.js';

const images = join(root, 'docs', 'images');
const STEP = 'ion-demo-step';
const LOOKUP = 'ion-demo-lookup';
/** A code that a pattern finds, of a unit whose work is in progress. */
const CODE = 'SN-00013';
const ISSUE = JSON.stringify({
  ...{ attribute: 'External key', key: 'press-7/0815' },
  input: { title: 'Torque out of range' },
});
const wanted = process.argv.slice(2);
const isWanted = (name: string) =>
  wanted.length === 0 || wanted.some((beginning) => name.startsWith(beginning));

/** The editor and its code editor, inside the page. */
declare const RED: {
  sidebar: { show(name: string): void };
  settings: { version: string };
};
declare const monaco: { editor: { setTheme(name: string): void } };

async function main(): Promise<void> {
  const sandbox = await startSandbox({ port: 0 });
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-'));
  const { clientId, clientSecret, url, authUrl } = sandbox;
  const flow = JSON.parse(await readFile(join(root, 'demo/flow.json'), 'utf8'));
  // Below the visible part of the flow, to leave room for its dialog.
  const step = { ...stepNode, id: STEP, name: 'record values', z: 'ion-demo', x: 140, y: 2000 };
  flow.push({
    ...{ ...step, config: 'ion-demo-config', delivery: 'outbox', outputs: 2, wires: [[], []] },
    ...{
      run: 'cycle.run',
      step: 'Proof test',
      stepType: 'str',
      field: 'Pressure',
      fieldType: 'str',
    },
  });
  const lookup = { ...lookupNode, id: LOOKUP, name: 'scanned unit', config: 'ion-demo-config' };
  flow.push({ ...lookup, z: 'ion-demo', x: 140, y: 2100, wires: [[], []] });
  await prepareUserDir(userDir, flow, {
    'ion-demo-config': { clientId, clientSecret },
    'ion-demo-events-webhook': { secret: 'of the pictures' },
  });
  const ION_DEMO_URL = 'http://127.0.0.1:1880';
  const env = { ION_API_URL: url, ION_AUTH_URL: authUrl, ION_DEMO_URL };
  const nodeRed = await RunningNodeRed.startForEditor(userDir, { env });
  try {
    await take(nodeRed.url, 'light', 'en-US');
    await take(nodeRed.url, 'light', 'de');
    await take(nodeRed.url, 'dark', 'en-US');
    await takeChecks(nodeRed.url, sandbox);
    await takeSidebar(nodeRed.url, sandbox);
  } finally {
    await nodeRed.stop();
    await sandbox.close();
    await rm(userDir, { recursive: true, force: true });
  }
  if (isWanted('dashboard')) await takeDashboard();
  if (isWanted('station')) await takeStation();
  await closeBrowsers();
}

/** @returns whether this Node-RED has the theme */
async function setTheme(page: Page, theme: 'light' | 'dark'): Promise<boolean> {
  if (theme === 'light') return true;
  if (await page.evaluate(() => RED.settings.version.startsWith('4.'))) {
    console.log('Node-RED 4 has no dark theme: no dark pictures.');
    return false;
  }
  await page.evaluate(() => {
    document.documentElement.classList.add('nr-theme-dark');
    monaco.editor.setTheme('vs-dark');
  });
  return true;
}

/** The result of "Check everything" with an ION that differs from the documented one. */
async function takeChecks(url: string, { control, data }: Sandbox): Promise<void> {
  data.organizations.update(1, { settings: { rules: { enabled: true } } } as object);
  const before = { ...control.settings };
  control.set({ authScheme: 'bearer', maxPageSize: 50, unknown: ['RunStepField.notApplicable'] });
  const verbs = ['Create', 'Update', 'Delete'];
  const kinds = ['Run', 'RunStep', 'WebhookReceiver', 'WebhookSubscription'];
  control.set({ permissions: verbs.flatMap((verb) => kinds.map((kind) => verb + kind)) });
  for (const [theme, locale] of [
    ['light', 'en-US'],
    ['light', 'de'],
    ['light', 'ja'],
    ['dark', 'en-US'],
  ] as const) {
    const editor = await Editor.launch(String(chromium.commands[0]), url, { locale });
    const { page } = editor;
    try {
      if (!(await setTheme(page, theme))) continue;
      await page.setViewportSize({ width: 1280, height: 1900 });
      await editor.editConfig('ion-config', 'ion-demo-config');
      await page.click('#ion-config-check');
      await page.waitForSelector('.ion-check-list li');
      const language = locale === 'en-US' ? '' : `-${locale}`;
      const name = `ion-config-check-${theme}${language}.png`;
      await save(page.locator('.red-ui-tray').last(), name);
    } finally {
      await editor.close();
    }
  }
  control.set(before);
}

/** The sidebar in an outage. */
async function takeSidebar(url: string, { control }: Sandbox): Promise<void> {
  if (!isWanted('sidebar')) return;
  for (const [theme, locale] of [
    ['light', 'en-US'],
    ['light', 'de'],
    ['dark', 'en-US'],
  ] as const) {
    const editor = await Editor.launch(String(chromium.commands[0]), url, { locale });
    const { page } = editor;
    try {
      if (!(await setTheme(page, theme))) continue;
      await page.setViewportSize({ width: 1280, height: 720 });
      await page.evaluate(() => RED.sidebar.show('ion'));
      await page.waitForSelector('.ion-card-ok, .ion-card-attention, .ion-card-failed');
      for (const target of ['api', 'token'] as const) {
        control.fault({ target, kind: 'reset', times: 1e9 });
      }
      await page.waitForSelector('.ion-card-failed');
      const language = locale === 'en-US' ? '' : '-de';
      if (locale === 'en-US') await save(page, `sidebar-editor-${theme}.png`);
      await page.locator('#ion-sidebar').evaluate((sidebar) => {
        // Node-RED 5 shows only a part of it.
        const place =
          'position: fixed; inset: 0 auto auto 0; width: 300px; height: auto; z-index: 99';
        sidebar.setAttribute('style', `${place}; background: var(--red-ui-secondary-background)`);
      });
      await page.setViewportSize({ width: 1280, height: 1000 });
      await save(page.locator('#ion-sidebar'), `sidebar-${theme}${language}.png`);
      control.clearFaults();
      await page.waitForSelector('.ion-card-failed', { state: 'detached' });
    } finally {
      control.clearFaults();
      await editor.close();
    }
  }
}

async function take(url: string, theme: 'light' | 'dark', locale: string): Promise<void> {
  const editor = await Editor.launch(String(chromium.commands[0]), url, { locale });
  const { page } = editor;
  try {
    if (!(await setTheme(page, theme))) return;
    const suffix = `${theme}${locale === 'de' ? '-de' : ''}.png`;
    const picture = (node: string) =>
      save(page.locator('.red-ui-tray').last(), `${node}-${suffix}`);
    await page.evaluate(() => RED.sidebar.show('debug'));
    await page.waitForSelector('.red-ui-debug-msg');
    await showWhatMatters(page);
    await save(page, `demo-${suffix}`);

    // High enough for the whole dialog.
    await page.setViewportSize({ width: 1400, height: 1200 });
    await editor.edit('ion-demo-graphql');
    await page.click('.ion-graphql-trial summary');
    await page.fill('#ion-graphql-test-variables', '{ "id": 1 }');
    await page.click('#ion-graphql-run');
    await page.waitForSelector('#ion-graphql-result .red-ui-debug-msg-element');
    await page.waitForFunction(() =>
      /\d/.test(document.querySelector('#ion-graphql-schema')?.textContent ?? ''),
    );
    await picture('ion-graphql');
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.click('.ion-graphql-toolbar .ion-graphql-expand');
    await page.fill('#ion-graphql-operations-search', 'run');
    await page.waitForSelector('#ion-graphql-operations [role=option]');
    await page.click('#ion-graphql-expanded-run');
    await page.waitForSelector('#ion-graphql-expanded-result .red-ui-debug-msg-element');
    await picture('ion-graphql-expanded');
    await page.click('#node-dialog-cancel');
    await page.waitForSelector('#ion-graphql-query-editor');
    await editor.untilNothingSlides();
    await page.setViewportSize({ width: 1400, height: 1500 });
    // A template replaces an empty query without a question.
    await page.click('#ion-graphql-query-editor .view-line >> nth=0');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('Delete');
    await page.selectOption('#ion-graphql-starter', 'createIssue');
    await page.locator('#ion-graphql-test-variables').fill(ISSUE);
    await page.click('#ion-graphql-evaluate');
    await page.waitForSelector('.ion-graphql-evaluation');
    await picture('ion-graphql-outbox');
    await editor.cancel();

    await editor.edit('ion-demo-runs');
    await page.waitForSelector('.red-ui-tray .red-ui-treeList-label');
    await picture('ion-runs');
    await editor.cancel();

    await page.setViewportSize({ width: 1400, height: 700 });
    await editor.edit(STEP);
    await picture('ion-step');
    await editor.cancel();

    await page.setViewportSize({ width: 1400, height: 1060 });
    await editor.edit(LOOKUP);
    await page.fill('#ion-lookup-try-value', CODE);
    await page.click('#ion-lookup-try');
    await page.waitForSelector('#ion-lookup-result table');
    await picture('ion-lookup');
    await editor.cancel();

    await page.setViewportSize({ width: 1400, height: 900 });
    await editor.edit('ion-demo-events-poll');
    await page.waitForSelector('.red-ui-tray .red-ui-treeList-label');
    await picture('ion-events');
    await editor.cancel();

    await page.setViewportSize({ width: 1400, height: 1370 });
    await editor.editConfig('ion-config', 'ion-demo-config');
    await page.click('#ion-config-advanced summary');
    await page.click('#ion-config-monitoring summary');
    await page.click('#ion-config-test');
    await page.waitForSelector('.ion-config-test-good');
    await picture('ion-config');
  } finally {
    await editor.close();
  }
}

/** The package's own nodes in the palette, and the contents of the first message. */
async function showWhatMatters(page: Page): Promise<void> {
  for (const category of ['common', 'function', 'network', 'sequence', 'parser', 'storage']) {
    await page.click(`#red-ui-palette-header-${category}`);
  }
  const expandable = page.locator('.red-ui-debug-msg .red-ui-debug-msg-expandable');
  await expandable.first().click();
  await expandable.nth(1).click();
  await page.click('#ion-demo-press-error .red-ui-flow-node-button-button');
  await page.waitForSelector('.red-ui-debug-msg >> text=ION_GRAPHQL');
  await page.waitForSelector('#ion-demo-mistake .red-ui-flow-node-status-ring-red');
  // The editor's notification about the button would hide the header.
  await page.evaluate(() => document.querySelector('#red-ui-notifications')?.remove());
  // The palette folds slowly.
  await page.waitForFunction(() => document.getAnimations().length === 0);
}

/** The page of the dashboard example after a shift, and its flow. */
async function takeDashboard(): Promise<void> {
  const file = 'dashboard/02-runs-by-status.json';
  const sandbox = await startSandbox({ port: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'node-red-ion-'));
  let example: RunningExample | undefined;
  try {
    example = await RunningExample.start(file, {
      folder,
      sandbox,
      palettes: ['@flowfuse/node-red-dashboard'],
      // Every point gets its time from this script, which cannot wait for eight hours.
      changes: {
        inject: { once: false, repeat: '' },
        opened: { wires: [[]] },
        chart: { xAxisProperty: 'time', xAxisPropertyType: 'msg' },
      },
    });
    await workAShift(example, sandbox);
    await takePage(`${example.nodeRed.url}/dashboard/runs`);
    await example.nodeRed.deploy(await exampleFlow(file));
    await takeFlow(example);
  } finally {
    await example?.stop();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the sandbox for nearly eight hours, and lets the example poll it every five minutes. */
async function workAShift(example: RunningExample, sandbox: Sandbox): Promise<void> {
  const { nodeRed, prefix } = example;
  const random = new Random(8);
  const points = 95;
  const isCounted = ({ topic, data }: EditorEvent) =>
    topic === `status/${prefix}all` && data.fill === 'green';
  for (let point = 1; point <= points; point++) {
    for (let i = 0; i < 3; i++) tick(sandbox.data, random);
    const time = Date.now() - (points - point) * 300_000;
    const counted = nodeRed.events.filter(isCounted).length;
    await fetch(`${nodeRed.url}/inject/${prefix}inject`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ __user_inject_props__: [{ p: 'time', v: String(time), vt: 'num' }] }),
    });
    await nodeRed.until(() => nodeRed.events.filter(isCounted).length > counted);
  }
}

async function takePage(url: string): Promise<void> {
  const page = await openPage(String(chromium.commands[0]), {
    viewport: { width: 1200, height: 1040 },
    locale: 'en-US',
  });
  try {
    await page.goto(url);
    await page.waitForSelector('.nrdb-ui-chart canvas');
    await page.waitForSelector('.v-data-table-footer__info');
    // Bars that show nothing move forever.
    await page.waitForFunction(() =>
      document.getAnimations().every(({ effect }) => effect?.getTiming().iterations === Infinity),
    );
    await save(page, 'dashboard.png');
  } finally {
    await page.close();
  }
}

/** The page of the scan station with a value that is not valid, and on a phone without ION. */
async function takeStation(): Promise<void> {
  const sandbox = await startSandbox({ port: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'node-red-ion-'));
  const { started, ready } = addScanCases(sandbox.data);
  let example: RunningExample | undefined;
  try {
    example = await RunningExample.start('dashboard/13-scan-station.json', {
      folder,
      sandbox,
      palettes: ['@flowfuse/node-red-dashboard', 'node-red-node-serialport'],
    });
    const stepId = started.runs[0]?.stepIds[1] ?? 0;
    const [torque] = sandbox.data.runStepFields.of(stepId);
    const less = { displayName: 'Less than' };
    const { id: functionId } = sandbox.data.table('ValidationFunction').insert(less);
    const validation = { runStepFieldId: torque?.id, functionId, value: 12.5, result: 'FAIL' };
    sandbox.data.table('RunStepFieldValidation').insert(validation);
    const light = await openStation(example, { viewport: { width: 1200, height: 700 } });
    await recordOn(light, ready.units[0]?.code, { Torque: '10.8' });
    await light.says(/: valid$/);
    await recordOn(light, started.units[0]?.code, { Torque: '47.5', Notes: 'second try' });
    await light.says(/: not valid/);
    await light.page.waitForSelector('td >> text="47.5"');
    await light.page.mouse.move(0, 0);
    await save(light.page, 'station.png');
    await light.close();

    for (const target of ['api', 'token'] as const) {
      sandbox.control.fault({ target, kind: 'status', status: 503, times: 1e9 });
    }
    const viewport = { width: 390, height: 844 };
    const phone = await openStation(example, { viewport, colorScheme: 'dark' });
    await recordOn(phone, ready.units[0]?.code, { Torque: '11.2' });
    await phone.says(/waits for ION/);
    await save(phone.page, 'station-phone-dark.png');
    await phone.close();
  } finally {
    await example?.stop();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function openStation(
  example: RunningExample,
  options: BrowserContextOptions,
): Promise<StationPage> {
  return StationPage.open(String(chromium.commands[0]), example, options);
}

async function recordOn(
  station: StationPage,
  code: string | undefined,
  values: Record<string, string>,
): Promise<void> {
  await station.type(String(code));
  await station.says(/Enter the values of/);
  for (const [field, value] of Object.entries(values)) await station.enter(field, value);
  await station.record();
}

async function takeFlow({ nodeRed }: RunningExample): Promise<void> {
  const editor = await Editor.launch(String(chromium.commands[0]), nodeRed.url);
  const { page } = editor;
  try {
    await page.setViewportSize({ width: 1700, height: 540 });
    await page.waitForSelector('.red-ui-flow-node-status-label >> text=/^200 /');
    // As wide as the flow: the sidebar of Node-RED 5 covers the rest.
    const box = await page.locator('#red-ui-workspace').boundingBox();
    if (box) await save(page, 'dashboard-flow.png', { clip: { ...box, width: 1010 } });
  } finally {
    await editor.close();
  }
}

async function save(
  what: { screenshot(options: object): Promise<unknown> },
  name: string,
  options = {},
): Promise<void> {
  if (!isWanted(name)) return;
  const path = join(images, name);
  await what.screenshot({ path, ...options });
  console.log(path.slice(root.length + 1));
}

void main();
