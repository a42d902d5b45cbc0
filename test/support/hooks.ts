import { closeBrowsers } from './browser.js';

/** With `--parallel` Mocha runs these hooks once per file, in the worker of the file. */
const isWorker = process.env.MOCHA_WORKER_ID !== undefined;

/** Hooks around all tests of a run. The files of a worker share its browsers, which end with it. */
export const mochaHooks = { afterAll: isWorker ? () => {} : closeBrowsers };
