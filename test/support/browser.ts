import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

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

/** A page in a real browser without a window, where nobody has been before. */
export async function openPage(
  executablePath: string,
  options: BrowserContextOptions,
): Promise<Page> {
  // One that has crashed is another test's failure.
  if (!browser?.isConnected()) browser = await launch(executablePath);
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PAGE_TIMEOUT_MS);
  return page;
}

/** Ends the browser, where one was needed. */
export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

async function launch(executablePath: string): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
