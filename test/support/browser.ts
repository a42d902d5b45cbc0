import { type Browser, chromium as driver } from 'playwright-core';

// Chromium looks up nothing outside this machine.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For anything in a page: a busy machine needs longer than the driver's 30 s. */
export const PAGE_TIMEOUT_MS = 90_000;

/** A real browser without a window. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return driver.launch({ executablePath, args: ARGUMENTS });
}
