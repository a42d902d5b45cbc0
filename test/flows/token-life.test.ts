import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../../sandbox/server.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { LoadControl, type LoadReport, loadSettings, underLoad } from '../support/load.js';
import { type SandboxInTests, useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const SECONDS = byLength({ soak: 150, usual: 9, brief: 6 });
const PER_SECOND = 50;
const RUNS = 20;
const LIFETIMES = [2, 5, 60];

describe('access tokens in a real Node-RED under steady load', function () {
  this.timeout((SECONDS + 60) * 1000);
  /** One ION for each lifetime. */
  const ions = new Map<number, SandboxInTests>(
    LIFETIMES.map((tokenLifetime) => [tokenLifetime, useSandbox({ runs: RUNS, tokenLifetime })]),
  );
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let load: LoadControl;

  const ionOf = (lifetime: number): Sandbox => {
    const ion = ions.get(lifetime);
    assert.ok(ion);
    return ion.sandbox;
  };

  before(async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const target = { ...graphqlNode, query: 'query', queryType: 'msg' };
    const configs = [
      ...LIFETIMES.map((lifetime) => ({
        ...sandboxConfig(ionOf(lifetime), { queueLimit: 10_000 }),
        id: `life-${lifetime}`,
      })),
      { ...sandboxConfig(ionOf(60), { timeout: 2, retries: 0 }), id: 'patient' },
    ];
    const key = (sandbox: Sandbox) => ({
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
    });
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        ...configs,
        ...configs.flatMap(({ id }) =>
          underLoad(`load-${id}`, { ...target, id: `node-${id}`, config: id }),
        ),
      ],
      {
        ...Object.fromEntries(LIFETIMES.map((life) => [`life-${life}`, key(ionOf(life))])),
        patient: key(ionOf(60)),
      },
    );
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    load = new LoadControl(nodeRed);
  });
  after(() => nodeRed?.stop());

  const reached = async (id: string, condition: (report: LoadReport) => boolean) => {
    await until(async () => condition(await load.report(id)));
    return load.report(id);
  };
  const stopped = async (id: string) => {
    await load.stop(id);
    return reached(id, ({ outstanding }) => outstanding === 0);
  };
  const start = (id: string) => load.start(id, { perSecond: PER_SECOND, runs: RUNS });
  const failures = ({ failed }: LoadReport) =>
    Object.values(failed).reduce((sum, number) => sum + number, 0);

  it(`of ${LIFETIMES.join(', ')} s fail no message by expiring, and are requested no more often than needed`, async () => {
    for (const life of LIFETIMES) await start(`load-life-${life}`);
    for (const life of LIFETIMES) {
      await reached(`load-life-${life}`, ({ sent }) => sent >= SECONDS * PER_SECOND);
    }
    for (const life of LIFETIMES) {
      const { answered, failed, sent, durationMs } = await stopped(`load-life-${life}`);
      const { total } = ionOf(life).control.counters().token;
      console.log(`      ${life} s: ${answered} answered, ${total} token requests`);
      assert.deepEqual(failed, {});
      assert.equal(answered, sent);
      const seconds = durationMs / 1000;
      // The next one is requested in the last fifth, or 30 s before the end, but not before half.
      const refreshAfter = life - Math.max(life / 5, Math.min(30, life / 2));
      assert.ok(total <= 1 + Math.ceil(seconds / refreshAfter), `${total} token requests`);
      assert.ok(total >= Math.floor(seconds / (life + 1)), `${total} token requests`);
    }
  });

  it('that are revoked under load cost one request, and no message', async () => {
    const { control } = ionOf(60);
    await start('load-life-60');
    await reached('load-life-60', ({ answered }) => answered >= 20);
    control.resetCounters();
    control.revokeTokens();
    const { answered } = await load.report('load-life-60');
    await reached('load-life-60', (report) => report.answered >= answered + 100);
    const report = await stopped('load-life-60');
    assert.deepEqual(report.failed, {});
    assert.equal(control.counters().token.total, 1);
  });

  it('recover automatically after the auth server was unreachable for longer than their lifetime', async () => {
    const { control } = ionOf(2);
    await start('load-life-2');
    await reached('load-life-2', ({ answered }) => answered >= 20);
    control.fault({ target: 'token', kind: 'reset', times: 100_000 });
    control.resetCounters();
    // Two seconds' messages, and three for which there was no token.
    const down = await reached('load-life-2', (report) => failures(report) >= 150);
    assert.deepEqual(Object.keys(down.failed), ['ION_NETWORK']);
    const { total } = control.counters().token;
    assert.ok(total < 40, `${total} token requests for ${failures(down)} messages`);
    control.clearFaults();
    const { answered } = down;
    const up = await reached('load-life-2', (report) => report.answered >= answered + 100);
    const report = await stopped('load-life-2');
    assert.equal(failures(report), failures(up), 'a message failed after it was well again');
    assert.deepEqual(Object.keys(report.failed), ['ION_NETWORK']);
  });

  it('of a refused key are requested at the pace of the back-off, until it works again', async () => {
    const { control } = ionOf(2);
    await start('load-life-2');
    await reached('load-life-2', ({ answered }) => answered >= 20);
    control.set({ keyEnabled: false });
    const begun = performance.now();
    const down = await reached('load-life-2', (report) => failures(report) >= 200);
    const seconds = (performance.now() - begun) / 1000;
    assert.deepEqual(Object.keys(down.failed), ['ION_AUTH']);
    // At 0, 1, 3, 7 s and so on; refreshes ahead of the end count as well.
    const { refused } = control.counters().token;
    assert.ok(refused <= 2 + Math.log2(seconds + 1), `${refused} requests in ${seconds} s`);
    control.set({ keyEnabled: true });
    await reached('load-life-2', (report) => report.answered >= down.answered + 100);
    await stopped('load-life-2');
  });

  it('that do not arrive fail a thousand messages together', async () => {
    const { control } = ionOf(60);
    control.fault({ target: 'token', kind: 'hang', times: 1000 });
    await load.start('load-patient', { count: 1000, runs: RUNS });
    const report = await reached('load-patient', ({ outstanding }) => outstanding === 0);
    assert.deepEqual(report.failed, { ION_TIMEOUT: 1000 });
    // One, and another if this machine is too busy to fail all messages within a second.
    const { total } = control.counters().token;
    assert.ok(total <= 3, `${total} token requests`);
  });
});
