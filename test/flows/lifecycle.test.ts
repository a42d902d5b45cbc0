import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type FlowNode, graphqlNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { LoadControl, loadSettings, type ProcessReport, underLoad } from '../support/load.js';
import { useSandbox } from '../support/sandbox.js';
import { unusedPort } from '../support/servers.js';
import { until } from '../support/until.js';

const DEPLOYS = byLength({ soak: 200, usual: 20, brief: 15 });
/** Rate of each load: less than ION can answer, so that the queue is short. */
const PER_SECOND = 30;
const RUNS = 20;
const LOADS = ['load-query', 'load-pages', 'load-runs'];

type DeployType = 'full' | 'flows' | 'nodes';

describe('a real Node-RED that is redeployed under load', function () {
  // A busy machine takes several times as long as an idle one.
  this.timeout(DEPLOYS * 20_000 + 60_000);
  const ion = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let load: LoadControl;
  let nobody: string;

  before(async () => {
    nobody = `http://127.0.0.1:${await unusedPort()}`;
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await prepareUserDir(userDir, [tab], {});
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    load = new LoadControl(nodeRed);
  });
  after(() => nodeRed?.stop());

  /** The flow, with the changes of one deploy: other properties, or `undefined` to delete. */
  const flow = (changes: Record<string, object | undefined> = {}): FlowNode[] => {
    const { clientId, clientSecret } = ion.sandbox;
    const credentials = { clientId, clientSecret };
    const query = { ...graphqlNode, query: 'query', queryType: 'msg' };
    const list = { query: '{ runs { edges { node { id } } } }', pages: 'stream', pageSize: 7 };
    const nodes = [
      tab,
      sandboxConfig(ion.sandbox, { credentials }),
      ...underLoad('load-query', { ...query, id: 'query' }),
      ...underLoad('load-pages', { ...graphqlNode, ...list, id: 'pages' }),
      ...underLoad('load-runs', { ...runsNode, mode: 'each', limit: 9, id: 'runs' }),
    ];
    return nodes
      .filter(({ id }) => !(id in changes) || changes[id])
      .map((node) => ({ ...node, ...changes[node.id] }));
  };

  /** Changes that people make to a running flow, one after the other. */
  const deploys: [string, DeployType, (round: number) => FlowNode[]][] = [
    ['all again', 'full', () => flow()],
    ['another limit', 'nodes', (round) => flow({ config: { concurrency: 1 + (round % 20) } })],
    ['another name', 'nodes', (round) => flow({ query: { name: `round ${round}` } })],
    ['the flow', 'flows', (round) => flow({ runs: { name: `round ${round}` } })],
    ['the configuration disabled', 'nodes', () => flow({ config: { d: true } })],
    ['the configuration enabled', 'nodes', () => flow()],
    ['the configuration deleted', 'nodes', () => flow({ config: undefined })],
    ['the configuration added', 'nodes', () => flow()],
    ['a node disabled', 'nodes', () => flow({ query: { d: true }, runs: { d: true } })],
    ['a node enabled', 'nodes', () => flow()],
    ['a node deleted', 'nodes', () => flow({ pages: undefined })],
    ['a node added', 'nodes', () => flow()],
    ['a server that is not there', 'nodes', () => flow({ config: { apiUrl: nobody } })],
    ['a wrong configuration', 'nodes', () => flow({ config: { timeout: 'soon' } })],
    ['all at once', 'full', (round) => flow({ config: { retries: round % 4 } })],
  ];

  const startLoads = async () => {
    for (const id of LOADS) await load.start(id, { perSecond: PER_SECOND, runs: RUNS });
  };
  const stopLoads = async () => {
    for (const id of LOADS) await load.stop(id);
    await until(async () => (await load.contract()).open === 0);
  };

  it(`ends every message once in ${DEPLOYS} deploys and leaves nothing behind`, async () => {
    ion.sandbox.control.set({ latency: 15 });
    // Everything that is loaded on first use.
    await nodeRed.deploy(flow());
    await startLoads();
    for (const id of LOADS) await until(async () => (await load.report(id)).answered > 0);
    await stopLoads();
    // The rest when no node of the package is deployed.
    await nodeRed.deploy([tab]);
    const before = await load.process();
    const resourcesBefore = await load.resources();

    await startLoads();
    for (let round = 0; round < DEPLOYS; round++) {
      const [, type, change] = deploys[round % deploys.length] ?? [];
      if (!type || !change) continue;
      await nodeRed.deploy(change(round), type);
      // Some work is done between one deploy and the next.
      const { ended } = await load.contract();
      await until(async () => (await load.contract()).ended >= ended + 20);
    }
    // Everything works again.
    await nodeRed.deploy(flow());
    for (const id of LOADS) {
      const { answered } = await load.report(id);
      await until(async () => (await load.report(id)).answered > answered);
    }
    await stopLoads();

    const { received, ended, endedTwice, failed } = await load.contract();
    console.log(`      ${received} messages; failed: ${JSON.stringify(failed)}`);
    assert.equal(ended, received);
    assert.equal(endedTwice, 0, 'messages ended twice');
    const { ION_CLOSED = 0, ION_CONFIG = 0, ION_NETWORK = 0, ...others } = failed;
    assert.ok(ION_CLOSED > 0 && ION_CONFIG > 0 && ION_NETWORK > 0);
    assert.deepEqual(others, {});

    await nodeRed.deploy([tab]);
    // Sockets and name look-ups end with a delay.
    await until(async () => isDeepStrictEqual(await load.resources(), resourcesBefore));
    let after = await load.process();
    for (let tries = 0; tries < 5 && !isLike(after, before); tries++) after = await load.process();
    const [promisesBefore = 0, promises = 0] = [before, after].map(({ living }) => living.Promise);
    console.log(
      `      promises: ${promisesBefore}, then ${promises}; resident: ${megabytes(before)} MB, then ${megabytes(after)} MB`,
    );
    assert.ok('IonClient' in after.living, 'the classes are found');
    assert.ok(isLike(after, before), JSON.stringify(after.living));
    assert.deepEqual(after.listeners, before.listeners);
    assert.ok(promises < promisesBefore + DEPLOYS, 'promises are left');
    assert.match(
      nodeRed.log,
      /\[warn\].* messages? (was|were) in progress when the flow was stopped/,
    );
    assert.doesNotMatch(nodeRed.log, /MaxListeners|Uncaught|Unhandled|TypeError/);
  });
});

const tab: FlowNode = { id: 'flow', type: 'tab', label: 'test' };

/** Whether there are no new living objects of the package's own classes. */
function isLike(after: ProcessReport, before: ProcessReport): boolean {
  const own = ({ living: { Promise: _, ...counts } }: ProcessReport) => counts;
  const allowed = own(before);
  return Object.entries(own(after)).every(([name, count]) => count <= (allowed[name] ?? 0));
}

function megabytes({ memory }: ProcessReport): number {
  return Math.round(memory.rss / 1024 / 1024);
}
