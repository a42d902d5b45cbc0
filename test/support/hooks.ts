import { setTimeout as sleep } from 'node:timers/promises';
import { browserCount, closeBrowsers } from './browser.js';

const MAX_END_MS = 10_000;
const PAUSE_MS = 100;

/** With `--parallel` Mocha runs these hooks once per file, in the worker of the file. */
const isWorker = process.env.MOCHA_WORKER_ID !== undefined;

/** Hooks around all tests of a run. The files of a worker share its browsers, which end with it. */
export const mochaHooks = { afterAll: isWorker ? expectNothingLeft : closeBrowsers };

/** Number of leftovers that earlier files of this worker are blamed for. */
let reported = 0;

/** A worker ends whatever its files leave open, so that each file is checked for that. */
async function expectNothingLeft(this: Mocha.Context): Promise<void> {
  const end = performance.now() + MAX_END_MS;
  while (leftOver().length > reported) {
    if (performance.now() > end) {
      reported = leftOver().length;
      throw new Error(`${this.test?.parent?.suites[0]?.file} leaves ${leftOver().join(', ')}`);
    }
    await sleep(PAUSE_MS);
  }
}

/** Servers and child processes that would keep this process running, except the browsers. */
function leftOver(): string[] {
  const open = process.getActiveResourcesInfo();
  const processes = open.filter((kind) => kind === 'ProcessWrap').slice(browserCount());
  return [...processes, ...open.filter((kind) => kind === 'TCPServerWrap')];
}
