import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../sandbox/server.js';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { faultRows } from '../support/fault-matrix.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, pause, writeKinds } from '../support/outbox-flow.js';
import { checkOutcomes, Interruptions, rejectRefused } from '../support/outbox-outcomes.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const COUNT = byLength({ soak: 10_000, usual: 2500, brief: 1500 });
const RUNS = byLength({ soak: 100, usual: 50, brief: 30 });
const FAULTS_MS = byLength({ soak: 60_000, usual: 16_000, brief: 12_000 });
const PER_SECOND = (COUNT / FAULTS_MS) * 1000;
const KILLS = 3;
/** Share of all requests. */
const SHARE = 0.15;
/** Odd, so that both nodes get some of them. */
const REFUSE_EVERY = 99;
/** Slow to send: a small share is enough. */
const RARE = ['big', 'gzip-bomb'];

describe('the outbox with all faults of the matrix at once', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;

  beforeEach(async function () {
    this.timeout(120_000);
    await writes.begin(RUNS);
  });
  afterEach(async () => {
    writes.end();
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  /** Effects at each endpoint; those that reject an operation are not faults. */
  const effects = (): (Fault & { execute: boolean })[] =>
    faultRows.flatMap((row) =>
      (['api', 'token'] as const).flatMap((target) => {
        const { effect, outbox, turnsAway } = row[target];
        if (!effect || outbox === 'rejects') return [];
        const made = typeof effect === 'function' ? effect() : effect;
        if (RARE.includes(made.kind)) return [];
        const execute = [false, ...(target === 'api' && !turnsAway ? [true] : [])];
        return execute.map(
          (each) => ({ ...made, target, execute: each }) as Fault & { execute: boolean },
        );
      }),
    );

  it(`loses none of ${COUNT} writes of ion-step and ion-graphql in ${KILLS} crashes and a deploy, and rejects only writes that ION rejects`, async function () {
    this.timeout(FAULTS_MS + 240_000);
    const { control } = ion.sandbox;
    // Each process counts from zero, so that the test has to end the last one.
    const prepared = await writes.prepare(
      'chaos',
      { perSecond: PER_SECOND, count: 1e9, refuseEvery: REFUSE_EVERY },
      { kinds: writeKinds, config: { timeout: 1, retries: 1 } },
    );
    const { userDir, done } = prepared;
    control.set({ tokenLifetime: 4, randomFaults: { share: SHARE, effects: effects() } });
    rejectRefused(ion.sandbox);
    for (const kind of ['big', 'gzip-bomb'] as const) {
      control.fault({ target: 'api', kind, bytes: 65 * 1024 * 1024, match: 'UpdateRunStepField' });
    }
    const start = () => RunningNodeRed.start(userDir, { settings: loadSettings });
    const interruptions = new Interruptions();
    const part = FAULTS_MS / (KILLS + 2);
    let running = await start();
    nodeRed = running;
    for (let round = 0; round < KILLS; round++) {
      await sleep(part);
      await interruptions.kill(running);
      running = await start();
      nodeRed = running;
    }
    await sleep(part);
    const flow = JSON.parse(await readFile(join(userDir, 'flows.json'), 'utf8')) as FlowNode[];
    await interruptions.during(() => running.deploy(flow, 'full'));
    await until(async () => (await done()).length >= COUNT);
    await pause(running);
    control.set({ randomFaults: null });
    await until(() => isEmpty(running));
    await running.stop();
    nodeRed = undefined;

    // Messages that the deploy ended were not accepted, and failed accordingly.
    const accepted = (await done()).filter((line) => !line.includes('stopped or redeployed'));
    const outcomes = await checkOutcomes(
      writes,
      prepared,
      accepted,
      interruptions,
      ion.sandbox.url,
    );
    console.log(`      ${outcomes}`);
    const refused = accepted.filter((value) => value.startsWith('refuse-'));
    assert.ok(refused.length >= COUNT / REFUSE_EVERY / 2);
  });
});
