import assert from 'node:assert/strict';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { IonSchema, mutationsOf } from '../../../nodes/client/graphql/ion-schema.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { ownOperation } from '../../../nodes/client/graphql/own-operation.js';

const schemaOf = (text: string) =>
  new IonSchema(JSON.parse(JSON.stringify(introspectionFromSchema(buildSchema(text)))));

describe("ION's schema", () => {
  const schema = schemaOf(`
    type Query { run(id: ID!): Run runs(filters: Filters): [Run] }
    type Run { id: ID! title: String }
    input Filters { title: Text }
    input Text { eq: String }
  `);

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

  it('is not compared with a document that is too long to be compared at once', () => {
    const operation = parseOperation(`{ run(id: 1) { ${'id '.repeat(10_000)} } }`);
    assert.equal(schema.fitOf({ operation }), undefined);
  });

  it('is refused if it is no schema, or takes too long to be built', () => {
    for (const data of [{}, { __schema: null }, { __schema: { types: [{}] } }]) {
      assert.throws(() => new IonSchema(data), { code: 'ION_RESPONSE' });
    }
    const fields = Array.from({ length: 101 }, () => ({ args: Array(1000) }));
    const data = { __schema: { types: [{ fields }] } };
    assert.throws(() => new IonSchema(data), /1 types with 101101 members/);
  });

  it('has a mutation for each field of an operation, also in fragments', () => {
    const text =
      'mutation { a: createRun { id } ...More ... on Mutation { c } } fragment More on Mutation { b }';
    assert.deepEqual(mutationsOf(parseOperation(text)), ['createRun', 'b', 'c']);
    assert.deepEqual(mutationsOf(parseOperation('{ a }')), []);
  });
});
