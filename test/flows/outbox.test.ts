import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { LoadControl, loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, outboxState, pause } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { type TestServer, tcpServer } from '../support/servers.js';
import { until } from '../support/until.js';

const ROUNDS = byLength({ soak: 500, usual: 20, brief: 5 });
const RUNS = 12;
const OUTAGE_MS = 30_000;
/** Writes per second. */
const PER_SECOND = byLength({ soak: 400, usual: 200, brief: 100 });
const WAITING = byLength({ usual: 100_000, brief: 40_000 });

describe('the outbox in a real Node-RED', () => {
  const ion = useSandbox({ runs: 12 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;

  beforeEach(() => writes.begin(RUNS));
  afterEach(async function () {
    writes.end();
    if (this.currentTest?.state === 'failed' && nodeRed) {
      console.log(nodeRed.log.slice(-3000), await outboxState(nodeRed).catch(String));
    }
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  it(`loses nothing when it is killed ${ROUNDS} times in the middle of writing`, async function () {
    this.timeout(ROUNDS * 15_000 + 120_000);
    ion.sandbox.control.set({ latency: 5 });
    const { userDir, done } = await writes.prepare('crash', { perSecond: PER_SECOND, count: 1e9 });
    for (let round = 0; round < ROUNDS; round++) {
      const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
      nodeRed = running;
      const before = (await done()).length;
      await until(async () => (await done()).length > before);
      // The test is about this moment, which is different each time.
      await sleep(Math.random() * 1000);
      const killed = running.ended();
      running.signal('SIGKILL');
      await killed;
    }
    ion.sandbox.control.set({ latency: 0 });
    const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
    nodeRed = running;
    await pause(running);
    await until(() => isEmpty(running));
    const accepted = await done();
    const { written, repeated } = writes.check(accepted);
    console.log(
      `      ${accepted.length} seen done, ${written} written, ${repeated} of them again`,
    );
    assert.ok(accepted.length > ROUNDS * 10);
  });

  it('loses nothing when it is redeployed in the middle of writing', async () => {
    ion.sandbox.control.set({ latency: 5 });
    const { userDir, done } = await writes.prepare('redeploy', {
      perSecond: PER_SECOND,
      count: 1e9,
    });
    const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
    nodeRed = running;
    const flow = JSON.parse(await readFile(join(userDir, 'flows.json'), 'utf8')) as FlowNode[];
    const deploys = [
      ['full', {}],
      ['nodes', { config: { concurrency: 3 } }],
      ['nodes', { node: { name: 'another' } }],
      ['flows', { node: { name: 'a third' } }],
      ['nodes', { config: { concurrency: 7 } }],
    ] as const;
    for (let round = 0; round < 15; round++) {
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
    assert.ok(written > 300);
  });

  it('loses nothing when ION is unreachable for 30 s and then responds with errors', async function () {
    this.timeout(300_000);
    const way = await gate(ion.sandbox.url);
    try {
      const count = 30 * PER_SECOND;
      const { userDir, done } = await writes.prepare(
        'outage',
        { perSecond: PER_SECOND, count },
        { apiUrl: way.url, authUrl: way.url },
      );
      const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
      nodeRed = running;
      await until(async () => (await done()).length > 2 * PER_SECOND);
      way.shut();
      await until(async () => (await outboxState(running)).unreachableSince !== undefined);
      const ended = sleep(OUTAGE_MS);
      const first = await outboxState(running);
      await ended;
      const last = await outboxState(running);
      assert.ok(
        last.waiting > first.waiting + 12 * PER_SECOND,
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
      way.open();
      await until(async () => (await done()).length === count);
      await until(() => isEmpty(running));
      const { written, repeated } = writes.check(await done());
      console.log(`      ${last.waiting} waited; ${written} written, ${repeated} of them again`);
      assert.equal(written, count);
      assert.equal((await outboxState(running)).givenUp, 0);
    } finally {
      await way.close();
    }
  });

  it(`needs disk, not memory, for ${WAITING} pending writes`, async function () {
    this.timeout(300_000);
    const way = await gate(ion.sandbox.url);
    way.shut();
    try {
      const { userDir, done } = await writes.prepare(
        'many',
        { perSecond: 20_000, count: WAITING },
        { apiUrl: way.url, authUrl: way.url },
      );
      const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
      nodeRed = running;
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

/** A connection to a server that can be closed: then nothing gets through, and requests in progress break. */
async function gate(url: string): Promise<TestServer & { shut(): void; open(): void }> {
  const { port } = new URL(url);
  const open = new Set<Socket>();
  let isShut = false;
  const server = await tcpServer((socket) => {
    if (isShut) {
      socket.destroy();
      return;
    }
    const behind = connect(Number(port), '127.0.0.1');
    open.add(socket);
    const end = () => {
      open.delete(socket);
      socket.destroy();
      behind.destroy();
    };
    for (const side of [socket, behind]) side.on('error', end).on('close', end);
    socket.pipe(behind).pipe(socket);
  });
  return Object.assign(server, {
    shut() {
      isShut = true;
      for (const socket of open) socket.destroy();
    },
    open() {
      isShut = false;
    },
  });
}
