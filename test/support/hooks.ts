import { closeBrowsers } from './browser.js';

/** Hooks around all tests of a run. */
export const mochaHooks = { afterAll: closeBrowsers };
