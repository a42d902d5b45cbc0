import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultEffect } from '../../sandbox/server.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength, isSoak } from '../support/length.js';
import { LoadControl, type LoadReport, loadSettings, underLoad } from '../support/load.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const MESSAGES = byLength({ soak: 200_000, usual: 20_000, brief: 10_000 });
const RUNS = 50;
const QUEUE_LIMIT = 1000;
const CONCURRENCY = 10;
/** Every n-th message creates a run. */
const MUTATIONS = 20;

/** Some after the operation was executed, so that a mutation must not be retried. */
const FAULTS: (FaultEffect & { execute?: boolean })[] = [
  { kind: 'reset', execute: true },
  { kind: 'half', execute: true },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 500, execute: true },
  { kind: 'status', status: 502, execute: true },
  { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
  { kind: 'status', status: 504, execute: true },
  { kind: 'unauthorized' },
  { kind: 'graphql', errors: [{ message: 'The part is not in stock.' }] },
  { kind: 'body', body: '<html>', contentType: 'text/html', execute: true },
  { kind: 'latency', ms: 100 },
];

describe('a real Node-RED at full speed', function () {
  this.timeout(isSoak ? 1_800_000 : 180_000);
  const ion = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let load: LoadControl;

  before(async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const { clientId, clientSecret } = ion.sandbox;
    const target = { ...graphqlNode, query: 'query', queryType: 'msg' };
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        sandboxConfig(ion.sandbox, { concurrency: CONCURRENCY, queueLimit: QUEUE_LIMIT }),
        { ...sandboxConfig(ion.sandbox, { concurrency: 1 }), id: 'one' },
        ...underLoad('load', target),
        ...underLoad('ordered', { ...target, id: 'in-order', config: 'one' }),
      ],
      { config: { clientId, clientSecret }, one: { clientId, clientSecret } },
    );
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    load = new LoadControl(nodeRed);
  });
  after(() => nodeRed?.stop());

  const finished = async (id: string): Promise<LoadReport> => {
    await until(async () => (await load.report(id)).outstanding === 0);
    return load.report(id);
  };

  it(`answers or fails each of ${MESSAGES} messages once, with its own result, in constant memory`, async () => {
    ion.sandbox.control.set({ randomFaults: { share: 0.01, effects: FAULTS } });
    const window = QUEUE_LIMIT - 100;
    await load.start('load', { count: MESSAGES, window, runs: RUNS, mutations: MUTATIONS });
    await until(async () => (await load.report('load')).sent === MESSAGES);
    const report = await finished('load');
    const { heap, ...counts } = report;
    console.log(`      ${JSON.stringify(counts)}`);

    const failed = Object.values(report.failed).reduce((sum, number) => sum + number, 0);
    assert.equal(report.sent, MESSAGES);
    assert.equal(report.answered + failed, MESSAGES);
    assert.equal(report.twice, 0, 'messages came back twice');
    assert.equal(report.mixedUp, 0, 'messages came back as others');
    assert.deepEqual(
      Object.keys(report.failed).filter((code) => !EXPECTED_FAILURES.has(code)),
      [],
    );
    // Most faults end with the next attempt.
    assert.ok(failed < MESSAGES * 0.01 && failed > 0, `${failed} failed`);

    const contract = await load.contract();
    assert.equal(contract.received, MESSAGES);
    assert.equal(contract.ended, MESSAGES);
    assert.equal(contract.endedTwice + contract.open, 0);

    const created = ion.sandbox.data.runs.all().map(({ title }) => title);
    const mutations = created.filter((title) => /^load \d+$/.test(title ?? ''));
    assert.equal(new Set(mutations).size, mutations.length, 'a mutation ran twice');
    assert.ok(mutations.length >= report.mutationsAnswered, 'an answered mutation is lost');
    assert.ok(report.mutationsAnswered > 0.9 * (MESSAGES / MUTATIONS));

    const { peakConcurrent } = ion.sandbox.control.counters().api;
    assert.ok(peakConcurrent <= CONCURRENCY, `${peakConcurrent} requests at once`);
    const allowed = (report.durationMs / 1000) * 5 + 2;
    assert.ok(
      report.statuses > 0 && report.statuses <= allowed,
      `${report.statuses} status changes`,
    );

    const second = median(heap.slice(5, 10));
    const last = median(heap.slice(45, 50));
    console.log(`      heap: ${megabytes(second)} MB, at the end ${megabytes(last)} MB`);
    assert.equal(heap.length, 50);
    assert.ok(last < second * 1.1, 'memory grew');
  });

  it('queues as many as allowed, and fails the others at once with ION_OVERLOADED', async () => {
    const count = 3000;
    // Until all messages are there.
    ion.sandbox.control.fault({ target: 'api', kind: 'latency', ms: 8000, times: CONCURRENCY });
    await load.start('load', { count, runs: RUNS });
    const { answered, failed } = await finished('load');
    assert.equal(answered, CONCURRENCY + QUEUE_LIMIT);
    assert.deepEqual(failed, { ION_OVERLOADED: count - CONCURRENCY - QUEUE_LIMIT });
  });

  it('answers in the order of the messages with one in flight at a time', async () => {
    await load.start('ordered', { count: 1000, window: 500, runs: RUNS });
    const { answered, outOfOrder } = await finished('ordered');
    assert.equal(answered, 1000);
    assert.equal(outOfOrder, 0);
  });
});

/** Remaining failures after the retries. */
const EXPECTED_FAILURES = new Set([
  'ION_NETWORK',
  'ION_SERVER',
  'ION_RESPONSE',
  'ION_GRAPHQL',
  'ION_RATE_LIMITED',
  'ION_AUTH',
]);

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
