import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StepEntry } from '../../nodes/outbox/step-writes.js';
import type { RejectedEntry, Stored } from '../../nodes/outbox/store/entries.js';
import { outboxFolder } from '../../nodes/outbox/store/folder.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';
import type { Fault } from '../../sandbox/server.js';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { faultRows } from '../support/fault-matrix.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, pause } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const COUNT = byLength({ soak: 10_000, usual: 2500, brief: 1500 });
const RUNS = byLength({ soak: 100, usual: 50, brief: 30 });
const FAULTS_MS = byLength({ soak: 60_000, usual: 16_000, brief: 12_000 });
const PER_SECOND = (COUNT / FAULTS_MS) * 1000;
const KILLS = 3;
/** Share of all requests. */
const SHARE = 0.15;
const REFUSE_EVERY = 100;
const WORDS = 'The part is not in stock.';
/** Slow to send: a small share is enough. */
const RARE = ['big', 'gzip-bomb'];
/** Between the rejection on disk and the line that the flow writes about it. */
const REPORT_MS = 2000;

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

  it(`loses none of ${COUNT} writes in ${KILLS} crashes and a deploy, and rejects only writes that ION rejects`, async function () {
    this.timeout(FAULTS_MS + 240_000);
    const { control } = ion.sandbox;
    // Each process counts from zero, so that the test has to end the last one.
    const { userDir, done, givenUp } = await writes.prepare(
      'chaos',
      { perSecond: PER_SECOND, count: 1e9, refuseEvery: REFUSE_EVERY },
      { timeout: 1, retries: 1 },
    );
    control.set({ tokenLifetime: 4, randomFaults: { share: SHARE, effects: effects() } });
    const errors = [{ message: WORDS }];
    control.fault({ target: 'api', kind: 'graphql', errors, times: 1e9, match: '"refuse-' });
    for (const kind of ['big', 'gzip-bomb'] as const) {
      control.fault({ target: 'api', kind, bytes: 65 * 1024 * 1024, match: 'UpdateRunStepField' });
    }
    const start = () => RunningNodeRed.start(userDir, { settings: loadSettings });
    /** Times at which the node ended, so that a report may be missing that was about to be sent. */
    const ends: number[] = [];
    const part = FAULTS_MS / (KILLS + 2);
    let running = await start();
    nodeRed = running;
    for (let round = 0; round < KILLS; round++) {
      await sleep(part);
      const killed = running.ended();
      running.signal('SIGKILL');
      ends.push(Date.now());
      await killed;
      running = await start();
      nodeRed = running;
    }
    await sleep(part);
    const flow = JSON.parse(await readFile(join(userDir, 'flows.json'), 'utf8')) as FlowNode[];
    ends.push(Date.now());
    await running.deploy(flow, 'full');
    await until(async () => (await done()).length >= COUNT);
    await pause(running);
    control.set({ randomFaults: null });
    await until(() => isEmpty(running));
    await running.stop();
    nodeRed = undefined;

    // Messages that the deploy ended were not accepted, and failed accordingly.
    const accepted = (await done()).filter((line) => !line.includes('stopped or redeployed'));
    const refused = accepted.filter((value) => value.startsWith('refuse-'));
    const { written, repeated } = writes.check(
      accepted.filter((value) => !value.startsWith('refuse-')),
    );
    const kept = await readGivenUp(userDir, `${ion.sandbox.url}/graphql`);

    assert.deepEqual(
      kept.filter(({ value, message }) => !value.startsWith('refuse-') || message !== WORDS),
      [],
      'nothing else was rejected',
    );
    const keptValues = new Set(kept.map(({ value }) => value));
    assert.deepEqual(
      refused.filter((value) => !keptValues.has(value)),
      [],
      'all of them are kept',
    );
    const reported = new Set(await givenUp());
    const isAtEnd = (at: number) => ends.some((end) => at > end - REPORT_MS && at <= end);
    assert.deepEqual(
      kept.filter(({ value, at }) => !reported.has(`${value} ${WORDS}`) && !isAtEnd(at)),
      [],
      'all of them left by output 2',
    );
    console.log(
      `      ${accepted.length} accepted; ${written} written, ${repeated} of them again; ${refused.length} refused, ${reported.size} reported`,
    );
    assert.ok(refused.length >= COUNT / REFUSE_EVERY / 2);
  });
});

/** Rejected writes, read from the disk of a process that has ended. */
async function readGivenUp(
  userDir: string,
  endpoint: string,
): Promise<{ value: string; message: string; at: number }[]> {
  const path = outboxFolder(join(userDir, 'ion-outbox'), 'config', endpoint);
  const store = await OutboxStore.open(path, { entries: 1e6, bytes: 1e9 });
  try {
    const rejected = (await store.firstRejected(10_000)) as Stored<StepEntry & RejectedEntry>[];
    return rejected.map(({ entry: { write, error, givenUpAt } }) => ({
      value: String(write.value),
      message: error.message,
      at: givenUpAt,
    }));
  } finally {
    await store.close();
  }
}
