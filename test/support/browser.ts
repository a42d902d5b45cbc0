import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

// Chromium looks up nothing outside this machine.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // With the driver's debugger V8 would parse what it runs once more for each place in it.
  '--js-flags=--no-enable-lazy-source-positions',
];

/** For anything in a page: a busy machine needs longer than the driver's 30 s. */
const PAGE_TIMEOUT_MS = 90_000;

/** One for all, because its start takes as long as a test. */
let browser: Browser | undefined;
/** Another with a profile on disk, without which V8 would compile the editor anew for each page. */
let profile: BrowserContext | undefined;

/** A page in a real browser without a window, where nobody has been before. */
export async function openPage(
  executablePath: string,
  options: BrowserContextOptions,
): Promise<Page> {
  // One that has crashed is another test's failure.
  if (!browser?.isConnected()) browser = await launch(executablePath);
  return patient(await browser.newPage(options));
}

/**
 * A page for Node-RED's editor, in a browser that has nothing of what earlier pages of this origin
 * stored, but knows its scripts.
 */
export async function openEditorPage(executablePath: string, origin: string): Promise<Page> {
  profile ??= await launchWithProfile(executablePath);
  const page = patient(await profile.newPage());
  const devTools = await profile.newCDPSession(page);
  const storageTypes = 'cookies,indexeddb,local_storage';
  await devTools.send('Storage.clearDataForOrigin', { origin, storageTypes });
  await devTools.detach();
  return page;
}

/** Ends the browsers, where they were needed. */
export async function closeBrowsers(): Promise<void> {
  await Promise.all([browser?.close(), profile?.close()]);
  browser = undefined;
  profile = undefined;
}

async function launch(executablePath: string): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

async function launchWithProfile(executablePath: string): Promise<BrowserContext> {
  const { chromium } = await import('playwright-core');
  // Without a name the driver makes a folder, and deletes it at the end.
  const context = await chromium.launchPersistentContext('', {
    executablePath,
    args: ARGUMENTS,
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
  });
  // One that has crashed is another test's failure.
  context.on('close', () => {
    profile = undefined;
  });
  return context;
}

function patient(page: Page): Page {
  page.setDefaultTimeout(PAGE_TIMEOUT_MS);
  return page;
}
