import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, extendSchema, parse, print, validate, visit } from 'graphql';
import { IonError } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { SchemaLacks } from '../../../nodes/client/graphql/schema-lacks.js';
import { argumentValue, pagedOperation } from '../../../nodes/client/paging/paged-operation.js';
import { thrown } from '../../support/errors.js';

// Connections inside objects, shorter than those of ION's datagrids.
const schema = extendSchema(
  buildSchema(readFileSync(join(__dirname, '../../../sandbox/graphql/schema.graphql'), 'utf8')),
  parse(`
    extend type Run { rows(first: Int, after: String, sort: String): RunsConnection }
    extend type RunStep { rows(first: Int, after: String): RunsConnection }
  `),
);

const paged = (text: string, operationName?: string) => {
  const operation = parseOperation(text, operationName);
  assert.deepEqual(
    validate(schema, operation.document).map(String),
    [],
    'the test itself is wrong',
  );
  const result = pagedOperation(operation);
  // The text is what is sent.
  assert.deepEqual(validate(schema, parse(result.text)).map(String), []);
  return result;
};
const normal = (text: string) => print(parse(text));

describe('connection', () => {
  it('gets everything that paging needs', () => {
    const { text, path, firstVariable, afterVariable } = paged(
      '{ runs { edges { node { id } } } }',
    );
    assert.equal(
      text,
      normal(`query ($first: Int, $after: String) {
        runs(first: $first, after: $after) {
          edges { node { id } }
          pageInfo { hasNextPage startCursor endCursor totalCount }
        }
      }`),
    );
    assert.deepEqual([path, firstVariable, afterVariable], [['runs'], 'first', 'after']);
  });

  it("keeps the user's name, other arguments, variables and other fields", () => {
    const { text } =
      paged(`query Open($filters: RunsInputFilters!, $sort: [RunSortEnum] = [ID_ASC]) {
      me { id }
      runs(filters: $filters, sort: $sort) { edges { cursor node { id steps { title } } } }
    }`);
    assert.equal(
      text,
      normal(`query Open($filters: RunsInputFilters!, $sort: [RunSortEnum] = [ID_ASC], $first: Int, $after: String) {
        me { id }
        runs(filters: $filters, sort: $sort, first: $first, after: $after) {
          edges { cursor node { id steps { title } } }
          pageInfo { hasNextPage startCursor endCursor totalCount }
        }
      }`),
    );
  });

  it('leaves the original operation unchanged', () => {
    const operation = parseOperation('{ runs { edges { node { id } } } }');
    const before = print(operation.document);
    pagedOperation(operation);
    assert.equal(print(operation.document), before);
  });

  it('requests no count if the page info has none', () => {
    const operation = pagedOperation(parseOperation('{ apiKeys { edges { node { id } } } }'));
    const message = 'Cannot query field "totalCount" on type "PageInfo".';
    const lacks = new SchemaLacks();
    const error = new IonError('ION_GRAPHQL', message, { errors: [{ message }] });
    const parts = new Map();
    lacks.refuse(operation, lacks.adapt(operation, {}, parts), error, parts);
    const { text } = lacks.adapt(operation, {}, parts);
    assert.match(text, /pageInfo \{\s+hasNextPage\s+startCursor\s+endCursor\s+\}/);
    assert.deepEqual(validate(schema, parse(text)).map(String), []);
  });

  const places: [string, string, string[]][] = [
    ['behind an alias', '{ open: runs { edges { node { id } } } }', ['open']],
    [
      'in an object',
      '{ run(id: 1) { rows(sort: "a") { edges { node { id } } } } }',
      ['run', 'rows'],
    ],
    [
      'deep in objects with aliases',
      '{ r: run(id: 1) { id p: partInventory { id } all: rows { edges { node { id } } } } }',
      ['r', 'all'],
    ],
    [
      'around another connection, which is left alone',
      '{ runs { edges { node { rows { edges { node { id } } } } } } }',
      ['runs'],
    ],
    [
      'in a fragment',
      'query { ...F } fragment F on Query { runs { edges { node { id } } } }',
      ['runs'],
    ],
    [
      'with its edges in a fragment',
      'query { runs { ...F } } fragment F on RunsConnection { edges { node { id } } }',
      ['runs'],
    ],
    [
      'in a fragment of a fragment',
      'query { ...F } fragment F on Query { me { id } ...G } fragment G on Query { runs { edges { cursor } } }',
      ['runs'],
    ],
    ['in an inline fragment', '{ ... on Query { runs { edges { node { id } } } } }', ['runs']],
    [
      'with its edges in an inline fragment',
      '{ runs { ... on RunsConnection { edges { node { id } } } } }',
      ['runs'],
    ],
    [
      'with a directive',
      'query ($all: Boolean!) { runs @include(if: $all) { edges { node { id } } } }',
      ['runs'],
    ],
    [
      'with a fragment under a directive',
      'query ($all: Boolean!) { runs { ...F @include(if: $all) } } fragment F on RunsConnection { edges { cursor } }',
      ['runs'],
    ],
    [
      'written twice, which GraphQL merges',
      '{ runs { edges { cursor } } runs { edges { node { id } } } }',
      ['runs'],
    ],
  ];
  for (const [what, text, path] of places) {
    it(`is found ${what}`, () => assert.deepEqual(paged(text).path, path));
  }

  it('is rewritten at each occurrence', () => {
    const { text } = paged('{ runs { edges { cursor } } runs { edges { node { id } } } }');
    assert.equal(text.match(/first: \$first, after: \$after/g)?.length, 2);
  });

  describe('own first and after', () => {
    /** The user's operation, and the operation that is sent. */
    const own = (text: string, variables: Record<string, unknown> = {}) => {
      const operation = paged(text);
      return {
        first: argumentValue(operation.ownFirst, operation, variables),
        after: argumentValue(operation.ownAfter, operation, variables),
        variables: [operation.firstVariable, operation.afterVariable],
        text: operation.text,
      };
    };

    it('are absent if not written', () => {
      const { first, after } = own('{ runs { edges { cursor } } }', { first: 5 });
      assert.deepEqual([first, after], [undefined, undefined]);
    });

    it('are literals', () => {
      const given = own('{ runs(first: 25, after: "abc") { edges { cursor } } }');
      assert.deepEqual([given.first, given.after], [25, 'abc']);
      assert.match(given.text, /runs\(first: \$first, after: \$after\)/);
    });

    it('are null', () => {
      const given = own('{ runs(first: null, after: null) { edges { cursor } } }');
      assert.deepEqual([given.first, given.after], [undefined, undefined]);
    });

    it('are variables, which then carry size and cursor of each page', () => {
      const given = own(
        'query ($n: Int, $c: String) { runs(first: $n, after: $c) { edges { cursor } } }',
        { n: 25, c: 'abc' },
      );
      assert.deepEqual([given.first, given.after, given.variables], [25, 'abc', ['n', 'c']]);
    });

    it('are defaults of variables, which a given value replaces', () => {
      const text =
        'query ($n: Int = 7, $c: String = "abc") { runs(first: $n, after: $c) { edges { cursor } } }';
      assert.deepEqual([own(text).first, own(text).after], [7, 'abc']);
      assert.deepEqual([own(text, { n: 9 }).first, own(text, { c: 'x' }).after], [9, 'x']);
    });

    it('are variables with another use as well, which keep their value', () => {
      const given = own(
        `query ($n: Int, $c: String) {
          runs(first: $n, after: $c, filters: { quantity: { eq: $n }, title: { eq: $c } }) { edges { cursor } }
        }`,
        { n: 25, c: 'abc' },
      );
      assert.deepEqual(
        [given.first, given.after, given.variables],
        [25, 'abc', ['first', 'after']],
      );
      assert.match(given.text, /quantity: \{ ?eq: \$n ?\}/);
    });

    it('get unused names', () => {
      const { variables } = own(
        'query ($first: Int, $after: String, $first2: Int) { runs(filters: { quantity: { eq: $first, neq: $first2 }, title: { eq: $after } }) { edges { cursor } } }',
      );
      assert.deepEqual(variables, ['first3', 'after2']);
    });

    it('are the same variable at each occurrence of the connection', () => {
      const { variables, text } = own(
        'query ($n: Int) { runs(first: $n) { edges { cursor } } runs(first: $n) { edges { node { id } } } }',
        { n: 25 },
      );
      assert.equal(variables[0], 'n');
      assert.equal(text.match(/first: \$n/g)?.length, 2);
    });

    it('are distinguished from those of a nested connection', () => {
      const given = own(
        'query ($n: Int) { runs { edges { node { rows(first: $n) { edges { cursor } } } } } }',
        { n: 2 },
      );
      assert.equal(given.first, undefined);
      assert.match(given.text, /rows\(first: \$n\)/);
    });
  });

  describe('existing page info', () => {
    const cases: [string, string, RegExp][] = [
      ['is kept', 'pageInfo { startCursor }', /startCursor\s+hasNextPage\s+endCursor\s+totalCount/],
      [
        'is not doubled',
        'pageInfo { endCursor hasNextPage totalCount }',
        /endCursor\s+hasNextPage\s+totalCount\s+startCursor\s+\}/,
      ],
      ['keeps its aliases', 'pageInfo { more: hasNextPage }', /more: hasNextPage\s+hasNextPage/],
      [
        'is kept beside one with an alias',
        'info: pageInfo { count }',
        /info: pageInfo \{\s+count\s+\}.*pageInfo \{\s+hasNextPage/s,
      ],
      [
        'counts not where a directive may remove it',
        'pageInfo @skip(if: true) { endCursor }',
        /pageInfo @skip.*pageInfo \{\s+hasNextPage\s+startCursor\s+endCursor/s,
      ],
      [
        'is asked for what a directive may remove',
        'pageInfo { endCursor @skip(if: true) }',
        /endCursor @skip\(if: true\)\s+hasNextPage\s+startCursor\s+endCursor/,
      ],
      ['may use fragments', 'pageInfo { ... { endCursor } }', /pageInfo/],
    ];
    for (const [what, selection, expected] of cases) {
      it(what, () => {
        assert.match(paged(`{ runs { ${selection} edges { cursor } } }`).text, expected);
      });
    }
  });

  describe('in a document with several operations', () => {
    it('is found in the operation that runs', () => {
      const text = 'query A { me { id } } query B { runs { edges { cursor } } }';
      assert.deepEqual(paged(text, 'B').path, ['runs']);
      thrown(() => paged(text, 'A'), 'ION_QUERY');
    });

    it('leaves shared fragments valid', () => {
      const text = `
        query A { ...F }
        query B { ...F me { ...U } }
        fragment F on Query { runs { edges { cursor } } }
        fragment U on User { id }
      `;
      assert.equal(paged(text, 'A').name, 'A');
      assert.equal(paged(text, 'B').name, 'B');
    });

    it('is distinguished from the others, also with variables of the same name', () => {
      const text = `
        query A($n: Int) { runs(first: $n) { edges { cursor } } }
        query B($n: Int) { parts(first: $n) { edges { cursor } } }
      `;
      assert.equal(paged(text, 'A').firstVariable, 'n');
      assert.deepEqual(paged(text, 'B').path, ['parts']);
    });
  });

  it('is found despite a fragment that spreads itself, which ION rejects', () => {
    const text = 'query { ...F } fragment F on Query { ...F runs { edges { cursor } } }';
    assert.deepEqual(pagedOperation(parseOperation(text)).path, ['runs']);
  });

  it('keeps a block string, and writes it on one line', () => {
    const lines = 'a "quote"\n  and a \\ line\n'.repeat(3);
    const text = `{ runs(filters: { title: { eq: """${lines}""" } }) { edges { cursor } } }`;
    const sent = paged(text).text;
    assert.ok(!sent.includes('"""'));
    const filters = (document: string) => {
      const found: unknown[] = [];
      visit(parse(document), { StringValue: ({ value }) => void found.push(value) });
      return found;
    };
    assert.deepEqual(filters(sent), filters(text));
  });

  const refused: [string, string, RegExp][] = [
    [
      'so much text at so many levels that printing it takes long',
      `{ runs { edges { node ${'{ a '.repeat(57)}{ a(s: """${'\nx'.repeat(480_000)}""") }${'}'.repeat(57)} } } }`,
      /too large/,
    ],
    [
      'so many fields at so many levels',
      `{ runs { edges { node ${'{ a '.repeat(57)}{ ${'x '.repeat(12_000)} }${'}'.repeat(57)} } } }`,
      /too large/,
    ],
    ['no connection', '{ me { id } }', /no list that can be paged.*edges/],
    ['only an alias that is called edges', '{ me { edges: id } }', /no list that can be paged/],
    [
      'two connections',
      '{ runs { edges { cursor } } parts { edges { cursor } } }',
      /2 connections \(runs, parts\)/,
    ],
    [
      'the same connection under two names',
      '{ a: runs { edges { cursor } } b: runs { edges { cursor } } }',
      /2 connections \(a, b\)/,
    ],
    [
      'connections at several depths',
      '{ runs { edges { cursor } } run(id: 1) { rows { edges { cursor } } } users { edges { cursor } } }',
      /3 connections \(runs, run\.rows, users\)/,
    ],
    ['last', '{ runs(last: 5) { edges { cursor } } }', /"runs" is read backwards \("last"\)/],
    ['before', '{ runs(before: "a") { edges { cursor } } }', /backwards \("before"\)/],
  ];
  for (const [what, text, message] of refused) {
    it(`is rejected with ${what}`, () => {
      // Not all of them are queries of the schema.
      const refused = () => pagedOperation(parseOperation(text));
      assert.match(thrown(refused, 'ION_QUERY').message, message);
    });
  }
});
