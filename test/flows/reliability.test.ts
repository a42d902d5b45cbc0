import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '../../sandbox/server.js';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { selfSigned } from '../support/certificates.js';
import {
  type ByOutbox,
  type Endpoint,
  type Expected,
  type FaultCase,
  faultRows,
  LIST,
  type OperationKind,
  type Places,
  SHORT_TIMEOUT,
} from '../support/fault-matrix.js';
import { OutboxTrial } from '../support/outbox-trial.js';
import { withoutPauses } from '../support/pauses.js';
import { useSandbox } from '../support/sandbox.js';
import { httpServer, type TestServer, unusedPort } from '../support/servers.js';

const MAY_HAVE_RUN = /It may have been executed\. Check in ION before you send it again\./;
/** As in a factory: the table contains the total of the pauses of three retries. */
const MAX_PAUSES_MS = [0, 250, 750, 1750];
/** So that hundreds of faults take a minute; the length of the pauses has tests of its own. */
const PAUSE_SHARE = 0.1;
/** Allowance for a busy machine; a DNS that does not answer takes its time. */
const LEEWAY_MS = 5000;
const DNS_MS = 40_000;
const ALL_REQUESTS = 1000;

const page = join(root, 'docs', 'reliability.md');
const BEGIN = '<!-- The tables below are written by `npm run docs`, from the tests. -->';

const texts: Record<OperationKind, string> = {
  query: 'query ($id: ID!) { run(id: $id) { id title } }',
  mutation:
    'mutation ($title: String!) { createRun(input: { title: $title }) { run { id title } } }',
};

/** The flow's response to one message. */
interface Outcome {
  payload: {
    run?: { id: number };
    createRun?: { run: { title: string } };
    runs?: { edges: { node: { id: number } }[] };
  };
  ion: { attempts: number; durationMs: number; mayHaveRun?: boolean };
  error?: { code: string; message: string };
}

interface Cell extends Expected {
  id: string;
  row: number;
  name: string;
  endpoint: Endpoint;
  kind: OperationKind;
  faultCase: FaultCase;
}

const cells: Cell[] = faultRows.flatMap((faultRow, row) =>
  (['api', 'token'] as const).flatMap((endpoint) =>
    (['query', 'mutation'] as const).map((kind) => ({
      ...faultRow[endpoint][kind],
      id: `${endpoint}-${row}-${kind}`,
      row,
      name: faultRow.name,
      endpoint,
      kind,
      faultCase: faultRow[endpoint],
    })),
  ),
);

describe('reliability: in a real Node-RED', () => {
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let untrusted: TestServer;
  /** Contents of the tables, by the IDs of the cells. */
  const observed = new Map<string, string>();
  /** Outcomes in the outbox, by endpoint and row. */
  const writes = new Map<string, ByOutbox>();
  let places: Places;

  before(async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const { clientId, clientSecret } = ion.sandbox;
    untrusted = await httpServer(() => {}, await selfSigned({ ip: '127.0.0.1' }));
    const nobody = `http://127.0.0.1:${await unusedPort()}`;
    places = { nobody, untrusted: untrusted.url };
    const flow = cells.flatMap(({ id, kind, faultCase }) => [
      sandboxConfig(ion.sandbox, { ...faultCase.config?.(places), id: `config-${id}` }),
      ...onCanvas(
        { id: `in-${id}`, type: 'http in', url: `/${id}`, method: 'post', wires: [[id]] },
        {
          ...graphqlNode,
          id,
          config: `config-${id}`,
          query: texts[kind],
          variables: 'payload',
          ...(kind === 'query' && faultCase.queryNode),
          wires: [['reported']],
        },
      ),
    ]);
    const credentials = Object.fromEntries(
      cells.map(({ id }) => [`config-${id}`, { clientId, clientSecret }]),
    );
    await prepareUserDir(userDir, [...flow, ...tail], credentials);
    nodeRed = await RunningNodeRed.start(userDir, {
      env: {
        NODE_OPTIONS: `--require ${join(root, 'test/support/inside-node-red.cjs')}`,
        PAUSE_SHARE: String(PAUSE_SHARE),
      },
      settings: { logging: { console: { level: 'info' } } },
    });
  });
  after(async () => {
    await nodeRed?.stop();
    await untrusted?.close();
  });

  const message = async ({ id, kind }: Cell, title = id): Promise<Outcome> => {
    const response = await fetch(`${nodeRed.url}/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(kind === 'query' ? { id: 7 } : { title }),
    });
    return (await response.json()) as Outcome;
  };

  const begin = async (
    { effect, times = ALL_REQUESTS, match, prepare }: FaultCase,
    endpoint: Endpoint,
    execute: boolean,
    warmUp: () => Promise<void>,
  ) => {
    const { control } = ion.sandbox;
    await prepare?.({
      sandbox: ion.sandbox,
      warmUp,
      jumpClock: async () => {
        const jumps = count(nodeRed.log, '[clock jumped]');
        nodeRed.signal('SIGWINCH');
        await nodeRed.until(() => count(nodeRed.log, '[clock jumped]') > jumps);
      },
    });
    control.resetCounters();
    if (!effect) return;
    const more = { target: endpoint, times, execute, ...(match && { match }) };
    control.fault({ ...(typeof effect === 'function' ? effect() : effect), ...more } as Fault);
  };

  const beginCell = (cell: Cell, execute: boolean) =>
    begin(cell.faultCase, cell.endpoint, execute, async () => {
      assert.equal((await message(cell, 'warm-up')).error, undefined);
    });

  const executed = (title: string) =>
    ion.sandbox.data.runs.all().filter((run) => run.title === title).length;

  /** Requests to the endpoint; if nobody can count them, the connection attempts. */
  const tries = async (cell: Cell, outcome: Outcome, log: number): Promise<number> => {
    if (cell.endpoint === 'api') return outcome.ion.attempts;
    if (!cell.faultCase.config || cell.timeouts) return ion.sandbox.control.counters().token.total;
    const connects = () => count(nodeRed.log.slice(log), '[connect]');
    await nodeRed.until(() => connects() >= cell.tries);
    return connects();
  };

  for (const cell of cells) {
    const ending = cell.code ?? 'answered';
    it(`${cell.endpoint}, ${cell.kind}: ${cell.name} → ${ending}`, async () => {
      await beginCell(cell, false);
      const log = nodeRed.log.length;
      const outcome = await message(cell);
      const { error, payload, ion: details } = outcome;
      assert.equal(error?.code, cell.code, error?.message);
      assert.equal(await tries(cell, outcome, log), cell.tries, 'tries');
      checkTime(cell, details.durationMs);
      const isMutation = cell.kind === 'mutation';
      const mayHaveRun = isMutation && !!cell.mayHaveRun;
      assert.equal(MAY_HAVE_RUN.test(error?.message ?? ''), mayHaveRun);
      assert.equal(details.mayHaveRun, mayHaveRun || undefined);
      if (isMutation) assert.equal(executed(cell.id), error ? 0 : 1);
      if (!error && isMutation) assert.equal(payload.createRun?.run.title, cell.id);
      if (!error && !isMutation) {
        if (payload.runs) assert.equal(new Set(idsOf(payload.runs)).size, LIST);
        else assert.equal(payload.run?.id, 7);
      }
      observed.set(cell.id, told(cell, error?.message));
    });
  }

  it('a refused key works again automatically', async () => {
    const cell = cells.find(
      ({ name, endpoint }) => name === 'HTTP 401 once' && endpoint === 'token',
    );
    assert.ok(cell);
    ion.sandbox.control.resetCounters();
    // The message of its own test was refused.
    while ((await message(cell)).error?.code === 'ION_AUTH');
    assert.equal((await message(cell)).error, undefined);
    assert.equal(ion.sandbox.control.counters().token.total, 1);
  });

  describe('a mutation that was executed before its response was lost runs once, and the user is informed', () => {
    for (const cell of cells) {
      if (cell.kind !== 'mutation' || cell.endpoint !== 'api') continue;
      // In a case that turns the operation away, the server says that it did not execute it.
      const wasExecuted = !cell.faultCase.turnsAway && cell.faultCase.effect !== undefined;
      it(`${cell.name}${wasExecuted ? '' : ', if it cannot have run'}`, async () => {
        const title = `${cell.id} again`;
        // Another row has revoked the token, so that this one's first request would be rejected.
        if (wasExecuted) assert.equal((await message(cell, 'warm-up')).error, undefined);
        await beginCell(cell, wasExecuted);
        const { error } = await message(cell, title);
        assert.equal(error?.code, cell.code, error?.message);
        assert.equal(executed(title), wasExecuted || !error ? 1 : 0);
        assert.equal(MAY_HAVE_RUN.test(error?.message ?? ''), wasExecuted && error !== undefined);
      });
    }
  });

  describe('a write through the outbox', () => {
    withoutPauses();
    for (const endpoint of ['api', 'token'] as const) {
      for (const [row, { name, [endpoint]: faultCase }] of faultRows.entries()) {
        const expected = byOutbox(endpoint, faultCase);
        it(`${endpoint}: ${name} → ${expected}`, async () => {
          const trial = await OutboxTrial.start(ion, faultCase.config?.(places) ?? {});
          try {
            await begin(faultCase, endpoint, false, () => trial.warmUp());
            const value = `${endpoint}-${row}`;
            const isPassing = expected === 'delivered';
            assert.equal(await trial.become(value, isPassing), expected);
            ion.sandbox.control.clearFaults();
            if (expected !== 'rejects' && !faultCase.config) await trial.delivered(value);
            writes.set(`${endpoint}-${row}`, expected);
          } finally {
            await trial.close();
          }
        });
      }
    }
  });

  describe('docs/reliability.md', () => {
    it('matches the results', async () => {
      const missing = cells.filter(
        ({ id, endpoint, row }) => !observed.has(id) || !writes.has(`${endpoint}-${row}`),
      );
      assert.deepEqual(missing, [], 'the tables are made of all tests');
      const [head = ''] = (await readFile(page, 'utf8')).split(BEGIN);
      const expected = `${head}${BEGIN}\n${tables(observed, writes)}`;
      if (process.env.WRITE_DOCS === 'true') await writeFile(page, expected);
      const found = await readFile(page, 'utf8');
      assert.equal(found, expected, 'docs/reliability.md is out of date: npm run docs');
    });
  });
});

const place = { z: 'flow', x: 0, y: 0 };
function onCanvas(...nodes: FlowNode[]): FlowNode[] {
  return nodes.map((node) => ({ ...node, ...place }));
}

/** End of all messages, answered or caught. */
const tail: FlowNode[] = [
  { id: 'flow', type: 'tab', label: 'test' },
  ...onCanvas(
    { id: 'catch', type: 'catch', scope: null, wires: [['reported']] },
    {
      id: 'reported',
      type: 'function',
      outputs: 1,
      func: `const { payload, ion, error } = msg;
        msg.payload = { payload, ion, error: error && { code: error.code, message: error.message } };
        return msg;`,
      wires: [['out']],
    },
    { id: 'out', type: 'http response', wires: [] },
  ),
];

function checkTime(cell: Cell, durationMs: number): void {
  const { pauses = 0, timeouts = 0, asked = { least: 0, most: 0 } } = cell;
  // Node's timers and the rounding may subtract a few ms.
  const least = timeouts * SHORT_TIMEOUT * 1000 + asked.least - 10;
  const most =
    least +
    asked.most +
    (MAX_PAUSES_MS[pauses] ?? 0) * PAUSE_SHARE +
    (cell.name.includes('DNS') ? DNS_MS : LEEWAY_MS);
  assert.ok(durationMs >= least && durationMs <= most, `${durationMs} ms: not ${least} to ${most}`);
}

function time({ pauses = 0, timeouts = 0, asked }: Expected): string {
  if (asked)
    return asked.least === asked.most ? 'after 1 s, as requested' : 'at the requested time';
  const waits = [
    ...(timeouts > 0 ? [`${timeouts} × the timeout`] : []),
    ...(pauses > 0 ? [`pauses of up to ${(MAX_PAUSES_MS[pauses] ?? 0) / 1000} s`] : []),
  ];
  return waits.join(' plus ') || 'at once';
}

const OUTBOX_TEXTS: Record<ByOutbox, string> = {
  waits: 'stays pending',
  tries: '15 attempts or more, over at least 15 min; then rejected',
  rejects: 'rejected',
  delivered: 'delivered',
};

function byOutbox(endpoint: Endpoint, { outbox, times, effect, config }: FaultCase): ByOutbox {
  if (endpoint === 'token' && outbox === 'rejects') return 'waits';
  const isOver = times !== undefined || (effect === undefined && config === undefined);
  return outbox ?? (isOver ? 'delivered' : 'waits');
}

/** One cell of the table. */
function told(cell: Cell, text: string | undefined): string {
  const { tries, code, endpoint } = cell;
  const host = endpoint === 'api' ? 'api.example.com' : 'auth.example.com';
  // The machine's own address and the ports of this run mean nothing to a reader.
  const readable = text
    ?.replace(/^IonError: /, '')
    .replaceAll(/\(connect ECONNREFUSED [\d.:]+\)/g, '(connect ECONNREFUSED …)')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, `https://${host}`)
    .replaceAll(/127\.0\.0\.1:\d+/g, host)
    .replaceAll('|', '\\|');
  const count = tries === 0 ? 'no request' : `${tries} ${tries === 1 ? 'attempt' : 'attempts'}`;
  const head = `${code ? `\`${code}\`` : 'success'} · ${count} · ${time(cell)}`;
  return readable === undefined ? head : `${head}<br>${readable}`;
}

function tables(observed: Map<string, string>, writes: Map<string, ByOutbox>): string {
  const table = (endpoint: Endpoint) =>
    faultRows.map(({ name, [endpoint]: { note } }, row) => {
      const [query, mutation] = ['query', 'mutation'].map((kind) =>
        observed.get(`${endpoint}-${row}-${kind}`),
      );
      const what = note ? `${name}<br>_${note}_` : name;
      const [text] = query?.split('<br>').slice(1) ?? [];
      const isSameText = text !== undefined && mutation?.endsWith(`<br>${text}`);
      const shortened = text
        ? mutation?.replace(text, isSameText ? 'The same text.' : 'The same text, followed by:')
        : mutation;
      const write = writes.get(`${endpoint}-${row}`);
      return `| ${what} | ${query} | ${mutation === query ? 'the same' : shortened} | ${write && OUTBOX_TEXTS[write]} |`;
    });
  const head = '| fault | query | mutation | through the outbox |\n| --- | --- | --- | --- |';
  return [
    '\n## Faults of the API\n',
    head,
    ...table('api'),
    '\n## Faults of the auth server\n',
    head,
    ...table('token'),
    '',
  ].join('\n');
}

function idsOf({ edges }: { edges: { node: { id: number } }[] }): number[] {
  return edges.map(({ node }) => node.id);
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
