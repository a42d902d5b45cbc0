// Mutation tests: Stryker changes one expression of the sources at a time and runs the tests that reach
// it. A change that no test notices shows a behavior that no test covers.
// Arguments: groups below, by default all of them; then files, or parts of them such as
// `nodes/outbox/delivery.ts:20-60`, by default all sources of the group. With STATIC=true it also changes
// what runs once, when a file is loaded, such as constants.
import './mutation-mocha.mjs';
import { join, posix } from 'node:path';
import { Stryker } from '@stryker-mutator/core';

const OF_STORE = [
  'entries',
  'entry-files',
  'indexes',
  'batch',
  'store',
  'damage',
  'expiry-index',
  'folder',
  'foreign-entries',
  'stored-format',
];
const SLOW = ['outbox', 'expiry', 'outbox-model', 'attachments'];

/** Sources, the tests that concern them, and the lowest score in percent. */
const GROUPS = {
  graphql: {
    sources: [sourcesIn('nodes/client/graphql')],
    tests: [testsIn('test/client/graphql')],
    lowest: 90,
  },
  auth: {
    sources: [sourcesIn('nodes/client/auth')],
    tests: [testsIn('test/client/auth')],
    lowest: 90,
  },
  // Without the tests that start processes, and the fast ones first: the first failure ends a run.
  outbox: {
    sources: [sourcesIn('nodes/outbox')],
    tests: [
      `test/outbox/!(${['disk', 'lock', ...OF_STORE, ...SLOW].join('|')}).test.ts`,
      ...SLOW.map((name) => `test/outbox/${name}.test.ts`),
    ],
    lowest: 88,
  },
  store: {
    sources: [sourcesIn('nodes/outbox/store')],
    tests: [...OF_STORE, 'outbox', 'attachments'].map((name) => `test/outbox/${name}.test.ts`),
    lowest: 88,
  },
  lookup: {
    sources: [sourcesIn('nodes/lookup')],
    tests: ['test/lookup/!(holder|mutations).test.ts'],
    lowest: 88,
  },
  storage: {
    sources: [sourcesIn('nodes/storage')],
    tests: [
      testsIn('test/storage'),
      ...OF_STORE.map((name) => `test/outbox/${name}.test.ts`),
      'test/outbox/outbox.test.ts',
    ],
    lowest: 88,
  },
};

/** Tests of the outbox that take a second or more, each. */
const LONG = ['through any temporary failures', 'many thousand entries on disk'];

const FOLDER = '.stryker';

const given = process.argv.slice(2);
const groups = given.filter((argument) => argument in GROUPS);
const parts = given.filter((argument) => !(argument in GROUPS));

process.chdir(join(import.meta.dirname, '..'));
for (const group of groups.length > 0 ? groups : Object.keys(GROUPS)) {
  const { sources, tests, lowest } = GROUPS[group];
  await new Stryker({
    mutate: parts.length > 0 ? parts : sources,
    testRunner: 'mocha',
    // With `testFiles`, mutants in code that runs when a file is loaded would never be active.
    mochaOptions: {
      spec: tests,
      grep: `/^(?!.*(${LONG.join('|')}))/`,
      require: ['./test/support/hooks.ts', './scripts/mutation-mocha.mjs'],
    },
    // Mocha's `node-option` is for the processes that its command starts.
    testRunnerNodeArgs: ['--import=tsx', `--import=${import.meta.resolve('./mutation-mocha.mjs')}`],
    coverageAnalysis: 'perTest',
    // Each needs new processes.
    ignoreStatic: process.env.STATIC !== 'true',
    // Stryker would read it with the compiler's API, which TypeScript 7 does not have.
    tsconfigFile: `${FOLDER}/none.json`,
    ignorePatterns: ['dist', 'resources', 'test/palettes', 'icons'],
    concurrency: 2,
    incremental: true,
    incrementalFile: `${FOLDER}/${group}.incremental.json`,
    tempDirName: `${FOLDER}/tmp`,
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    htmlReporter: { fileName: `${FOLDER}/${group}.html` },
    jsonReporter: { fileName: `${FOLDER}/${group}.json` },
    thresholds: { high: 100, low: lowest, break: parts.length > 0 ? null : lowest },
  }).runMutationTest();
}

function sourcesIn(folder) {
  return posix.join(folder, '*.ts');
}

function testsIn(folder) {
  return posix.join(folder, '*.test.ts');
}
