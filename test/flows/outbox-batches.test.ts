import assert from 'node:assert/strict';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { gate } from '../support/gate.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, outboxState, pause, writeKinds } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

/** One write of each run is in flight, so that ten requests at once hold ten writes each. */
const RUNS = byLength({ soak: 200, usual: 100, brief: 100 });
const WRITES = 10 * RUNS;

describe('many writes of the outbox in one request', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;

  before(() => writes.begin(RUNS));
  beforeEach(() => writes.forget());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && nodeRed) {
      console.log(nodeRed.log.slice(-3000), await outboxState(nodeRed).catch(String));
    }
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  /** Accepts all writes while ION cannot be reached, and delivers them. */
  async function deliver(name: string, config: object, kinds = writeKinds, settings = {}) {
    const way = await gate(ion.sandbox.url);
    try {
      way.shut();
      const urls = { apiUrl: way.url, authUrl: way.url };
      const { userDir, done } = await writes.prepare(
        name,
        { perSecond: 1000, count: WRITES },
        { kinds, config: { ...urls, ...config } },
      );
      nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
      const running = nodeRed;
      await until(async () => (await done()).length >= WRITES);
      ion.sandbox.control.resetCounters();
      ion.sandbox.control.set({ latency: 100, ...settings });
      way.open();
      const begun = performance.now();
      await until(() => isEmpty(running));
      const seconds = (performance.now() - begun) / 1000;
      await pause(running);
      const { byOperation, total } = ion.sandbox.control.counters().api;
      const { written, repeated } = writes.check(await done());
      console.log(
        `      ${written} written, ${repeated} of them again; ${total} requests, ${byOperation.mutation} of them mutations; ${seconds.toFixed(1)} s`,
      );
      assert.equal(written, WRITES);
      return { mutations: byOperation.mutation, repeated };
    } finally {
      await way.close();
    }
  }

  for (const kind of writeKinds) {
    it(`takes a third of the requests of ion-${kind}, or fewer`, async function () {
      this.timeout(300_000);
      const { mutations, repeated } = await deliver(`auto-${kind}`, {}, [kind]);
      assert.ok(mutations <= WRITES / 3, `${mutations} requests`);
      assert.equal(repeated, 0);
    });
  }

  it('is off with the setting 1', async function () {
    this.timeout(300_000);
    const { mutations } = await deliver('off', { writesPerRequest: 1 });
    assert.ok(mutations >= WRITES, `${mutations} requests`);
  });

  it('loses none, in order, when requests, single writes and responses are lost', async function () {
    this.timeout(300_000);
    const effects = [
      { kind: 'status', status: 502 },
      { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
      { kind: 'reset' },
      { kind: 'half' },
      { kind: 'reset', execute: true },
      { kind: 'status', status: 504, execute: true },
    ] as const;
    await deliver('faults', {}, writeKinds, {
      latency: 20,
      randomFaults: { share: 0.05, effects: [...effects] },
      fieldFaults: [
        { message: '(psycopg2.errors.DeadlockDetected) deadlock detected', share: 0.05 },
        { message: 'server closed the connection unexpectedly', share: 0.01, execute: true },
      ],
    });
  });
});
