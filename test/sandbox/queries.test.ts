import assert from 'node:assert/strict';
import { paginate, toCursor } from '../../sandbox/graphql/connections.js';
import { compileScalar, trigramSimilarity } from '../../sandbox/graphql/filters.js';
import { start, type TestSandbox } from './client.js';

describe('sandbox: filter operators', () => {
  const cases: [string, object, unknown, boolean][] = [
    ['StringFilter', { eq: 'a' }, 'a', true],
    ['StringFilter', { eq: 'a' }, 'A', false],
    ['StringFilter', { neq: 'a' }, 'b', true],
    ['StringFilter', { neq: 'a' }, 'a', false],
    ['StringFilter', { neq: 'a' }, null, false],
    ['StringFilter', { eq: null }, null, true],
    ['StringFilter', { neq: null }, null, false],
    ['StringFilter', { like: 'EX-1%' }, 'EX-1001', true],
    ['StringFilter', { like: 'EX-100_' }, 'EX-1001', true],
    ['StringFilter', { like: 'EX-1_' }, 'EX-1001', false],
    ['StringFilter', { like: 'ex%' }, 'EX-1001', false],
    ['StringFilter', { ilike: 'ex%' }, 'EX-1001', true],
    ['StringFilter', { like: '50\\%' }, '50%', true],
    ['StringFilter', { like: '50\\%' }, '501', false],
    ['StringFilter', { like: 'a.c' }, 'abc', false],
    ['StringFilter', { like: 'a(%' }, 'a(b)\nc', true],
    ['StringFilter', { notlike: 'EX%' }, 'EX-1', false],
    ['StringFilter', { notlike: 'EX%' }, 'ex-1', true],
    ['StringFilter', { notlike: 'EX%' }, null, false],
    ['StringFilter', { notilike: 'EX%' }, 'ex-1', false],
    ['StringFilter', { like: '%b%' }, 'abc', true],
    ['StringFilter', { like: 'a%b%c' }, 'a-b-c', true],
    ['StringFilter', { like: 'a%b%c' }, 'a-c-b', false],
    ['StringFilter', { like: 'ab%bc' }, 'abc', false],
    ['StringFilter', { like: '%a_%_b' }, 'xa12b', true],
    ['StringFilter', { like: '%' }, '', true],
    ['StringFilter', { like: '100\\%%' }, '100%', true],
    ['StringFilter', { like: '100\\%%' }, '1000', false],
    ['StringFilter', { like: `${'%a'.repeat(2000)}%b` }, `${'a '.repeat(2500)}c`, false],
    ['StringFilter', { in: ['a', 'b'] }, 'b', true],
    ['StringFilter', { in: [] }, 'b', false],
    ['StringFilter', { gt: 'a' }, 'b', true],
    ['StringFilter', { lte: 'a' }, 'b', false],
    ['StringFilter', { isnull: true }, null, true],
    ['StringFilter', { isnull: true }, 'a', false],
    ['StringFilter', { isnull: false }, 'a', true],
    ['StringFilter', { gte: 'b', lt: 'd' }, 'c', true],
    ['StringFilter', { gte: 'b', lt: 'd' }, 'd', false],
    [
      'StringFilter',
      { fuzzyMatch: { value: 'bracket assembly', similarity: 0.5 } },
      'bracket asembly',
      true,
    ],
    ['StringFilter', { fuzzyMatch: { value: 'bracket', similarity: 0.5 } }, 'valve', false],
    ['IDFilter', { eq: '7' }, 7, true],
    ['IDFilter', { in: ['7', '8'] }, 8, true],
    ['IDFilter', { gt: '9' }, 10, true],
    ['IDFilter', { lt: '9' }, 10, false],
    ['IDFilter', { eq: 'abc' }, 'abc', true],
    ['IDFilter', { eq: '7' }, null, false],
    ['IntFilter', { gte: 5 }, 5, true],
    ['FloatFilter', { lt: 1.5 }, 1.25, true],
    ['BooleanFilter', { eq: false }, false, true],
    ['BooleanFilter', { neq: false }, false, false],
    ['DateTimeFilter', { eq: '2026-01-01T00:00:00Z' }, '2026-01-01T00:00:00.000000+00:00', true],
    [
      'DateTimeFilter',
      { gt: '2026-01-01T01:00:00+02:00' },
      '2025-12-31T23:00:00.000001+00:00',
      true,
    ],
    [
      'DateTimeFilter',
      { gt: '2025-12-31T23:00:00.000001' },
      '2025-12-31T23:00:00.000001+00:00',
      false,
    ],
    ['ScalarValueFilter', { eq: 5 }, 5, true],
    ['ScalarValueFilter', { eq: '5' }, 5, false],
    ['ScalarValueFilter', { gt: 5 }, 6, true],
    ['ScalarValueFilter', { gt: 5 }, '6', false],
    ['ScalarValueFilter', { eq: ['a', 'b'] }, ['a', 'b'], true],
    ['RunStatusFilter', { in: ['TODO'] }, 'TODO', true],
  ];
  for (const [type, filter, value, holds] of cases) {
    it(`${type} ${JSON.stringify(filter)} ${holds ? 'lets' : 'keeps'} ${JSON.stringify(value)} ${holds ? 'through' : 'out'}`, () =>
      assert.equal(compileScalar(type, filter)(value), holds));
  }

  it('counts trigrams like pg_trgm', () => {
    assert.equal(trigramSimilarity('word', 'word'), 1);
    assert.equal(trigramSimilarity('word', 'two words'), 4 / 11);
  });
});

describe('sandbox: pages', () => {
  const rows = Array.from({ length: 5 }, (_, i) => i);
  const page = (args: Parameters<typeof paginate>[1]) => {
    const { edges, pageInfo } = paginate(rows, args);
    return { nodes: edges.map(({ node }) => node), ...pageInfo };
  };

  it('contain everything without arguments', () => {
    const { nodes, hasNextPage, hasPreviousPage, count, totalCount } = page({});
    assert.deepEqual(nodes, rows);
    assert.deepEqual([hasNextPage, hasPreviousPage, count, totalCount], [false, false, 5, 5]);
  });

  it('go forward', () => {
    const first = page({ first: 2, after: '' });
    assert.deepEqual(first.nodes, [0, 1]);
    assert.equal(first.hasNextPage, true);
    assert.equal(first.endCursor, Buffer.from('arrayconnection:1').toString('base64'));
    const last = page({ first: 3, after: first.endCursor });
    assert.deepEqual(last.nodes, [2, 3, 4]);
    assert.equal(last.hasNextPage, false);
    assert.deepEqual(page({ first: 2, after: last.endCursor }).nodes, []);
  });

  it('go backward', () => {
    const last = page({ last: 2 });
    assert.deepEqual(last.nodes, [3, 4]);
    assert.equal(last.hasPreviousPage, true);
    const first = page({ last: 3, before: last.startCursor });
    assert.deepEqual(first.nodes, [0, 1, 2]);
    assert.equal(first.hasPreviousPage, false);
  });

  it('may be empty', () => {
    const { nodes, startCursor, endCursor, totalCount } = page({ first: 0 });
    assert.deepEqual([nodes, startCursor, endCursor, totalCount], [[], null, null, 5]);
    assert.deepEqual(page({ after: toCursor(99), first: 1 }).nodes, []);
  });

  it('cannot have a negative size', () => assert.throws(() => page({ first: -1 }), /non-negative/));
});

describe('sandbox: queries', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start();
  });
  after(() => sandbox.close());

  const QUERY = `query ($filters: RunsInputFilters, $sort: [RunSortEnum], $first: Int, $after: String) {
    runs(filters: $filters, sort: $sort, first: $first, after: $after) {
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor count totalCount }
      edges { cursor node { id title status procedureId _updated part { partNumber }
        steps { id status locationId } } } } }`;
  interface Run {
    id: number;
    title: string;
    status: string;
    procedureId: number;
    _updated: string;
    part: { partNumber: string };
    steps: { id: number; status: string; locationId: number }[];
  }
  const runs = async (variables: object): Promise<Run[]> => {
    const data = await sandbox.ask(QUERY, variables);
    return data.runs.edges.map(({ node }: { node: Run }) => node);
  };
  const ids = async (filters: object) => (await runs({ filters })).map(({ id }) => id);

  it('seeds runs in every status, the same on every start except for the dates', async () => {
    const all = await runs({});
    assert.equal(all.length, 240);
    assert.equal(new Set(all.map(({ status }) => status)).size, 8);
    const other = await start();
    try {
      const again = await other.ask('{ runs { edges { node { id status title } } } }');
      assert.deepEqual(
        again.runs.edges.map(({ node }: { node: Run }) => node),
        all.map(({ id, status, title }) => ({ id, status, title })),
      );
    } finally {
      await other.close();
    }
  });

  it('pages through all runs', async () => {
    const seen: number[] = [];
    let after: string | null = null;
    for (;;) {
      const data = await sandbox.ask(QUERY, { first: 100, after });
      seen.push(...data.runs.edges.map(({ node }: { node: Run }) => node.id));
      if (!data.runs.pageInfo.hasNextPage) break;
      after = data.runs.pageInfo.endCursor;
    }
    assert.equal(seen.length, 240);
    assert.equal(new Set(seen).size, 240);
  });

  const all: { name: string; filters: object; keep: (run: Run) => boolean }[] = [
    { name: 'an id', filters: { id: { eq: '5' } }, keep: (run) => run.id === 5 },
    { name: 'ids as numbers', filters: { id: { gt: 99 } }, keep: (run) => run.id > 99 },
    {
      name: 'several keys',
      filters: { procedureId: { eq: 2 }, status: { eq: 'COMPLETE' } },
      keep: (run) => run.procedureId === 2 && run.status === 'COMPLETE',
    },
    {
      name: 'or_',
      filters: { or_: [{ procedureId: { eq: 2 } }, { status: { eq: 'HOLD' } }] },
      keep: (run) => run.procedureId === 2 || run.status === 'HOLD',
    },
    {
      name: 'and_ beside or_',
      filters: {
        and_: [{ id: { gt: 10 } }, { id: { lt: 100 } }],
        or_: [{ status: { eq: 'TODO' } }, { status: { eq: 'FAILED' } }],
      },
      keep: (run) => run.id > 10 && run.id < 100 && ['TODO', 'FAILED'].includes(run.status),
    },
    {
      name: 'a part',
      filters: { part: { partNumber: { eq: 'EX-1003' } } },
      keep: (run) => run.part.partNumber === 'EX-1003',
    },
    {
      name: 'a part by the shortcut',
      filters: { partNumber: { ilike: 'ex-1002' } },
      keep: (run) => run.part.partNumber === 'EX-1002',
    },
    {
      name: 'some step',
      filters: { steps: { status: { eq: 'IN_PROGRESS' }, locationId: { eq: '2' } } },
      keep: (run) => run.steps.some((s) => s.status === 'IN_PROGRESS' && s.locationId === 2),
    },
    {
      name: 'a location by the shortcut',
      filters: { locationId: { eq: '7' } },
      keep: (run) => run.steps.some((step) => step.locationId === 7),
    },
    {
      name: 'locations',
      filters: { locations: { name: { eq: 'Test Stand 1' } } },
      keep: (run) => run.steps.some((step) => step.locationId === 7),
    },
    {
      name: 'a relation of a relation',
      filters: { steps: { location: { type: { eq: 'WORKCENTER' }, name: { like: 'Oven%' } } } },
      keep: (run) => run.steps.some((step) => step.locationId === 6),
    },
    {
      name: 'openness',
      filters: { isOpen: { eq: false } },
      keep: (run) => ['COMPLETE', 'CANCELED', 'PARTIAL_COMPLETE'].includes(run.status),
    },
  ];
  for (const { name, filters, keep } of all) {
    it(`filters runs by ${name}`, async () => {
      const wanted = (await runs({})).filter(keep).map(({ id }) => id);
      assert.ok(wanted.length > 0);
      assert.ok(wanted.length < 240);
      assert.deepEqual(await ids(filters), wanted);
    });
  }

  it('finds runs by other relations', async () => {
    const count = async (filters: object) => (await ids(filters)).length;
    assert.equal(await count({ procedure: { title: { eq: 'Example coating' } } }), 40);
    assert.equal(await count({ partInventory: { serialNumber: { eq: 'SN-00005' } } }), 1);
    assert.ok((await count({ issues: { title: { like: 'Example issue%' } } })) > 0);
    assert.ok((await count({ sessions: { checkOut: { isnull: true } } })) > 0);
    assert.equal(await count({ assignedTo: { name: { eq: 'Nobody' } } }), 0);
    assert.ok((await count({ createdBy: { name: { eq: 'Test Operator 1' } } })) > 0);
    assert.ok((await count({ steps: { fields: { value: { gt: 300 } } } })) > 0);
  });

  it('follows to-one relations and back', async () => {
    const { runStepFields } = await sandbox.ask(
      `{ runStepFields(filters: { type: { eq: NUMBER }, step: { run: { id: { eq: "1" } } } }) {
        edges { node { name step { run { id } } } } } }`,
    );
    assert.deepEqual(runStepFields.edges, [{ node: { name: 'Torque', step: { run: { id: 1 } } } }]);
  });

  it('filters nested lists and drops nested rows that do not match', async () => {
    const { run } = await sandbox.ask(
      `{ run(id: 1) { steps(filters: { position: { eq: 1 } }) { position }
        part(filters: { partNumber: { eq: "none" } }) { id } } }`,
    );
    assert.deepEqual(run, { steps: [{ position: 1 }], part: null });
  });

  it('finds changes of runs and of their steps by time', async () => {
    const since = sandbox.data.clock.now();
    assert.deepEqual(await ids({ _updated: { gt: since } }), []);
    const step = sandbox.data.runSteps.of(3)[0];
    assert.ok(step);
    const before = sandbox.data.runs.get(3)?._updated;
    sandbox.data.runSteps.update(step.id, { title: 'Changed' });
    assert.deepEqual(await ids({ _updated: { gt: since } }), []);
    assert.deepEqual(await ids({ steps: { _updated: { gt: since } } }), [3]);
    assert.equal(sandbox.data.runs.get(3)?._updated, before);
  });

  it('sorts by several keys, with nulls last', async () => {
    const byProcedure = await runs({ sort: ['PROCEDURE_ID_DESC', 'ID_ASC'] });
    assert.deepEqual(
      byProcedure.map(({ procedureId, id }) => [procedureId, id]),
      (await runs({}))
        .map(({ procedureId, id }) => [procedureId, id] as const)
        .sort((a, b) => b[0] - a[0] || a[1] - b[1]),
    );
    const updated = await runs({ sort: ['_UPDATED_ASC'] });
    const stamps = updated.map((run) => run._updated);
    assert.deepEqual(stamps, [...stamps].sort());
    const { runs: started } = await sandbox.ask(
      '{ runs(sort: [START_TIME_ASC]) { edges { node { startTime } } } }',
    );
    assert.equal(started.edges.at(-1).node.startTime, null);
    assert.notEqual(started.edges[0].node.startTime, null);
  });

  it('keeps one row for each distinct value', async () => {
    const { runs: found } = await sandbox.ask(
      '{ runs(distinctOn: [PROCEDURE_ID_ASC]) { pageInfo { totalCount } } }',
    );
    assert.equal(found.pageInfo.totalCount, 6);
  });

  it('writes timestamps like Python', async () => {
    const { run } = await sandbox.ask('{ run(id: 1) { _created _etag entityId id } }');
    assert.match(run._created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    assert.match(run._etag, /^[0-9a-f]{32}$/);
    assert.notEqual(run.entityId, run.id);
  });

  it('returns null for missing objects', async () => {
    assert.deepEqual(await sandbox.ask('{ run(id: 99999) { id } user(id: 0) { id } }'), {
      run: null,
      user: null,
    });
  });

  it('sums inventories', async () => {
    const { partInventories } = await sandbox.ask(
      `{ partInventories(filters: { part: { trackingType: { eq: SERIAL } } }, first: 1) {
        pageInfo { totalCount } aggregates { count sum { quantity } } } }`,
    );
    const { totalCount } = partInventories.pageInfo;
    assert.ok(totalCount > 1);
    assert.deepEqual(partInventories.aggregates, {
      count: totalCount,
      sum: { quantity: totalCount },
    });
  });

  it('does not show the results of an earlier state', async () => {
    const count = async () => (await ids({ title: { eq: 'Renamed' } })).length;
    assert.equal(await count(), 0);
    sandbox.data.runs.update(1, { title: 'Renamed' });
    assert.equal(await count(), 1);
  });

  it('keeps timestamps set by a test', () => {
    const _updated = '2026-01-01T00:00:00Z';
    for (const id of [10, 11]) sandbox.data.runs.update(id, { _updated });
    assert.equal(sandbox.data.runs.get(10)?._updated, '2026-01-01T00:00:00.000000+00:00');
    assert.equal(sandbox.data.runs.get(10)?._updated, sandbox.data.runs.get(11)?._updated);
  });
});
