// Adapts Mocha to Stryker's runner; see mutation.mjs.
import Module from 'node:module';

// The runner requires parts of Mocha without their ending, which is `.cjs` since Mocha 12.
Module._extensions['.cjs'] ??= Module._extensions['.js'];

const MAX_MS = 10_000;

/** The runner sets no limit, so that a test or hook which waits forever would take most of the time. */
export const mochaHooks = {
  beforeEach() {
    this.currentTest.timeout(MAX_MS);
    for (let suite = this.currentTest.parent; suite; suite = suite.parent) {
      for (const hook of [...suite._beforeEach, ...suite._afterEach]) hook.timeout(MAX_MS);
    }
  },
};
