import { closeBrowsers } from './browser.js';

/** Around all tests of a run. */
export const mochaHooks = { afterAll: closeBrowsers };
