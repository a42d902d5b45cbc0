import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { buildSchema, parse, validate } from 'graphql';
import type { RowOperator } from '../../../nodes/client/graphql/filter-operators.js';
import { defaultFields, runs as runsOfIon } from '../../../nodes/client/lists/resources.js';
import {
  flatten,
  flattenResponse,
  type Row as ListRow,
  readRows,
} from '../../../nodes/client/lists/rows.js';
import {
  type RowsFilter,
  type RowsQuery,
  rowsDocument,
  rowsFilter,
} from '../../../nodes/client/lists/rows-query.js';
import { failure, thrown } from '../../support/errors.js';
import { useSandbox } from '../../support/sandbox.js';

const RUNS = 60;
const schema = buildSchema(
  readFileSync(join(__dirname, '../../../sandbox/graphql/schema.graphql'), 'utf8'),
);
const row = (field: string, op: string, value: unknown): RowsFilter => ({
  field,
  op: op as RowOperator,
  value,
});

describe('runs', () => {
  describe('document', () => {
    it('selects the fields, with nested relations', () => {
      assert.equal(
        rowsDocument(runsOfIon, ['id', 'steps.id', 'title', 'steps.fields.value', 'steps.title']),
        `query Runs($filters: RunsInputFilters, $sort: [RunSortEnum]) {
  runs(filters: $filters, sort: $sort) {
    edges {
      node {
        id
        steps {
          id
          fields {
            value
          }
          title
        }
        title
      }
    }
  }
}`,
      );
    });

    for (const fields of [
      [],
      ['id', 'id'],
      [...defaultFields],
      ['part.partNumber', 'procedure.title'],
    ]) {
      it(`is valid with ${fields.join(', ') || 'no fields'}`, () => {
        assert.deepEqual(validate(schema, parse(rowsDocument(runsOfIon, fields))), []);
      });
    }

    const badNames = [
      '',
      'id title',
      'steps.',
      '.id',
      'steps..id',
      'id }',
      'id } } } } mutation { createApiKey { apikey { id } } }',
      'steps(filters: {})',
      'a-b',
      '1id',
      'größe',
      '$id',
    ];
    for (const name of badNames) {
      it(`rejects the field "${name}"`, () => {
        thrown(() => rowsDocument(runsOfIon, ['id', name]), 'ION_QUERY');
      });
    }

    it('treats names with a meaning in JavaScript as names', () => {
      const text = rowsDocument(runsOfIon, ['constructor', '__proto__.id', 'toString.valueOf']);
      for (const name of ['constructor', '__proto__', 'toString', 'valueOf']) {
        assert.ok(text.includes(name), name);
      }
      assert.equal(({} as { id?: unknown }).id, undefined);
    });
  });

  describe('filter', () => {
    const filter = (filters: RowsFilter[], more: Record<string, unknown> | undefined = undefined) =>
      rowsFilter({ filters, filter: more, fields: [], sort: [] });

    const cases: [string, RowsFilter[], Record<string, unknown> | undefined, unknown][] = [
      ['none', [], undefined, undefined],
      ['an empty one from the message', [], {}, undefined],
      ['one row', [row('status', 'eq', 'TODO')], undefined, { status: { eq: 'TODO' } }],
      [
        'several rows',
        [row('status', 'neq', 'TODO'), row('id', 'gt', 5)],
        undefined,
        { and_: [{ status: { neq: 'TODO' } }, { id: { gt: 5 } }] },
      ],
      [
        'two rows on the same field',
        [row('id', 'gt', 5), row('id', 'lt', 9)],
        undefined,
        { and_: [{ id: { gt: 5 } }, { id: { lt: 9 } }] },
      ],
      [
        'a relation',
        [row('part.partNumber', 'like', 'EX-%')],
        undefined,
        { part: { partNumber: { like: 'EX-%' } } },
      ],
      [
        'none of several values, of the same related object',
        [row('steps.status', 'notin', 'TODO, HOLD')],
        undefined,
        {
          steps: {
            or_: [
              { status: { isnull: true } },
              { and_: [{ status: { neq: 'TODO' } }, { status: { neq: 'HOLD' } }] },
            ],
          },
        },
      ],
      [
        'a relation of a relation',
        [row('steps.location.name', 'eq', 'Oven 1')],
        undefined,
        { steps: { location: { name: { eq: 'Oven 1' } } } },
      ],
      [
        'a list as text',
        [row('status', 'in', ' TODO, IN_PROGRESS,HOLD ')],
        undefined,
        { status: { in: ['TODO', 'IN_PROGRESS', 'HOLD'] } },
      ],
      ['a list', [row('id', 'in', [1, 2])], undefined, { id: { in: [1, 2] } }],
      ['a single value for a list', [row('id', 'in', 7)], undefined, { id: { in: [7] } }],
      ['null', [row('dueDate', 'eq', null)], undefined, { dueDate: { eq: null } }],
      ['false', [row('archived', 'eq', false)], undefined, { archived: { eq: false } }],
      ['zero', [row('quantity', 'eq', 0)], undefined, { quantity: { eq: 0 } }],
      ['an empty text', [row('title', 'eq', '')], undefined, { title: { eq: '' } }],
      [
        'isnull with true',
        [row('dueDate', 'isnull', true)],
        undefined,
        { dueDate: { isnull: true } },
      ],
      [
        'isnull with "true"',
        [row('dueDate', 'isnull', 'true')],
        undefined,
        { dueDate: { isnull: true } },
      ],
      [
        'isnull with an empty field',
        [row('dueDate', 'isnull', '')],
        undefined,
        { dueDate: { isnull: true } },
      ],
      [
        'isnull with false',
        [row('dueDate', 'isnull', false)],
        undefined,
        { dueDate: { isnull: false } },
      ],
      [
        'isnull with "false"',
        [row('dueDate', 'isnull', 'false')],
        undefined,
        { dueDate: { isnull: false } },
      ],
      [
        'one from the message',
        [],
        { or_: [{ id: { eq: 1 } }, { id: { eq: 2 } }] },
        { or_: [{ id: { eq: 1 } }, { id: { eq: 2 } }] },
      ],
      [
        'rows and one from the message',
        [row('status', 'eq', 'TODO')],
        { id: { gt: 5 } },
        { and_: [{ status: { eq: 'TODO' } }, { id: { gt: 5 } }] },
      ],
    ];
    for (const [what, filters, more, expected] of cases) {
      it(`of ${what}`, () => assert.deepEqual(filter(filters, more), expected));
    }

    it('without a value is not a filter for everything, but ION_VARIABLES', () => {
      const error = thrown(
        () => filter([row('part.partNumber', 'eq', undefined)]),
        'ION_VARIABLES',
      );
      assert.match(error.message, /"part\.partNumber" has no value/);
      thrown(() => filter([row('dueDate', 'isnull', undefined)]), 'ION_VARIABLES');
    });

    for (const field of ['', 'part..id', 'a b', 'id: 5', 'steps.']) {
      it(`rejects the field "${field}"`, () => {
        thrown(() => filter([row(field, 'eq', 1)]), 'ION_QUERY');
      });
    }

    for (const op of ['', 'equals', 'fuzzyMatch', 'constructor']) {
      it(`rejects the operator "${op}"`, () => {
        const error = thrown(() => filter([row('id', op, 1)]), 'ION_QUERY');
        assert.match(error.message, /"id".*Use one of: eq, neq, in/);
      });
    }
  });

  describe('flat', () => {
    const cases: [string, unknown, unknown][] = [
      ['a value', 5, 5],
      ['null', null, null],
      ['an object', { a: { b: 1 } }, { a: { b: 1 } }],
      [
        'a connection',
        { edges: [{ node: { id: 1 } }, { node: { id: 2 } }] },
        [{ id: 1 }, { id: 2 }],
      ],
      [
        'connections in connections',
        { steps: { edges: [{ node: { fields: { edges: [{ node: { value: 1 } }] } } }] } },
        { steps: [{ fields: [{ value: 1 }] }] },
      ],
      [
        'lists',
        { steps: [{ fields: [{ value: ['a', 'b'] }] }] },
        { steps: [{ fields: [{ value: ['a', 'b'] }] }] },
      ],
      ['a connection with page info', { edges: [], pageInfo: { hasNextPage: false } }, []],
      ['edges that are null', { edges: [null, { node: null }] }, [undefined, null]],
      ['a field that is called edges', { edges: 4 }, { edges: 4 }],
    ];
    for (const [what, value, expected] of cases) {
      it(`are ${what}`, () => assert.deepEqual(flatten(value), expected));
    }

    it('are the same for a response that is long enough to be processed in slices', async () => {
      const name = fc.constantFrom('edges', 'node', 'id', '__proto__');
      const { value } = fc.letrec((tie) => ({
        value: fc.oneof(
          { depthSize: 'small' },
          fc.jsonValue(),
          fc.array(tie('value')),
          fc.dictionary(name, tie('value')),
          fc.record({ edges: fc.array(fc.option(fc.record({ node: tie('value') }))) }),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(value, async (part) => {
          assert.deepEqual(await flattenResponse(part, { textLength: 1e9 }), flatten(part));
        }),
      );
    });
  });

  describe('read from ION', () => {
    const ion = useSandbox({ runs: RUNS });

    const runs = async (query: Partial<RowsQuery> = {}, pageSize = 100, limit = 0) => {
      const options = { pageSize, limit, signal: new AbortController().signal };
      const found: ListRow[][] = [];
      const complete = { filters: [], fields: ['id'], sort: [], ...query };
      for await (const page of readRows(ion.client(), runsOfIon, complete, options))
        found.push(page.rows);
      return found;
    };
    const ids = async (...given: Parameters<typeof runs>) =>
      (await runs(...given)).flat().map(({ id }) => Number(id));
    /** IDs of the seeded runs that match a test of their data. */
    type Row = ReturnType<typeof ion.sandbox.data.runs.all>[number];
    const seeded = (test: (run: Row) => boolean) =>
      ion.sandbox.data.runs
        .all()
        .filter(test)
        .map(({ id }) => id);
    const statusOf = (id: number) => ion.sandbox.data.runSteps.of(id).map(({ status }) => status);

    it('are all, by ID, page by page', async () => {
      const pages = await runs({}, 25);
      assert.deepEqual(
        pages.map((page) => page.length),
        [25, 25, 10],
      );
      assert.deepEqual(
        pages.flat().map(({ id }) => id),
        seeded(() => true),
      );
      const sent = ion.sandbox.control.counters().recent.at(-1)?.body;
      assert.deepEqual((sent as { variables: { sort: string[] } }).variables.sort, ['ID_ASC']);
    });

    it('end at the limit', async () => {
      assert.deepEqual(
        await ids({}, 25, 30),
        seeded(({ id }) => id <= 30),
      );
    });

    it('are sorted as requested', async () => {
      assert.deepEqual(await ids({ sort: ['ID_DESC'] }, 25), seeded(() => true).reverse());
      await failure(runs({ sort: ['ID_DESC }'] }), 'ION_QUERY');
      await failure(runs({ sort: ['NO_SUCH_ORDER'] }), 'ION_GRAPHQL');
    });

    it('are flat, with steps and their fields', async () => {
      const fields = ['id', 'title', 'part.partNumber', 'steps.title', 'steps.fields.name'];
      const [[run] = []] = await runs({ fields }, 1, 1);
      const { data } = ion.sandbox;
      assert.deepEqual(run, {
        id: 1,
        title: data.runs.get(1)?.title,
        part: { partNumber: data.parts.get(data.runs.get(1)?.partId ?? 0)?.partNumber },
        steps: data.runSteps.of(1).map(({ id, title }) => ({
          title,
          fields: data.runStepFields.of(id).map(({ name }) => ({ name })),
        })),
      });
    });

    const cases: [string, RowsFilter[], (run: Row) => boolean][] = [
      ['an id', [row('id', 'eq', '7')], ({ id }) => id === 7],
      [
        'a range of ids',
        [row('id', 'gt', 10), row('id', 'lte', 20)],
        ({ id }) => id > 10 && id <= 20,
      ],
      ['ids as text', [row('id', 'in', '3, 5,8')], ({ id }) => [3, 5, 8].includes(id)],
      ['a pattern', [row('title', 'ilike', '%000_')], ({ title }) => /000.$/.test(title)],
      ['what it is not', [row('title', 'notlike', '%0')], ({ title }) => !title.endsWith('0')],
      [
        'steps that failed',
        [row('steps.status', 'eq', 'FAILED')],
        ({ id }) => statusOf(id).includes('FAILED'),
      ],
      [
        'the status',
        [row('status', 'in', 'COMPLETE')],
        ({ id }) => statusOf(id).every((status) => status === 'COMPLETE'),
      ],
      [
        'the part number',
        [row('part.partNumber', 'eq', 'EX-1002')],
        ({ partId }) => ion.sandbox.data.parts.get(partId ?? 0)?.partNumber === 'EX-1002',
      ],
      ['the procedure', [row('procedureId', 'eq', 3)], ({ procedureId }) => procedureId === 3],
      [
        'nobody assigned',
        [row('assignedToId', 'isnull', true)],
        ({ assignedToId }) => assignedToId === null,
      ],
      [
        'somebody assigned',
        [row('assignedToId', 'isnull', 'false')],
        ({ assignedToId }) => assignedToId !== null,
      ],
      ['nothing that exists', [row('id', 'eq', '0')], () => false],
    ];
    for (const [what, filters, test] of cases) {
      it(`are filtered by ${what}`, async () => {
        const expected = seeded(test);
        assert.ok(expected.length < RUNS);
        assert.deepEqual(await ids({ filters }, 25), expected);
        if (what !== 'nothing that exists') assert.ok(expected.length > 0);
      });
    }

    it('are filtered by rows and the message together', async () => {
      const filter = { or_: [{ id: { lt: 5 } }, { id: { gt: 55 } }] };
      assert.deepEqual(
        await ids({ filters: [row('id', 'neq', 3)], filter }),
        seeded(({ id }) => id !== 3 && (id < 5 || id > 55)),
      );
    });

    it("fail with ION's message for a field that does not exist", async () => {
      const error = await failure(runs({ fields: ['id', 'nothing'] }), 'ION_GRAPHQL');
      assert.match(error.message, /Cannot query field "nothing" on type "Run"/);
    });

    it("fail with ION's message for a filter that does not exist", async () => {
      const error = await failure(runs({ filters: [row('nothing', 'eq', 1)] }), 'ION_GRAPHQL');
      assert.match(error.message, /nothing/);
    });
  });
});
