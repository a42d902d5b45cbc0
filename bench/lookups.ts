import { setTimeout as sleep } from 'node:timers/promises';
import { labelOf } from '../sandbox/data/seed-labels.js';
import { createRun } from '../sandbox/graphql/mutations/runs.js';
import { type Sandbox, startSandbox } from '../sandbox/server.js';
import { sandboxConfig } from '../tools/flow-nodes.js';
import { measured } from './flows.js';
import { type BenchNodeRed, measure, withNodeRed } from './processes.js';
import type { Report } from './report.js';
import { percentile, shown, spread } from './statistics.js';

const ROUNDS = 3;
const UNITS = 1000;
const KNOWN = 200;
/** An answer of ION serves equal look-ups for a second. */
const RECENT_MS = 1100;
/** Requests of one look-up of a current step with its fields, and the values that are looked up. */
const WAYS = [
  { by: 'serial', requests: 1 },
  { by: 'barcode', requests: 2 },
] as const;
const place = { z: 'flow', x: 0, y: 0 };

interface Unit {
  serial: string;
  barcode: string;
}

/** Requests of many scans at once, and their latency while the network is cut. */
export async function measureLookups(report: Report): Promise<void> {
  report.heading('Look-ups');
  report.text(
    `ion-lookup with the sandbox, which runs in the measuring process. At once: scans of ${UNITS} units in a fresh flow, each with one run whose first step is available; requests, and seconds to the last answer. Network cut: the sandbox resets all connections, and ${KNOWN} of these scans come one after the other; the latency of each from the memory, in ms. Minimum / median / maximum of ${ROUNDS} runs.`,
  );
  const results = WAYS.map(({ by, requests }) => ({
    by,
    requests,
    sent: [] as number[],
    seconds: [] as number[],
    remembered: [] as number[],
    p50: [] as number[],
    p99: [] as number[],
  }));
  const tokens: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sandbox = await startSandbox({ port: 0, runs: 12 });
    const units = addUnits(sandbox);
    const { clientId, clientSecret } = sandbox;
    try {
      await withNodeRed(
        lookupFlow(sandbox),
        { config: { clientId, clientSecret } },
        async (nodeRed) => {
          for (const { by, sent, seconds } of results) {
            const before = sandbox.control.counters().api.total;
            const scans = await scan(nodeRed, by, {
              values: units.map((unit) => unit[by]),
              count: UNITS,
            });
            sent.push(sandbox.control.counters().api.total - before);
            seconds.push(scans.seconds);
          }
          tokens.push(sandbox.control.counters().token.total);
          cut(sandbox);
          await sleep(RECENT_MS);
          for (const { by, remembered, p50, p99 } of results) {
            // Evenly spread over all of them.
            const known = units.filter((_, i) => i % (UNITS / KNOWN) === 0);
            const values = known.map((unit) => unit[by]);
            const offline = await scan(nodeRed, by, { values, count: KNOWN, inFlight: 1 });
            const { latencies, origins } = offline;
            remembered.push(origins?.remembered ?? 0);
            p50.push(percentile(latencies, 0.5));
            p99.push(percentile(latencies, 0.99));
          }
        },
      );
    } finally {
      await sandbox.close();
    }
  }
  report.table(
    ['by', 'requests', 'seconds', 'network cut, p50', 'network cut, p99'],
    results.map(({ by, sent, seconds, p50, p99 }) => [
      by,
      shown(spread(sent)),
      shown(spread(seconds), 2),
      shown(spread(p50), 2),
      shown(spread(p99), 2),
    ]),
  );
  for (const { by, requests, sent, remembered, p50 } of results) {
    const most = spread(sent).max;
    report.check(most <= UNITS * requests, `${by}: ${most} requests (at most ${UNITS * requests})`);
    const least = spread(remembered).min;
    report.check(least === KNOWN, `${by}: ${least} of ${KNOWN} scans answered without a network`);
    const median = spread(p50).median;
    report.check(median <= 50, `${by}: ${median.toFixed(2)} ms from the memory (at most 50)`);
  }
  const most = spread(tokens).max;
  report.check(most === 1, `${most} token request for ${WAYS.length * UNITS} scans (1)`);
}

function scan(nodeRed: BenchNodeRed, by: string, options: object) {
  return measure(nodeRed, by, { ...options, message: {} });
}

/** Every request fails from now on, as without a network. */
function cut({ control }: Sandbox): void {
  const times = Number.MAX_SAFE_INTEGER;
  control.fault({ target: 'api', kind: 'reset', times }, { target: 'token', kind: 'reset', times });
}

/** Units with labels, each with a run to start. */
function addUnits({ data }: Sandbox): Unit[] {
  const [user] = data.users.all();
  const [template] = data.partInventories.all();
  if (!user || !template) throw new Error('The sandbox has no data');
  return Array.from({ length: UNITS }, (_, i) => {
    const serial = `BENCH-${i + 1}`;
    const { id: _id, ...columns } = template;
    const unit = data.partInventories.insert({ ...columns, serialNumber: serial });
    createRun({ procedureId: '1', partInventoryId: `${unit.id}` }, { store: data, user });
    const label = labelOf('PartInventory', unit.id);
    data.table('BarcodeLabel').insert(label as object);
    return { serial, barcode: JSON.stringify({ uid: label.iuid }) };
  });
}

function lookupNode(by: string): object {
  return {
    type: 'ion-lookup',
    config: 'config',
    by,
    value: 'payload',
    valueType: 'msg',
    part: '',
    partType: 'str',
    step: '',
    stepType: 'str',
    fields: true,
    remember: 24,
    output: 'work',
    outputs: 2,
  };
}

/** A node for each kind of value; an answer without a step is an error. */
function lookupFlow(sandbox: Sandbox): object[] {
  const nodes = WAYS.flatMap(({ by }) => {
    const [source, node, failed] = measured(by, lookupNode(by)) as [object, object, object];
    return [source, { ...node, wires: [[by], ['none']] }, failed];
  });
  const rule = { t: 'set', p: 'error.message', pt: 'msg', to: 'work.reason', tot: 'msg' };
  return [
    { id: 'flow', type: 'tab', label: 'bench' },
    sandboxConfig(sandbox),
    ...nodes,
    // A source takes whatever message comes next.
    { id: 'none', type: 'change', rules: [rule], wires: [WAYS.map(({ by }) => by)], ...place },
  ];
}
