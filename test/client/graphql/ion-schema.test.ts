import assert from 'node:assert/strict';
import { buildSchema, introspectionFromSchema } from 'graphql';
import type { IonError } from '../../../nodes/client/errors.js';
import { IonSchema, mutationsOf } from '../../../nodes/client/graphql/ion-schema.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { ownOperation } from '../../../nodes/client/graphql/own-operation.js';

const schemaOf = (text: string) =>
  new IonSchema(JSON.parse(JSON.stringify(introspectionFromSchema(buildSchema(text)))));

describe("ION's schema", () => {
  let schema: IonSchema;
  before(() => {
    schema = schemaOf(`
      type Query { run(id: ID!): Run runs(filters: Filters): [Run] }
      type Run { id: ID! title: String }
      input Filters { title: Text }
      input Text { eq: String }
    `);
  });

  it('fits an operation whose wished parts it lacks, which are named', () => {
    const operation = ownOperation('{ run(id: 1) { id ... on Run @wished { title colour } } }');
    const fit = schema.fitOf({ operation });
    assert.deepEqual(fit?.problems, []);
    assert.deepEqual(
      fit?.lacks.map(({ field }) => field),
      ['colour'],
    );
  });

  it('does not fit an operation that needs a part which it lacks', () => {
    const own = schema.fitOf({ operation: ownOperation('{ run(id: 1) { id colour } }') });
    assert.match(String(own?.problems[0]), /"colour"/);
    const foreign = schema.fitOf({ operation: parseOperation('{ run { id } }') });
    assert.match(String(foreign?.problems[0]), /\bid\b/);
  });

  it('does not fit a filter on an unknown column, whose value is not known yet', () => {
    const operation = parseOperation('query ($f: Filters) { runs(filters: $f) { id } }');
    const problems = (f: object) => schema.fitOf({ operation, variables: { f } })?.problems;
    assert.deepEqual(problems({ title: { eq: null } }), []);
    assert.match(String(problems({ colour: { eq: null } })?.[0]), /"colour"/);
  });

  it('fits an operation whose variables a message brings, or that has none', () => {
    const operation = parseOperation('query ($id: ID!) { run(id: $id) { id } }');
    assert.deepEqual(schema.fitOf({ operation }), { lacks: [], problems: [] });
    const none = parseOperation('{ run(id: 1) { id } }');
    assert.deepEqual(schema.fitOf({ operation: none, variables: {} }), { lacks: [], problems: [] });
  });

  it('is not compared with a document that is too long to be compared at once', () => {
    const operation = parseOperation(`{ run(id: 1) { ${'id '.repeat(10_000)} } }`);
    assert.equal(schema.fitOf({ operation }), undefined);
  });

  it('is refused if it is no schema, or takes too long to be built', () => {
    for (const data of [{}, { __schema: null }, { __schema: { types: [{}] } }]) {
      const isExplained = (error: IonError) => error.code === 'ION_RESPONSE' && !!error.cause;
      assert.throws(() => new IonSchema(data), isExplained);
    }
    const fields = Array.from({ length: 101 }, () => ({ args: Array(1000) }));
    for (const [types, size] of [
      [[{ fields }], /1 types with 101101 members/],
      [[{ inputFields: Array(100_001) }], /1 types with 100001 members/],
      [[{ enumValues: Array(100_001) }], /1 types with 100001 members/],
      [Array(5001).fill({}), /5001 types with 0 members/],
    ] as const) {
      assert.throws(() => new IonSchema({ __schema: { types } }), size);
    }
  });

  it('has a mutation for each field of an operation, also in fragments', () => {
    const text =
      'mutation { a: createRun { id } ...More ... on Mutation { c } } fragment More on Mutation { b }';
    assert.deepEqual(mutationsOf(parseOperation(text)), ['createRun', 'b', 'c']);
    assert.deepEqual(mutationsOf(parseOperation('{ a }')), []);
    const two = 'fragment A on Mutation { __typename a } fragment B on Mutation { b }';
    assert.deepEqual(mutationsOf(parseOperation(`mutation { ...B ...None } ${two}`)), ['b']);
    assert.deepEqual(mutationsOf(parseOperation(`mutation { ...A } ${two}`)), ['a']);
  });

  it('has the mutations of an operation even if its fragments contain each other', () => {
    const circle = 'fragment A on Mutation { a ...B } fragment B on Mutation { b ...A }';
    assert.deepEqual(mutationsOf(parseOperation(`mutation { ...A } ${circle}`)), ['a', 'b']);
  });
});
