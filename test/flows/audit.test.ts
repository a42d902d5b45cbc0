import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { loadSettings } from '../support/load.js';
import { isEmpty, OutboxFlow, pause, writeKinds } from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const KILLS = byLength({ soak: 30, usual: 4, brief: 3 });
const RUNS = 20;
const PER_SECOND = 100;
const EFFECTS = [
  { kind: 'status', status: 502 },
  { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
  { kind: 'reset' },
  { kind: 'half' },
  { kind: 'reset', execute: true },
  { kind: 'status', status: 504, execute: true },
] as const;

interface AuditLine {
  time: string;
  state: 'sending' | 'ended';
  id: string;
  digest: string;
  node: string;
  type: string;
  flow: string;
  orderKey: string;
  operation: string;
  target: Record<string, string>;
  result?: string;
  mayHaveRun?: boolean;
}

describe('the log of writes of a Node-RED that is killed again and again', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  const writes = new OutboxFlow(ion, folder);
  let nodeRed: RunningNodeRed | undefined;
  let stopRecording = () => {};

  beforeEach(() => writes.begin(RUNS));
  afterEach(async () => {
    stopRecording();
    writes.end();
    await nodeRed?.stop();
    nodeRed = undefined;
  });

  /** Digests of the variables of all mutations that reach ION from now on. */
  const record = (): string[] => {
    const digests: string[] = [];
    const { control } = ion.sandbox;
    const { apiRequest } = control;
    control.apiRequest = (exchange) => {
      digests.push(...digestsIn(exchange.body.toString()));
      return apiRequest.call(control, exchange);
    };
    stopRecording = () => {
      control.apiRequest = apiRequest;
    };
    return digests;
  };
  const linesIn = async (userDir: string): Promise<AuditLine[]> => {
    const path = join(userDir, 'ion-audit');
    const files = (await readdir(path)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')));
    return texts
      .flatMap((text) => text.split('\n').filter(Boolean))
      .map((line) => JSON.parse(line));
  };

  it('lacks none of the writes that reached ION, alone or in shared documents', async function () {
    this.timeout(KILLS * 15_000 + 120_000);
    const { control } = ion.sandbox;
    control.set({ latency: 200, randomFaults: { share: 0.1, effects: [...EFFECTS] } });
    const arrived = record();
    const { userDir, done } = await writes.prepare(
      'audit',
      { perSecond: PER_SECOND, count: 1e9 },
      { kinds: writeKinds, config: { audit: true, retries: 1, timeout: 5 } },
    );
    const start = async () => {
      nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
      return nodeRed;
    };
    for (let round = 0; round < KILLS; round++) {
      const running = await start();
      const before = (await done()).length;
      await until(async () => (await done()).length > before);
      await sleep(Math.random() * 1000);
      // The test is about this moment: a write is in ION, and has no response yet.
      const seen = arrived.length;
      await until(() => arrived.length > seen);
      await running.kill();
    }
    const running = await start();
    const before = (await done()).length;
    await until(async () => (await done()).length > before + PER_SECOND);
    await pause(running);
    control.set({ randomFaults: null, latency: 0 });
    await until(() => isEmpty(running));
    await running.stop();
    nodeRed = undefined;

    const lines = await linesIn(userDir);
    const sending = lines.filter(({ state }) => state === 'sending');
    const ended = new Map(
      lines.filter(({ state }) => state === 'ended').map((line) => [line.id, line]),
    );
    const logged = new Set(sending.map(({ digest }) => digest));
    assert.deepEqual(
      arrived.filter((digest) => !logged.has(digest)),
      [],
    );
    const { written, repeated } = writes.check(await done());
    assert.ok(arrived.length >= written + repeated);
    console.log(
      `      ${arrived.length} mutations arrived, ${written} values written, ${repeated} of them again; ${sending.length} sent, ${ended.size} ended`,
    );
    assert.ok(written > KILLS * 10);
    const results = new Set([...ended.values()].map(({ result }) => result));
    assert.ok(results.has('ok') && results.size > 1, [...results].join());
    for (const { node, type, flow, orderKey, operation, target, time } of sending) {
      assert.match(`${node} ${type}`, /^node-[01] ion-(step|graphql)$/);
      assert.equal(flow, 'flow');
      assert.match(orderKey, /^\d+$/);
      assert.equal(operation, 'UpdateRunStepFieldValue');
      assert.match(String(target.id), /^\d+$/);
      assert.ok(Date.parse(time) > 0);
    }
    // Each request of the last process has an outcome.
    const last = sending.at(-1)?.id.split('-')[0];
    const open = sending.filter(({ id }) => !ended.has(id)).map(({ id }) => id.split('-')[0]);
    assert.ok(!open.includes(last));
    assert.ok(open.length > 0, 'no write was interrupted');
    const text = JSON.stringify(lines);
    assert.ok(!text.includes('"value"') && !text.includes(ion.sandbox.clientSecret));
  });
});

/** Digests of the variables of each mutation in the body of a request. */
function digestsIn(body: string): string[] {
  const { query, variables = {} } = JSON.parse(body) as {
    query: string;
    variables?: Record<string, unknown>;
  };
  if (!query.startsWith('mutation')) return [];
  const members = new Map<string, Record<string, unknown>>();
  for (const [name, value] of Object.entries(variables)) {
    const [, member = '', own = name] = /^(p\d+)_(.*)$/.exec(name) ?? [];
    members.set(member, { ...members.get(member), [own]: value });
  }
  return [...members.values()].map((each) =>
    createHash('sha256').update(sorted(each)).digest('hex'),
  );
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, each) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
