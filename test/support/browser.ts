import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

// Chromium resolves no host outside this machine.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  // On a busy machine the watchdog would end the process that draws, and with it all pages.
  '--disable-gpu-watchdog',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // With the driver's debugger V8 would parse all code once more for each breakpoint location.
  '--js-flags=--no-enable-lazy-source-positions',
];

/** For anything in a page: a busy machine needs longer than the driver's 30 s. */
const PAGE_TIMEOUT_MS = 90_000;

/** Shared by all tests, because its start takes as long as a test. */
let browser: Browser | undefined;
/** Another with a profile on disk, without which V8 would compile the editor again for each page. */
let profile: BrowserContext | undefined;

/** A page in a real headless browser, without earlier data. */
export async function openPage(
  executablePath: string,
  options: BrowserContextOptions,
): Promise<Page> {
  // A crash is another test's failure.
  if (!browser?.isConnected()) browser = await launch(executablePath);
  return patient(await browser.newPage(options));
}

/**
 * A page for Node-RED's editor, in a browser without stored data of earlier pages of this origin,
 * but with its compiled scripts.
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

/** Processes of open browsers. */
export function browserCount(): number {
  return (browser?.isConnected() ? 1 : 0) + (profile ? 1 : 0);
}

/** Ends the browsers that were started. */
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
  // Without a name the driver creates a folder, and deletes it at the end.
  const context = await chromium.launchPersistentContext('', {
    executablePath,
    args: ARGUMENTS,
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
  });
  // A crash is another test's failure.
  context.on('close', () => {
    profile = undefined;
  });
  return context;
}

function patient(page: Page): Page {
  page.setDefaultTimeout(PAGE_TIMEOUT_MS);
  return page;
}
