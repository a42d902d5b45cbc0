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

/** A real browser without a window. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return driver.launch({ executablePath, args: ARGUMENTS });
}
