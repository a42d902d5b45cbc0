import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { type Gate, gate } from '../support/gate.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, outboxState, pause, type WriteKind } from '../support/outbox-flow.js';
import { rejectRefused } from '../support/outbox-outcomes.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

/** Few, so that one message of a run overtakes another easily. */
const RUNS = 2;
const PER_SECOND = 150;
/** Accepted writes in each phase. */
const PHASE = 40;
const REFUSE_EVERY = 17;
const numRuns = byLength({ soak: 20, usual: 2, brief: 1 });

/** Disturbances, one after the other, while writes are accepted and delivered. */
const phases = fc.array(fc.constantFrom('outage', 'faults', 'full', 'nodes', 'node'), {
  minLength: 4,
  maxLength: 6,
});
/** The first run is written by its ID, or has to be looked up. */
const sharing = fc.constantFrom<WriteKind[]>(
  ['graphql', 'graphql', 'step'],
  ['step', 'graphql', 'graphql'],
);

/** An expression that reads the disk, for some messages many times. */
const slowly = (value: string) =>
  `($map([1..work], function($each) { $flowContext("none", "disk") }); ${value})`;
const contextStorage = {
  default: { module: 'memory' },
  disk: { module: 'localfilesystem', config: { cache: false } },
};
const slowNodes = {
  step: { value: slowly('payload'), valueType: 'jsonata' },
  graphql: { variables: slowly('{ "id": fieldId, "value": payload }') },
};

describe('the order of writes in a real Node-RED', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;
  let way: Gate;
  let count = 0;

  beforeEach(async () => {
    way = await gate(ion.sandbox.url);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && nodeRed) {
      console.log(nodeRed.log.slice(-3000), await outboxState(nodeRed).catch(String));
    }
    writes.end();
    await nodeRed?.stop();
    nodeRed = undefined;
    await way.close();
  });

  /** @returns the lines of the accepted writes, all of which have been delivered or rejected */
  const writeThrough = async (
    kinds: readonly WriteKind[],
    nodes: typeof slowNodes,
    steps: readonly string[],
  ): Promise<string[]> => {
    await writes.begin(RUNS);
    rejectRefused(ion.sandbox);
    const { userDir, done } = await writes.prepare(
      `order-${++count}`,
      { perSecond: PER_SECOND, count: 1e9, refuseEvery: REFUSE_EVERY, maxWork: 100 },
      { kinds, nodes, config: { apiUrl: way.url, authUrl: way.url } },
    );
    const settings = { ...loadSettings, contextStorage };
    const running = await RunningNodeRed.start(userDir, { settings });
    nodeRed = running;
    const flow = JSON.parse(await readFile(join(userDir, 'flows.json'), 'utf8')) as FlowNode[];
    const deploy = (type: 'full' | 'nodes', id: string) => {
      const change = (node: FlowNode) => ({ ...node, ...(node.id === id && { name: type }) });
      return running.deploy(flow.map(change), type);
    };
    const acceptMore = async () => {
      const before = (await done()).length;
      await until(async () => (await done()).length > before + PHASE);
    };
    const effects = [{ kind: 'status', status: 503 }, { kind: 'reset' }, { kind: 'half' }] as const;
    const executed = { kind: 'reset', execute: true } as const;
    const randomFaults = { share: 0.1, effects: [...effects, executed] };
    await acceptMore();
    for (const step of steps) {
      if (step === 'outage') way.shut();
      else if (step === 'faults') ion.sandbox.control.set({ randomFaults });
      else if (step === 'node') await deploy('nodes', 'node-0');
      else await deploy(step as 'full' | 'nodes', 'config');
      await acceptMore();
      way.open();
      ion.sandbox.control.set({ randomFaults: null });
    }
    await pause(running);
    await until(() => isEmpty(running));
    await running.stop();
    nodeRed = undefined;
    return (await done()).filter((line) => !line.includes('stopped or redeployed'));
  };
  const checkOrder = (lines: string[], order: 'run' | 'node') => {
    const accepted = lines.filter((value) => !value.startsWith('refuse-'));
    const { written, repeated } = writes.check(accepted, order);
    console.log(
      `      ${written} written, ${repeated} of them again, ${lines.length - accepted.length} rejected`,
    );
    assert.ok(lines.length > accepted.length);
  };

  it('is that of acceptance for each run, of ion-step and two ion-graphql that share its ID as the key, however long their inputs take', async function () {
    this.timeout(numRuns * 120_000);
    await fc.assert(
      fc.asyncProperty(sharing, phases, async (kinds, steps) => {
        checkOrder(await writeThrough(kinds, slowNodes, steps), 'run');
      }),
      { numRuns, seed: 9, endOnFailure: true },
    );
  });

  it('is that of the messages of an ion-graphql without a key', async function () {
    this.timeout(numRuns * 120_000);
    const nodes = { ...slowNodes, graphql: { ...slowNodes.graphql, order: '' } };
    await fc.assert(
      fc.asyncProperty(phases, async (steps) => {
        checkOrder(await writeThrough(['graphql', 'graphql'], nodes, steps), 'node');
      }),
      { numRuns, seed: 9, endOnFailure: true },
    );
  });
});
