import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { type FlowNode, sandboxConfig, stepNode } from '../support/flow-node.js';
import { byLength } from '../support/length.js';
import { LoadControl, loadSettings } from '../support/load.js';
import { RunningNodeRed } from '../support/node-red.js';
import { useTemporaryFolder } from '../support/package.js';
import { useSandbox } from '../support/sandbox.js';
import { type TestServer, tcpServer } from '../support/servers.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

const ROUNDS = byLength({ soak: 500, usual: 20, brief: 5 });
const RUNS = 12;
const OUTAGE_MS = 30_000;
/** Writes a second. */
const PER_SECOND = byLength({ soak: 400, usual: 200, brief: 100 });
const WAITING = byLength({ usual: 100_000, brief: 40_000 });

interface Target {
  run?: number;
  step?: number | string;
  field: number | string;
}

describe('the outbox in a real Node-RED', () => {
  const ion = useSandbox({ runs: 12 });
  const folder = useTemporaryFolder();
  /** Values as ION wrote them, by field. */
  let arrived: Map<number, string[]>;
  let targets: Target[];
  /** The run of each field. */
  let runs: Map<number, number>;
  let nodeRed: RunningNodeRed | undefined;

  beforeEach(async () => {
    arrived = new Map();
    runs = new Map();
    targets = [];
    const client = ion.client();
    for (let run = 0; run < RUNS; run++) {
      const made = await makeStep(client, [{ name: 'Log', type: 'STRING' }]);
      const field = made.fields.Log ?? 0;
      runs.set(field, made.run);
      // In each of the ways in which a flow may name it, all for the same run.
      targets.push(
        { run: made.run, step: 'Example step', field: 'Log' },
        { step: made.step, field: 'Log' },
        { field },
      );
    }
    ion.sandbox.control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      const { id, value } = args.input as { id: string; value: string };
      const values = arrived.get(Number(id)) ?? [];
      values.push(value);
      arrived.set(Number(id), values);
    };
  });
  afterEach(async () => {
    ion.sandbox.control.onCarriedOut = undefined;
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  const prepare = async (name: string, writes: object, url = ion.sandbox.url) => {
    const userDir = join(folder.path, name);
    const file = join(folder.path, `${name}.done`);
    await mkdir(userDir);
    await writeFile(file, '');
    const { clientId, clientSecret } = ion.sandbox;
    const place = { z: 'flow', x: 0, y: 0 };
    const flow: FlowNode[] = [
      { id: 'flow', type: 'tab', label: 'test' },
      { ...sandboxConfig(ion.sandbox), apiUrl: url, authUrl: url },
      {
        id: 'writes',
        type: 'writes',
        steps: targets,
        file,
        ...writes,
        wires: [['node']],
        ...place,
      },
      { ...stepNode, delivery: 'outbox', outputs: 2, wires: [[], []], ...place },
      { id: 'complete', type: 'complete', scope: ['node'], wires: [['writes']], ...place },
      { id: 'catch', type: 'catch', scope: ['node'], wires: [['writes']], ...place },
    ];
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    const done = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
    return { userDir, done };
  };
  const outboxState = async (running: RunningNodeRed) => {
    const response = await fetch(`${running.url}/ion-config/config/outbox`);
    return (await response.json()) as {
      waiting: number;
      givenUp: number;
      unreachableSince?: number;
    };
  };
  const isEmpty = async (running: RunningNodeRed) => (await outboxState(running)).waiting === 0;
  const pause = async (running: RunningNodeRed) => {
    await fetch(`${running.url}/writes/writes/pause`, { method: 'POST' });
  };
  /** Nothing is missing, and within a run everything came in the order in which it was accepted. */
  const check = (done: string[]) => {
    assert.deepEqual(
      done.filter((line) => line.startsWith('failed')),
      [],
    );
    const all = new Set([...arrived.values()].flat());
    assert.deepEqual(
      done.filter((value) => !all.has(value)),
      [],
    );
    let repeated = 0;
    for (const [field, values] of arrived) {
      const first = [...new Set(values)];
      repeated += values.length - first.length;
      assert.deepEqual(first, first.toSorted(byAge), `run ${runs.get(field)}`);
    }
    return { written: all.size, repeated };
  };

  it(`loses nothing when it is killed ${ROUNDS} times in the middle of writing`, async function () {
    this.timeout(ROUNDS * 15_000 + 120_000);
    ion.sandbox.control.set({ latency: 5 });
    const { userDir, done } = await prepare('crash', { perSecond: PER_SECOND, count: 1e9 });
    for (let round = 0; round < ROUNDS; round++) {
      const running = await RunningNodeRed.start(userDir, { settings: loadSettings });
      nodeRed = running;
      const before = (await done()).length;
      await until(async () => (await done()).length > before);
      // The moment is what the test is about, and is another one each time.
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
    const { written, repeated } = check(accepted);
    console.log(
      `      ${accepted.length} seen done, ${written} written, ${repeated} of them again`,
    );
    assert.ok(accepted.length > ROUNDS * 10);
  });

  it('loses nothing when it is redeployed in the middle of writing', async () => {
    ion.sandbox.control.set({ latency: 5 });
    const { userDir, done } = await prepare('redeploy', { perSecond: PER_SECOND, count: 1e9 });
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
    const { written, repeated } = check(
      (await done()).filter((line) => !line.includes('stopped or redeployed')),
    );
    console.log(`      ${written} written, ${repeated} of them again`);
    assert.ok(written > 300);
  });

  it('loses nothing when ION is away for 30 s and then answers badly', async function () {
    this.timeout(300_000);
    const way = await gate(ion.sandbox.url);
    try {
      const count = 30 * PER_SECOND;
      const { userDir, done } = await prepare('outage', { perSecond: PER_SECOND, count }, way.url);
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
      const { written, repeated } = check(await done());
      console.log(`      ${last.waiting} waited; ${written} written, ${repeated} of them again`);
      assert.equal(written, count);
      assert.equal((await outboxState(running)).givenUp, 0);
    } finally {
      await way.close();
    }
  });

  it(`needs disk, not memory, for ${WAITING} writes that wait`, async function () {
    this.timeout(300_000);
    const way = await gate(ion.sandbox.url);
    way.shut();
    try {
      const { userDir, done } = await prepare(
        'many',
        { perSecond: 20_000, count: WAITING },
        way.url,
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

/** By process, then by number: `<process>-<number>`. */
function byAge(a: string, b: string): number {
  const [[bootA = 0, numberA = 0], [bootB = 0, numberB = 0]] = [a, b].map((value) =>
    value.split('-').map(Number),
  ) as [number[], number[]];
  return bootA - bootB || numberA - numberB;
}

/** A way to a server that can be shut: then nothing gets through, and what is under way breaks. */
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
