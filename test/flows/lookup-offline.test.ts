import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { blankStep } from '../../sandbox/data/row-templates.js';
import { eventsNode, type FlowNode, lookupNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { type Gate, gate } from '../support/gate.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const KNOWN = 200;
const AT_ONCE = 10;
const RENAME = `mutation Rename($id: ID!, $etag: String!, $title: String) {
  updateRun(input: { id: $id, etag: $etag, title: $title }) { run { id } } }`;

/** The response of the flow to a scan. */
interface Scanned {
  source?: 'ion' | 'remembered';
  run?: { id: number; title: string };
  step?: { id: number };
  found?: string;
  error?: { code: string };
}

describe('scans in a real Node-RED whose network is cut', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let known: string[];
  let way: Gate;
  let nodeRed: RunningNodeRed;
  let userDir: string;
  let count = 0;

  before(() => {
    const { data } = ion.sandbox;
    const [unit, run] = [data.partInventories.all()[0], data.runs.all()[0]];
    assert.ok(unit && run);
    known = Array.from({ length: KNOWN }, (_, index) => {
      const serialNumber = `OFFLINE-${index}`;
      const partInventoryId = data.partInventories.insert({ ...newRow(unit), serialNumber }).id;
      const { id } = data.runs.insert({ ...newRow(run), partInventoryId, runBatchId: null });
      data.runSteps.insert({ ...blankStep(id, 'Assemble', 0), status: 'IN_PROGRESS' });
      return serialNumber;
    });
  });
  beforeEach(async () => {
    way = await gate(ion.sandbox.url);
    userDir = join(folder.path, `user-${++count}`);
    await mkdir(userDir);
  });
  afterEach(async () => {
    await nodeRed.stop();
    await way.close();
  });

  const launch = async () => {
    nodeRed = await RunningNodeRed.start(userDir);
  };
  const start = async (more: FlowNode[] = []) => {
    const place = { z: 'flow', x: 0, y: 0 };
    const respond = { id: 'respond', type: 'http response', wires: [], ...place };
    const change = (id: string, to: string) => ({
      ...{ id, type: 'change', wires: [['respond']], ...place },
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to, tot: 'jsonata' }],
    });
    const flow: FlowNode[] = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(ion.sandbox, { apiUrl: way.url, authUrl: way.url }),
      { id: 'scan', type: 'http in', url: '/scan', method: 'post', wires: [['node']], ...place },
      {
        ...lookupNode,
        by: 'serial',
        value: 'payload.code',
        outputs: 2,
        wires: [['work'], ['work']],
        ...place,
      },
      { id: 'catch', type: 'catch', scope: ['node'], wires: [['failed']], ...place },
      change('work', 'work'),
      change('failed', '{ "error": error }'),
      respond,
      ...more.map((node) => ({ ...node, ...place })),
    ];
    const { clientId, clientSecret } = ion.sandbox;
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    await launch();
  };
  const scan = async (code: string): Promise<Scanned> => {
    const response = await fetch(`${nodeRed.url}/scan`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    return (await response.json()) as Scanned;
  };
  /** Scans one after the other, in several lines at once. */
  const scanAll = async (
    codes: readonly string[],
    seen: (code: string, result: Scanned, durationMs: number) => void,
  ) => {
    const rest = [...codes];
    const line = async () => {
      for (let code = rest.shift(); code !== undefined; code = rest.shift()) {
        const began = performance.now();
        seen(code, await scan(code), performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, line));
  };
  const rename = async (id: number, title: string) => {
    const client = ion.client();
    const { signal } = new AbortController();
    const read = parseOperation('query ($id: ID!) { run(id: $id) { _etag } }');
    const { data } = await client.request(read, { signal, variables: { id } });
    const { _etag: etag } = (data as { run: { _etag: string } }).run;
    await client.request(parseOperation(RENAME), { signal, variables: { id, etag, title } });
  };
  /** The files of the memory; those that are written first are not compressed. */
  const onDisk = async () => {
    const memories = join(userDir, 'ion-lookup');
    const found = await readdir(memories, { recursive: true }).catch(() => []);
    const logs = found.filter((path) => path.endsWith('.log'));
    return (await Promise.all(logs.map((path) => readFile(join(memories, path), 'utf8')))).join();
  };
  const titleOf = async (code: string) => {
    const { source, run } = await scan(code);
    return `${source} ${run?.title}`;
  };

  it('are answered from memory after a SIGKILL, as far as ION answered them a second before; unknown ones go to Catch', async () => {
    await start();
    const answered = new Map<string, { at: number; step: unknown }>();
    const early = () => [...answered].filter(([, { at }]) => Date.now() - at > 1000);
    const scanning = scanAll(known, (code, { source, step }) => {
      assert.equal(source, 'ion');
      answered.set(code, { at: Date.now(), step: step?.id });
    }).catch(() => {});
    await until(() => answered.size === KNOWN || early().length > KNOWN / 2);
    const lasting = early();
    await nodeRed.kill();
    await scanning;
    way.shut();
    await launch();
    const stepOf = new Map(lasting.map(([code, { step }]) => [code, step]));
    await scanAll([...stepOf.keys()], (code, { source, step }) => {
      assert.deepEqual([source, step?.id], ['remembered', stepOf.get(code)]);
    });
    console.log(`      ${lasting.length} of ${answered.size} answers were a second old`);
    const { error } = await scan('no such unit');
    assert.equal(error?.code, 'ION_NETWORK');
  });

  it('serve all known units, until the first answer of ION replaces what is remembered', async () => {
    await start();
    await scanAll(known, (_code, { source }) => assert.equal(source, 'ion'));
    way.shut();
    const [first = '', last = ''] = [known[0], known.at(-1)];
    // The answers of the last second count as new.
    await until(async () => (await scan(last)).source === 'remembered');
    const durations: number[] = [];
    await scanAll(known, (_code, { source }, durationMs) => {
      assert.equal(source, 'remembered');
      durations.push(durationMs);
    });
    durations.sort((one, other) => one - other);
    console.log(`      median ${Math.round(durations[KNOWN / 2] ?? 0)} ms, ${AT_ONCE} at once`);
    const unknown = await Promise.all([scan('no such unit'), scan('nor this')]);
    assert.deepEqual(
      unknown.map(({ error }) => error?.code),
      ['ION_NETWORK', 'ION_NETWORK'],
    );
    const { run } = await scan(first);
    const title = 'Renamed while the network was cut';
    await rename(run?.id ?? 0, title);
    assert.notEqual(await titleOf(first), `remembered ${title}`);
    way.open();
    await until(async () => (await titleOf(first)) === `ion ${title}`);
    assert.equal((await scan('no such unit')).found, 'none');
    assert.equal((await scan(last)).source, 'ion');
    way.shut();
    await until(async () => (await titleOf(first)) === `remembered ${title}`);
  });

  it('of a thousand codes at once cost one request each and one token, and of one code ten times one', async () => {
    await start();
    const unknown = Array.from({ length: 1000 - KNOWN }, (_, index) => `UNKNOWN-${index}`);
    const codes = [...known, ...unknown];
    const results = await Promise.all(codes.map(scan));
    assert.deepEqual(
      results.filter(({ source }) => source !== 'ion'),
      [],
    );
    const counters = () => ion.sandbox.control.counters();
    const { api, token } = counters();
    assert.deepEqual([api.total, token.total], [1000, 1]);
    // The answers of the last second would cost nothing at all.
    const code = 'no such unit';
    const ten = await Promise.all(Array.from({ length: 10 }, () => scan(code)));
    assert.ok(ten.every(({ found }) => found === 'none'));
    assert.equal(counters().api.total, 1001);
  });

  for (const via of ['poll', 'webhook'] as const) {
    it(`serve what ion-events found out before, by ${via}`, async () => {
      const events = { ...eventsNode, id: 'events', resource: 'RUNS', via };
      await start([{ ...events, interval: 1, path: '/events', verify: false, wires: [[]] }]);
      const [code = ''] = known;
      const { run } = await scan(code);
      const { control } = ion.sandbox;
      // The first poll only sets the beginning.
      if (via === 'poll') await until(() => control.counters().api.total >= 3);
      const title = `Renamed before the network was cut (${via})`;
      await rename(run?.id ?? 0, title);
      if (via === 'webhook') {
        const response = await fetch(`${nodeRed.url}/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ resource: 'RUNS', action: 'UPDATE', object_id: run?.id }),
        });
        assert.equal(response.status, 200);
      }
      // Nobody scans it again before the network is cut.
      await until(async () => (await onDisk()).includes(title));
      way.shut();
      await until(async () => (await titleOf(code)) === `remembered ${title}`);
    });
  }
});

/** The columns of a row without those that a new one gets. */
function newRow<R extends { id: number; _created: unknown; _updated: unknown; _etag: unknown }>(
  row: R,
): Omit<R, 'id' | '_created' | '_updated' | '_etag'> {
  const { id: _id, _created, _updated, _etag, ...columns } = row;
  return columns;
}
