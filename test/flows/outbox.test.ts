import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { gate } from '../support/gate.js';
import { byLength } from '../support/length.js';
import { LoadControl, loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, outboxState, pause, writeKinds } from '../support/outbox-flow.js';
import { checkOutcomes, Interruptions, rejectRefused } from '../support/outbox-outcomes.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

/** For each node. */
const ROUNDS = byLength({ soak: 250, usual: 6, brief: 4 });
const DEPLOYS = byLength({ usual: 10, brief: 5 });
const RUNS = 12;
const OUTAGE_MS = 30_000;
/** Writes per second. */
const PER_SECOND = byLength({ soak: 400, usual: 200, brief: 100 });
/** Writes of both nodes. */
const MIXED = byLength({ soak: 20_000, usual: 8000, brief: 4000 });
/** Odd, so that both nodes get some of them. */
const REFUSE_EVERY = 99;
const WAITING = byLength({ soak: 100_000, usual: 60_000, brief: 40_000 });

describe('the outbox in a real Node-RED', () => {
  const ion = useSandbox({ runs: 12 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;

  const start = async (userDir: string) => {
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    return nodeRed;
  };

  beforeEach(() => writes.begin(RUNS));
  afterEach(async function () {
    writes.end();
    if (this.currentTest?.state === 'failed' && nodeRed) {
      console.log(nodeRed.log.slice(-3000), await outboxState(nodeRed).catch(String));
    }
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  for (const kind of writeKinds) {
    it(`loses nothing of ion-${kind} when it is killed ${ROUNDS} times in the middle of writing`, async function () {
      this.timeout(ROUNDS * 15_000 + 120_000);
      ion.sandbox.control.set({ latency: 5 });
      const { userDir, done } = await writes.prepare(
        `crash-${kind}`,
        { perSecond: PER_SECOND, count: 1e9 },
        { kinds: [kind] },
      );
      for (let round = 0; round < ROUNDS; round++) {
        const running = await start(userDir);
        const before = (await done()).length;
        await until(async () => (await done()).length > before);
        // The test is about this moment: just after a commit, or a different one each time.
        if (round % 2 === 0) await sleep(Math.random() * 1000);
        await running.kill();
      }
      ion.sandbox.control.set({ latency: 0 });
      const running = await start(userDir);
      await pause(running);
      await until(() => isEmpty(running));
      const accepted = await done();
      const { written, repeated } = writes.check(accepted);
      console.log(
        `      ${accepted.length} seen done, ${written} written, ${repeated} of them again`,
      );
      assert.ok(accepted.length > ROUNDS * 10);
    });

    it(`loses nothing of ion-${kind} when it is redeployed in the middle of writing`, async () => {
      ion.sandbox.control.set({ latency: 5 });
      const { userDir, done } = await writes.prepare(
        `redeploy-${kind}`,
        { perSecond: PER_SECOND, count: 1e9 },
        { kinds: [kind] },
      );
      const running = await start(userDir);
      const flow = JSON.parse(await readFile(join(userDir, 'flows.json'), 'utf8')) as FlowNode[];
      const deploys = [
        ['full', {}],
        ['nodes', { config: { concurrency: 3 } }],
        ['nodes', { 'node-0': { name: 'another' } }],
        ['flows', { 'node-0': { name: 'a third' } }],
        ['nodes', { config: { concurrency: 7 } }],
      ] as const;
      for (let round = 0; round < DEPLOYS; round++) {
        const [type, changes] = deploys[round % deploys.length] ?? deploys[0];
        const before = (await done()).length;
        await running.deploy(
          flow.map((each) => ({ ...each, ...(changes as Record<string, object>)[each.id] })),
          type,
        );
        await until(async () => (await done()).length > before + 20);
      }
      ion.sandbox.control.set({ latency: 0 });
      await pause(running);
      await until(() => isEmpty(running));
      const { written, repeated } = writes.check(
        (await done()).filter((line) => !line.includes('stopped or redeployed')),
      );
      console.log(`      ${written} written, ${repeated} of them again`);
      assert.ok(written > DEPLOYS * 20);
    });

    it(`accepts writes of ion-${kind} before ION was ever reached, and delivers them after a crash`, async () => {
      const way = await gate(ion.sandbox.url);
      way.shut();
      try {
        const { userDir, done } = await writes.prepare(
          `start-${kind}`,
          { perSecond: PER_SECOND, count: 1e9 },
          { kinds: [kind], config: { apiUrl: way.url, authUrl: way.url } },
        );
        for (const isReachable of [false, true]) {
          const running = await start(userDir);
          const before = (await done()).length;
          await until(async () => (await done()).length > before + PER_SECOND);
          if (!isReachable) {
            await running.kill();
            continue;
          }
          await until(async () => (await outboxState(running)).unreachableSince !== undefined);
          assert.ok((await outboxState(running)).waiting > 2 * PER_SECOND);
          way.open();
          await pause(running);
          await until(() => isEmpty(running));
        }
        writes.check(await done());
      } finally {
        await way.close();
      }
    });
  }

  it(`loses none of ${MIXED} writes of ion-step and ion-graphql in an outage of 30 s, errors after it, and three crashes`, async function () {
    this.timeout(600_000);
    const way = await gate(ion.sandbox.url);
    try {
      const prepared = await writes.prepare(
        'outage',
        { perSecond: MIXED / 35, count: 1e9, refuseEvery: REFUSE_EVERY },
        { kinds: writeKinds, config: { apiUrl: way.url, authUrl: way.url } },
      );
      const { userDir, done } = prepared;
      rejectRefused(ion.sandbox);
      const interruptions = new Interruptions();
      const restart = async (running: RunningNodeRed) => {
        await interruptions.kill(running);
        return start(userDir);
      };
      let running = await start(userDir);
      await until(async () => (await done()).length > MIXED / 20);
      running = await restart(running);
      await until(async () => (await done()).length > MIXED / 10);
      way.shut();
      await until(async () => (await outboxState(running)).unreachableSince !== undefined);
      const ended = sleep(OUTAGE_MS);
      const first = await outboxState(running);
      await sleep(OUTAGE_MS / 2);
      running = await restart(running);
      await ended;
      const last = await outboxState(running);
      assert.ok(
        last.waiting > first.waiting + MIXED / 3,
        `${first.waiting}, then ${last.waiting} wait`,
      );
      const effects = [
        { kind: 'status', status: 503 },
        { kind: 'reset' },
        { kind: 'half' },
      ] as const;
      ion.sandbox.control.set({
        randomFaults: { share: 0.05, effects: [...effects, { kind: 'reset', execute: true }] },
      });
      // Or a slow machine would accept as many as it delivers.
      await pause(running);
      way.open();
      await until(async () => (await outboxState(running)).waiting < last.waiting * 0.8);
      running = await restart(running);
      await until(async () => (await done()).length >= MIXED);
      await pause(running);
      await until(() => isEmpty(running));
      await running.stop();
      nodeRed = undefined;
      const outcomes = await checkOutcomes(writes, prepared, await done(), interruptions, way.url);
      console.log(`      ${last.waiting} waited; ${outcomes}`);
    } finally {
      await way.close();
    }
  });

  it(`needs disk, not memory, for ${WAITING} pending writes of ion-step and ion-graphql`, async function () {
    this.timeout(300_000);
    const way = await gate(ion.sandbox.url);
    way.shut();
    try {
      const { userDir, done } = await writes.prepare(
        'many',
        { perSecond: 20_000, count: WAITING },
        { kinds: writeKinds, config: { apiUrl: way.url, authUrl: way.url } },
      );
      const running = await start(userDir);
      const load = new LoadControl(running);
      await until(async () => (await outboxState(running)).waiting > 5000);
      const before = await load.heap();
      const { waiting } = await outboxState(running);
      assert.ok(waiting < WAITING / 2, `${waiting} were waiting already`);
      await until(async () => (await done()).length === WAITING);
      const grown = ((await load.heap()) - before) / 1024 / 1024;
      assert.equal((await outboxState(running)).waiting, WAITING);
      console.log(`      ${grown.toFixed(1)} MB more for ${WAITING} that wait`);
      // With all of them in memory there would be some 500 bytes for each.
      assert.ok(grown < 5, `${grown.toFixed(1)} MB more`);
      way.open();
      const drained = (await outboxState(running)).waiting;
      await until(async () => (await outboxState(running)).waiting < drained - 2000);
      assert.ok((await load.heap()) - before < 10 * 1024 * 1024);
    } finally {
      await way.close();
    }
  });
});
