// npm run screenshots: renews the pictures in docs/images with the Node-RED that is installed.
// The dark ones need Node-RED 5, which brings a dark theme.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { startSandbox } from '../../sandbox/server.js';
import { Editor } from '../support/editor.js';
import { RunningNodeRed } from '../support/node-red.js';
import { root } from '../support/package.js';
import { chromium } from '../support/tools.js';

const images = join(root, 'docs', 'images');

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
  const flow = JSON.parse(await readFile(join(root, 'sandbox/demo/flow.json'), 'utf8'));
  await prepareUserDir(userDir, flow, { 'ion-demo-config': { clientId, clientSecret } });
  const env = { ION_API_URL: url, ION_AUTH_URL: authUrl };
  const nodeRed = await RunningNodeRed.start(userDir, { env });
  try {
    await take(nodeRed.url, 'light', 'en-US');
    await take(nodeRed.url, 'light', 'de');
    await take(nodeRed.url, 'dark', 'en-US');
  } finally {
    await nodeRed.stop();
    await sandbox.close();
    await rm(userDir, { recursive: true, force: true });
  }
}

async function take(url: string, theme: 'light' | 'dark', locale: string): Promise<void> {
  const editor = await Editor.launch(String(chromium.commands[0]), url, { locale });
  const { page } = editor;
  try {
    const isOld = await page.evaluate(() => RED.settings.version.startsWith('4.'));
    if (theme === 'dark' && isOld) {
      console.log('Node-RED 4 has no dark theme: no dark pictures.');
      return;
    }
    if (theme === 'dark') {
      await page.evaluate(() => {
        document.documentElement.classList.add('nr-theme-dark');
        monaco.editor.setTheme('vs-dark');
      });
    }
    const suffix = `${theme}${locale === 'de' ? '-de' : ''}.png`;
    const picture = async (node: string) => {
      const path = join(images, `${node}-${suffix}`);
      await page.locator('.red-ui-tray').last().screenshot({ path });
      console.log(path.slice(root.length + 1));
    };
    await page.evaluate(() => RED.sidebar.show('debug'));
    await page.waitForSelector('.red-ui-debug-msg');
    await showWhatMatters(page);
    await page.screenshot({ path: join(images, `demo-${suffix}`) });

    // High enough for the whole of each dialog.
    await page.setViewportSize({ width: 1400, height: 1150 });
    await editor.edit('ion-demo-graphql');
    await page.click('.ion-graphql-trial summary');
    await page.fill('#ion-graphql-test-variables', '{ "id": 1 }');
    await page.click('#ion-graphql-run');
    await page.waitForSelector('#ion-graphql-result .red-ui-debug-msg-element');
    await picture('ion-graphql');
    await editor.cancel();

    await editor.edit('ion-demo-runs');
    await page.waitForSelector('.red-ui-tray .red-ui-treeList-label');
    await picture('ion-runs');
    await editor.cancel();

    await editor.editConfig('ion-config', 'ion-demo-config');
    await page.click('#ion-config-advanced summary');
    await page.click('#ion-config-test');
    await page.waitForSelector('.ion-config-test-good');
    await picture('ion-config');
  } finally {
    await editor.close();
  }
}

/** The package's own nodes in the palette, and what is in the first message. */
async function showWhatMatters(page: Page): Promise<void> {
  for (const category of ['common', 'function', 'network', 'sequence', 'parser', 'storage']) {
    await page.click(`#red-ui-palette-header-${category}`);
  }
  const expandable = page.locator('.red-ui-debug-msg .red-ui-debug-msg-expandable');
  await expandable.first().click();
  await expandable.nth(1).click();
  await page.click('#ion-demo-press-error .red-ui-flow-node-button-button');
  await page.waitForSelector('.red-ui-debug-msg >> text=ION_GRAPHQL');
  await page.waitForSelector(
    '.red-ui-flow-node-status-label >> text=/^(ION refused|ION lehnt ab)$/',
  );
  // The editor's word that the button was pressed would hide the header.
  await page.evaluate(() => document.querySelector('#red-ui-notifications')?.remove());
  // The palette folds slowly.
  await page.waitForFunction(() => document.getAnimations().length === 0);
}

void main();
