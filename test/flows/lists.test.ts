import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { type FlowNode, graphqlNode, runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { install, pack, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { parseCsv } from '../support/csv.js';
import { byLength } from '../support/length.js';
import { useSandbox } from '../support/sandbox.js';

const RUNS = 60;
const TRIGGERS = byLength({ soak: 1000, usual: 500, brief: 300 });
/** A failure that no retry fixes. */
const REFUSAL = [{ message: 'Not now.' }];

interface NestedRun {
  id: number;
  title: string;
  part: { partNumber: string } | null;
  steps: { title: string; status: string; fields: { name: string; value: unknown }[] }[];
}

/** A list that is not empty: an empty one is an empty cell. */
function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

describe('lists in a real Node-RED', function () {
  this.timeout(180_000);
  const context = useSandbox({ runs: RUNS });
  const folder = useTemporaryFolder();
  let userDir: string;
  let nodeRed: RunningNodeRed;

  const start = () =>
    RunningNodeRed.start(userDir, {
      settings: {
        logging: { console: { level: 'info' } },
        contextStorage: { default: { module: 'localfilesystem' } },
      },
    });

  before(async () => {
    userDir = join(folder.path, 'user');
    await mkdir(userDir);
    await install(userDir, (await pack(folder.path)).tarball);
    nodeRed = await start();
  });
  after(() => nodeRed?.stop());

  const place = { z: 'flow', x: 0, y: 0 };
  const deploy = (...nodes: FlowNode[]) => {
    const { clientId, clientSecret } = context.sandbox;
    const credentials = { clientId, clientSecret };
    return nodeRed.deploy([
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { credentials, retries: 0 }),
      ...[
        ...nodes,
        { id: 'catch', type: 'catch', scope: null, wires: [['failed']] },
        {
          id: 'failed',
          type: 'function',
          func: `msg.statusCode = 500; msg.payload = msg.error; return msg;`,
          wires: [['out']],
        },
        { id: 'out', type: 'http response', wires: [] },
      ].map((node) => ({ ...node, ...place })),
    ]);
  };
  const httpIn = (wires: string[]): FlowNode => ({
    id: 'in',
    type: 'http in',
    url: '/list',
    method: 'get',
    wires: [wires],
  });
  const get = async () => {
    const response = await fetch(`${nodeRed.url}/list`);
    return { status: response.status, body: JSON.parse(await response.text()) };
  };

  describe('a Join node after', () => {
    const joined: FlowNode = {
      id: 'join',
      type: 'join',
      mode: 'auto',
      build: 'object',
      property: 'payload',
      propertyType: 'msg',
      wires: [['out']],
    };
    const ids = Array.from({ length: RUNS }, (_, index) => index + 1);

    it('one message per run reassembles the list', async () => {
      const node = { ...runsNode, mode: 'each', pageSize: 7, fields: ['id'], wires: [['join']] };
      await deploy(httpIn(['node']), node, joined);
      assert.deepEqual(
        (await get()).body.map(({ id }: { id: number }) => id),
        ids,
      );
    });

    it('one message per page of runs reassembles the pages', async () => {
      const node = { ...runsNode, mode: 'page', pageSize: 25, fields: ['id'], wires: [['join']] };
      await deploy(httpIn(['node']), node, joined);
      const pages = (await get()).body as { id: number }[][];
      assert.deepEqual(
        pages.map((page) => page.length),
        [25, 25, 10],
      );
      assert.deepEqual(
        pages.flat().map(({ id }) => id),
        ids,
      );
    });

    it('one message per page of any query reassembles the results', async () => {
      const query = '{ runs(sort: [ID_ASC]) { edges { node { id } } } }';
      const node = { ...graphqlNode, query, pages: 'stream', pageSize: 25, wires: [['join']] };
      await deploy(httpIn(['node']), node, joined);
      const answers = (await get()).body as { runs: { edges: { node: { id: number } }[] } }[];
      assert.equal(answers.length, 3);
      assert.deepEqual(
        answers.flatMap(({ runs }) => runs.edges.map(({ node: { id } }) => id)),
        ids,
      );
    });
  });

  describe('a csv node after flat rows', () => {
    const csv: FlowNode = {
      id: 'csv',
      type: 'csv',
      spec: 'rfc',
      sep: ',',
      hdrout: 'once',
      ret: '\\r\\n',
      temp: '',
      wires: [['collect']],
    };
    /** Responds with the lines of all messages. */
    const collect: FlowNode = {
      id: 'collect',
      type: 'function',
      func: `
        const lines = (context.get('lines') ?? '') + msg.payload;
        const isLast = msg.complete || !msg.parts;
        context.set('lines', isLast ? '' : lines);
        if (isLast) return { ...msg, payload: lines };
      `,
      wires: [['out']],
    };
    const fields = ['id', 'part.partNumber', 'steps.title', 'steps.status', 'title'];

    /** The table that is expected, read without this node. */
    const tableOf = async (rows: (run: NestedRun) => unknown[][]): Promise<string[][]> => {
      const operation = parseOperation(`{ runs(sort: [ID_ASC]) { edges { node {
        id title part { partNumber } steps { title status fields { id name value } }
      } } } }`);
      const { signal } = new AbortController();
      const { data } = await context.client().request(operation, { signal });
      const { edges } = data.runs as { edges: { node: NestedRun }[] };
      return edges.flatMap(({ node }) =>
        rows(node).map((row) => row.map((value) => String(value ?? ''))),
      );
    };
    const written = async (properties: object) => {
      const node = { ...runsNode, shape: 'rows', pageSize: 25, ...properties, wires: [['csv']] };
      await deploy(httpIn(['node']), node, csv, collect);
      return parseCsv(await (await fetch(`${nodeRed.url}/list`)).text());
    };

    for (const mode of ['array', 'page', 'each']) {
      it(`writes a line per step, with ${mode === 'array' ? 'all' : mode}`, async () => {
        context.sandbox.data.runs.update(2, { partId: null as never });
        const [header, ...lines] = await written({ fields, mode });
        assert.deepEqual(header, fields);
        const expected = await tableOf(({ id, title, part, steps }) =>
          (steps.length > 0 ? steps : [undefined]).map((step) => {
            return [id, part?.partNumber, step?.title, step?.status, title];
          }),
        );
        assert.ok(expected.length > RUNS && expected.some(([, number]) => number === ''));
        assert.deepEqual(lines, expected);
      });
    }

    it('writes a line per value of the fields of steps', async () => {
      const [header, ...lines] = await written({
        fields: ['id', 'steps.title', 'steps.fields.name', 'steps.fields.value'],
      });
      assert.deepEqual(header, ['id', 'steps.title', 'steps.fields.name', 'steps.fields.value']);
      const expected = await tableOf(({ id, steps }) =>
        steps.flatMap(({ title, fields }) =>
          (fields.length > 0 ? fields : [undefined]).map((field) => {
            const { name, value } = field ?? {};
            return [id, title, name, isList(value) ? JSON.stringify(value) : value];
          }),
        ),
      );
      assert.deepEqual(lines, expected);
    });

    it('writes the other lists as JSON, and never [object Object]', async () => {
      const fields = ['id', 'issues.title', 'attributes.key', 'steps.sessions.checkIn'];
      const lines = await written({ fields });
      assert.deepEqual(lines[0], fields);
      assert.ok(lines.every((line) => line.length === fields.length));
      assert.ok(!lines.flat().some((cell) => cell.includes('[object')));
    });
  });

  it('all pages of a query come in one message', async () => {
    const query = '{ all: runs(sort: [ID_ASC]) { rows: edges { node { id } } } }';
    await deploy(httpIn(['node']), {
      ...graphqlNode,
      query,
      pages: 'all',
      pageSize: 9,
      wires: [['out']],
    });
    const { body } = await get();
    assert.equal(body.all.rows.length, RUNS);
  });

  it(`changes over a shift of ${TRIGGERS} triggers arrive in their latest state, none twice`, async () => {
    const { data, control } = context.sandbox;
    await deploy(
      httpIn(['node']),
      { ...runsNode, changes: true, pageSize: 10, fields: ['id'], wires: [['collect']] },
      {
        id: 'collect',
        type: 'function',
        func: `flow.set('ids', [...(flow.get('ids') ?? []), ...msg.payload.map(({ id }) => id)]);`,
        wires: [],
      },
      // The node sends no message if nothing changed: only done() shows that the read ended.
      { id: 'complete', type: 'complete', scope: ['node'], wires: [['answer']] },
      {
        id: 'answer',
        type: 'function',
        func: `msg.payload = flow.get('ids') ?? []; flow.set('ids', []); return msg;`,
        wires: [['out']],
      },
    );
    const stateOf = (id: number) =>
      [data.runs.get(id)?._etag, ...data.runSteps.of(id).map((step) => step._etag)].join();
    const delivered = new Map<number, string>();
    const random = randomNumbers(1);
    let time = data.clock.now();
    let failures = 0;
    let deliveries = 0;
    for (let trigger = 1; trigger <= TRIGGERS; trigger++) {
      for (let edits = random(4); edits > 0; edits--) {
        const run = random(RUNS) + 1;
        const kind = random(3);
        if (kind === 0) data.runSteps.update(Number(data.runSteps.of(run)[0]?.id), {});
        if (kind === 1) data.runs.update(run, { _updated: time });
        if (kind === 2) {
          data.runs.update(run, {});
          time = data.runs.get(run)?._updated as typeof time;
        }
      }
      control.clearFaults();
      if (random(10) === 0) control.fault({ target: 'api', kind: 'graphql', errors: REFUSAL });
      if (random(10) === 0) control.fault({ target: 'api', kind: 'reset', match: '"after":"' });
      if (trigger === TRIGGERS / 2) {
        await nodeRed.stop();
        nodeRed = await start();
      }
      const { status, body } = await get();
      if (status !== 200) {
        failures++;
        continue;
      }
      for (const id of body as number[]) {
        deliveries++;
        assert.notEqual(delivered.get(id), stateOf(id), `run ${id} came unchanged`);
        delivered.set(id, stateOf(id));
      }
      const missed = data.runs.all().filter(({ id }) => delivered.get(id) !== stateOf(id));
      assert.deepEqual(missed, [], `missed at trigger ${trigger}`);
    }
    assert.ok(failures > TRIGGERS / 20 && deliveries > TRIGGERS / 2, `${failures} failures`);
  });
});

/** Whole numbers below a limit, the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
