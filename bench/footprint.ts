import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareUserDir } from '../tools/node-red.js';
import { graphqlNode, ionConfig, measured } from './flows.js';
import { heapOf, run, withNodeRedIn, withUserDir } from './processes.js';
import type { Report } from './report.js';
import { KEY, QUERY } from './request.js';
import { ratios, shown, spread } from './statistics.js';

const ROUNDS = 15;
const SETTLED_MS = 2000;
const MEGABYTE = 1024 * 1024;
/** The package itself, and its dependencies without those of the outbox. */
const WITHOUT_OUTBOX = ['@ion-nodes/node-red-ion', 'graphql', 'oauth4webapi', 'undici'];
const root = join(__dirname, '..');

interface Cost {
  ms: number;
  bytes: number;
}

/** The loaded modules and their names in the table. */
const LOADED = {
  ion: 'this package',
  client: 'the same plus undici and graphql, which the first configuration and query load',
  got: '`got`',
};
type Loaded = keyof typeof LOADED;

async function loadCost(what: Loaded): Promise<Cost> {
  const script = join(__dirname, 'peers', 'load-cost.cjs');
  const { stdout } = await run(process.execPath, [script, what], {
    // The compile cache of one run would speed up the next.
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
  });
  return JSON.parse(stdout) as Cost;
}

/** Start-up cost of the package, compared with the HTTP library of the core node. */
export async function measureStart(report: Report): Promise<void> {
  report.heading('Start');
  report.text(
    `Loading and registering the nodes, compared with loading \`got\`, which the core node uses; minimum / median / maximum of ${ROUNDS} interleaved runs, each in a separate process.`,
  );
  const costs: Record<Loaded, Cost[]> = { ion: [], client: [], got: [] };
  const kinds = Object.keys(LOADED) as Loaded[];
  for (let round = 0; round < ROUNDS; round++) {
    for (const what of kinds) costs[what].push(await loadCost(what));
  }
  const ms = (all: Cost[]) => spread(all.map((cost) => cost.ms));
  const megabytes = (all: Cost[]) => spread(all.map(({ bytes }) => bytes / MEGABYTE));
  report.table(
    ['', 'ms', 'resident memory, MB'],
    kinds.map((what) => [
      LOADED[what],
      shown(ms(costs[what]), 1),
      shown(megabytes(costs[what]), 1),
    ]),
  );
  const pairs = ratios(
    costs.ion.map((cost) => cost.ms),
    costs.got.map((cost) => cost.ms),
  );
  report.checkRatios(pairs, 0.5, 'the time of `got`');
}

/** Resident memory of a configuration without work, in a real Node-RED. */
export async function measureMemory(report: Report): Promise<void> {
  report.heading('Memory of an idle configuration');
  report.text(
    `Resident memory of Node-RED ${SETTLED_MS / 1000} s after its start, after a garbage collection, in MB; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  const without: number[] = [];
  const within: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    without.push(await idleMemory());
    within.push(
      await idleMemory([
        ...ionConfig('http://127.0.0.1:9'),
        ...measured('ion', graphqlNode(QUERY, 'one')),
      ]),
    );
  }
  report.table(
    ['', 'MB'],
    [
      ['Node-RED without this package', shown(spread(without), 1)],
      ['with an ion-config and an ion-graphql node', shown(spread(within), 1)],
    ],
  );
  const { median } = spread(within.map((each, index) => each - Number(without[index])));
  report.check(
    median <= 12,
    `${median.toFixed(1)} MB more, median of neighbouring runs (at most 12)`,
  );
}

/** @param flow none: Node-RED does not even load this package */
async function idleMemory(flow?: object[]): Promise<number> {
  return withUserDir(async (userDir) => {
    if (flow) await prepareUserDir(userDir, flow, { config: KEY });
    else await writeFile(join(userDir, 'flows.json'), '[]');
    return withNodeRedIn(userDir, async (nodeRed) => {
      await sleep(SETTLED_MS);
      await heapOf(nodeRed);
      return (await nodeRed.memory()) / MEGABYTE;
    });
  });
}

/** Packages that `npm install` of this package installs. */
export async function measureSize(report: Report): Promise<void> {
  report.heading('Size');
  const folder = await mkdtemp(join(tmpdir(), 'node-red-ion-bench-'));
  try {
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      {
        cwd: root,
      },
    );
    // npm 10 prints an array, later versions print an object by package name.
    const [{ filename }] = Object.values(JSON.parse(stdout)) as [{ filename: string }];
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, filename)],
      {
        cwd: folder,
      },
    );
    const lock = join(folder, 'node_modules', '.package-lock.json');
    const { packages } = JSON.parse(await readFile(lock, 'utf8')) as { packages: object };
    const rows: [string, number][] = [];
    for (const path of Object.keys(packages)) rows.push([path, await sizeOf(join(folder, path))]);
    const isOutbox = ([path]: [string, number]) =>
      !WITHOUT_OUTBOX.some((name) => path.endsWith(`node_modules/${name}`));
    const without = rows.filter((row) => !isOutbox(row));
    const sum = (all: [string, number][]) => all.reduce((total, [, size]) => total + size, 0);
    const megabytes = (all: [string, number][]) => (sum(all) / MEGABYTE).toFixed(1);
    report.table(
      ['package', 'kB'],
      without.map(([path, size]) => [path.replace('node_modules/', ''), Math.round(size / 1024)]),
    );
    const outbox = rows.filter(isOutbox);
    report.text(
      `The outbox adds LevelDB for all platforms, which is loaded on first use: ${outbox.length} packages, ${megabytes(outbox)} MB.`,
    );
    report.check(without.length <= 4, `${without.length} packages without it (at most 4)`);
    report.check(sum(without) < 8 * MEGABYTE, `${megabytes(without)} MB without it (less than 8)`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizeOf(path: string): Promise<number> {
  let size = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return size;
}
