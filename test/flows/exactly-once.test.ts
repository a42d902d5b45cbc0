import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultEffect } from '../../sandbox/server.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, outboxState } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import {
  isExactlyOnce,
  type Outcome,
  TemplateFlow,
  templateNames,
} from '../support/template-flow.js';
import { until } from '../support/until.js';

const COUNT = byLength({ soak: 500, usual: 150, brief: 40 });
const KILLS = byLength({ soak: 20, usual: 6, brief: 4 });
const SPARE = 100;
/** Writes to all templates. */
const PER_SECOND = byLength({ soak: 150, usual: 100, brief: 40 });
/** Share of mutations that ION executes, but whose response is lost. */
const LOST = 0.3;
const LOSSES: FaultEffect[] = [
  { kind: 'reset' },
  { kind: 'half' },
  { kind: 'status', status: 502 },
];

describe('each template of a write by the outbox', () => {
  const ion = useSandbox({ runs: COUNT + SPARE + 100 });
  const folder = useTemporaryFolder();
  const writes = new TemplateFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;

  const start = async (userDir: string): Promise<RunningNodeRed> => {
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    return nodeRed;
  };
  afterEach(async function () {
    writes.end();
    if (this.currentTest?.state === 'failed' && nodeRed) {
      console.log(nodeRed.log.slice(-3000), await outboxState(nodeRed).catch(String));
    }
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  type Outcomes = Awaited<ReturnType<TemplateFlow['prepare']>>['outcome'];
  /** Waits until all writes are accepted and none is pending. */
  const settled = async (running: RunningNodeRed, outcome: Outcomes, count: number) => {
    const isAccepted = ({ accepted }: Outcome) => accepted.length === count;
    await until(async () => Object.values(await outcome()).every(isAccepted));
    await until(() => isEmpty(running));
    return outcome();
  };

  /** Each accepted write is in ION: once, or at least once without a way to find it. */
  const check = (outcomes: Awaited<ReturnType<Outcomes>>, count: number) => {
    for (const name of templateNames) {
      const { accepted, failed, givenUp } = outcomes[name];
      const times = writes.timesById(name);
      const doubled = [...times].filter(([, each]) => each > 1);
      assert.deepEqual([failed, givenUp], [[], []], name);
      assert.equal(new Set(accepted).size, count, name);
      assert.deepEqual(
        accepted.filter((id) => !times.has(id)),
        [],
        `${name}: accepted, but not in ION`,
      );
      if (isExactlyOnce(name)) assert.deepEqual(doubled, [], `${name}: more than once in ION`);
    }
  };

  const report = (outcomes: Awaited<ReturnType<Outcomes>>) => {
    for (const name of templateNames) {
      const { accepted, found } = outcomes[name];
      const times = writes.timesById(name);
      const executed = accepted.filter((id) => times.has(id)).length;
      const doubles = [...times.values()].reduce((sum, each) => sum + each - 1, 0);
      console.log(
        `      ${name}: ${accepted.length} accepted, ${executed} of them in ION, ${found.size} found by a later try, ${doubles} again`,
      );
    }
  };

  it(`is executed as often as promised: ${COUNT} writes with ${LOST * 100} % of the responses lost and ${KILLS} crashes`, async function () {
    this.timeout(KILLS * 20_000 + 240_000);
    ion.sandbox.control.set({
      latency: 5,
      randomFaults: {
        share: LOST,
        effects: LOSSES.map((effect) => ({ ...effect, execute: true, match: 'mutation [A-Z]' })),
      },
    });
    const sizes = { count: COUNT, spare: SPARE, perSecond: PER_SECOND };
    const { userDir, outcome } = await writes.prepare('crashes', sizes);
    const total = COUNT * templateNames.length;
    for (let i = 1; i <= KILLS; i++) {
      const running = await start(userDir);
      await until(() => writes.executed >= (total * i) / (KILLS + 1));
      // The test is about this moment, which is different each time.
      await sleep(Math.random() * 500);
      await running.kill();
    }
    const running = await start(userDir);
    const outcomes = await settled(running, outcome, COUNT);
    report(outcomes);
    check(outcomes, COUNT);
    assert.ok(templateNames.some((name) => outcomes[name].found.size > 0));
  });

  it('is executed as often as promised if a crash or a lost connection comes before, while or after ION executes it', async function () {
    this.timeout(180_000);
    const moments: Partial<Fault>[] = [
      {},
      // Longer than Node-RED needs to start and to try again.
      { executeAfter: 12_000 },
      { execute: true },
      { kind: 'reset', execute: true },
    ];
    const queue = (moment: Partial<Fault>) => {
      for (const name of templateNames) {
        const fault = { target: 'api', kind: 'hang', match: mutationOf(name), ...moment };
        ion.sandbox.control.fault(fault as Fault);
      }
    };
    for (const moment of moments) queue(moment);
    const [count, all] = [moments.length, moments.length + 1];
    const sizes = { count, spare: all, perSecond: 200 };
    // Each fault hits the request of one write.
    const limits = { concurrency: 100, writesPerRequest: 1 };
    const { userDir, outcome } = await writes.prepare('moments', sizes, limits);
    const first = await start(userDir);
    const hanging = (count - 1) * templateNames.length;
    const exactlyOnce = templateNames.filter(isExactlyOnce);
    await until(async () => {
      const outcomes = await outcome();
      const { concurrent } = ion.sandbox.control.counters().api;
      return concurrent >= hanging && exactlyOnce.every((name) => outcomes[name].found.size === 1);
    });
    await first.kill();
    const running = await start(userDir);
    queue({ kind: 'reset', executeAfter: 3000 });
    await writes.send(running, all);
    const outcomes = await settled(running, outcome, all);
    report(outcomes);
    check(outcomes, all);
    for (const name of exactlyOnce) {
      // All but the one that had not reached ION.
      assert.equal(outcomes[name].found.size, all - 1, name);
    }
  });
});

/** The requests with the mutation of a template. */
function mutationOf(name: string): string {
  return `mutation ${name[0]?.toUpperCase()}${name.slice(1)}\\b`;
}
