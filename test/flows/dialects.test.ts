import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort, prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { dialectTables } from '../support/dialect-tables.js';
import {
  ACTIONS,
  type Action,
  DIALECTS,
  isPartNamed,
  mixtures,
  type NamedDialect,
  SMALLER_SCHEMAS,
} from '../support/dialects.js';
import { byLength } from '../support/length.js';
import { Plant } from '../support/plant.js';
import { httpServer, type TestServer } from '../support/servers.js';

/** Plants in one Node-RED. */
const BATCH = 25;
const BATCH_TIMEOUT_MS = 300_000;
const PAUSE_SHARE = 0.05;
const SEED = 1;
const MIXTURES = byLength({ soak: 200, usual: 50, brief: 25 });

const page = join(root, 'docs', 'reliability.md');
const BEGIN = '<!-- The two tables below are written by `npm run docs`, from the tests. -->\n';
const END = '<!-- End of these tables. -->';

/** The text that a user reads, for each action that did not work. */
type Failures = Map<Action, string>;

describe('an ION that differs from the documented one', function () {
  this.timeout(BATCH_TIMEOUT_MS);
  const folder = useTemporaryFolder();
  const observed = new Map<NamedDialect, Failures>();

  /** Runs all actions of these plants, in one Node-RED. */
  async function work(dialects: readonly NamedDialect[]): Promise<Failures[]> {
    const plants = await Promise.all(dialects.map((each, i) => Plant.start(`${i}`, each)));
    let nodeRed: RunningNodeRed | undefined;
    let collector: TestServer | undefined;
    try {
      collector = await httpServer((request, response) => {
        const [, plant, source = ''] = (request.url ?? '').split('/');
        void text(request).then((body) => {
          plants[Number(plant)]?.saw(source, body);
          response.end();
        });
      });
      const { url } = collector;
      const port = await freePort();
      const userDir = join(folder.path, `${port}`);
      await mkdir(userDir);
      const flow = plants.flatMap((plant) => plant.nodes(`http://127.0.0.1:${port}`, url));
      const credentials = Object.assign({}, ...plants.map((plant) => plant.credentials));
      await prepareUserDir(userDir, flow, credentials);
      nodeRed = await RunningNodeRed.start(userDir, {
        port,
        env: {
          NODE_OPTIONS: `--require ${join(root, 'test/support/inside-node-red.cjs')}`,
          PAUSE_SHARE: String(PAUSE_SHARE),
        },
        settings: { logging: { console: { level: 'info' } } },
      });
      return await Promise.all(plants.map((plant) => plant.work()));
    } finally {
      await nodeRed?.stop();
      await collector?.close();
      await Promise.all(plants.map((plant) => plant.close()));
    }
  }

  const check = ({ lacks = {}, settings }: NamedDialect, failures: Failures) => {
    for (const action of ACTIONS) {
      const failure = failures.get(action);
      const expected = lacks[action];
      if (expected) assert.match(failure ?? 'it works', expected, action);
      else if (!settings.unknown?.some((part) => isPartNamed(part, failure))) {
        assert.equal(failure, undefined, action);
      }
    }
  };

  const test = (title: string, dialects: readonly NamedDialect[]) => {
    describe(title, () => {
      for (let start = 0; start < dialects.length; start += BATCH) {
        const batch = dialects.slice(start, start + BATCH);
        let results: Promise<Failures[]> | undefined;
        for (const [i, dialect] of batch.entries()) {
          it(dialect.name, async () => {
            results ??= work(batch);
            const failures = (await results)[i];
            assert.ok(failures);
            observed.set(dialect, failures);
            check(dialect, failures);
          });
        }
      }
    });
  };

  const mixed = mixtures(SEED, MIXTURES);
  test('in one way', DIALECTS);
  test('in one part of its schema', SMALLER_SCHEMAS);
  test('in many ways at once', mixed);

  // In a suite of its own, because mocha runs the tests of a suite before its suites.
  describe('docs/reliability.md', () => {
    it('matches the results', async () => {
      const missing = [...DIALECTS, ...SMALLER_SCHEMAS].filter((each) => !observed.has(each));
      assert.deepEqual(missing, [], 'the tables are made of all tests');
      const [head, rest = ''] = (await readFile(page, 'utf8')).split(BEGIN);
      const [, tail] = rest.split(END);
      const expected = [head, BEGIN, dialectTables(observed), END, tail].join('');
      if (process.env.WRITE_DOCS === 'true') await writeFile(page, expected);
      const found = await readFile(page, 'utf8');
      assert.equal(found, expected, 'docs/reliability.md is out of date: npm run docs');
    });
  });
});
