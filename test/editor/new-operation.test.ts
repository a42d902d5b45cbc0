import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildClientSchema,
  buildSchema,
  type GraphQLSchema,
  getVariableValues,
  introspectionFromSchema,
  Kind,
  parse,
  validate,
} from 'graphql';
import { newOperation } from '../../nodes/editor/graphql-expanded/new-operation.js';
import {
  type OperationKind,
  operationsOf,
  operationsWith,
} from '../../nodes/editor/graphql-expanded/schema-operations.js';
import { root } from '../../tools/package.js';

/** As the dialog gets it: by introspection. */
const asInDialog = (schema: GraphQLSchema) => buildClientSchema(introspectionFromSchema(schema));

function operation(schema: GraphQLSchema, kind: OperationKind, name: string) {
  const found = operationsOf(schema).find((each) => each.kind === kind && each.field.name === name);
  assert.ok(found, name);
  return newOperation(found);
}

function problemsOf(
  schema: GraphQLSchema,
  { query, variables = '{}' }: ReturnType<typeof newOperation>,
) {
  const document = parse(query);
  const [definition] = document.definitions;
  assert.equal(definition?.kind, Kind.OPERATION_DEFINITION);
  const { errors } = getVariableValues(
    schema,
    definition.variableDefinitions ?? [],
    JSON.parse(variables),
  );
  return [...validate(schema, document), ...(errors ?? [])].map(({ message }) => message);
}

describe('an operation to start from', () => {
  const file = join(root, 'sandbox', 'graphql', 'schema.graphql');
  const ion = asInDialog(buildSchema(readFileSync(file, 'utf8')));

  it("is valid for every query and mutation of ION's schema, and so are its example variables", () => {
    const all = operationsOf(ion);
    assert.ok(all.length > 400, String(all.length));
    for (const each of all) {
      const created = newOperation(each);
      assert.deepEqual(problemsOf(ion, created), [], created.query);
    }
  });

  it('reads the rows of a connection with their ID first', () => {
    const { query, variables } = operation(ion, 'query', 'locations');
    const beginning =
      'query Locations {\n  locations(first: 10) {\n    edges {\n      node {\n        id\n';
    assert.equal(query.slice(0, beginning.length), beginning);
    assert.equal(variables, undefined);
  });

  it('has what its arguments require as variables', () => {
    const { query, variables } = operation(ion, 'query', 'run');
    assert.match(query, /^query Run\(\$id: ID!\) \{\n {2}run\(id: \$id\) \{\n {4}id\n/);
    assert.deepEqual(JSON.parse(String(variables)), { id: 1 });
  });

  it('gives the changed object of a mutation with its ID and etag', () => {
    assert.equal(
      operation(ion, 'mutation', 'updateRun').query,
      `mutation UpdateRun($input: UpdateRunInput!) {
  updateRun(input: $input) {
    run {
      id
      _etag
    }
  }
}
`,
    );
    const { query, variables } = operation(ion, 'mutation', 'createRuns');
    assert.match(query, /\$input: \[CreateRunInput\]/, 'an input that the schema leaves optional');
    assert.ok(Array.isArray(JSON.parse(String(variables)).input));
  });

  it('is valid for the corners of a schema', () => {
    const schema = asInDialog(
      buildSchema(`
        interface Named { name: String, id: ID }
        type Part implements Named { name: String, id: ID, price(currency: String!): Float, old: Int @deprecated }
        type Holder { part: Part, parts: [Part!]! }
        type Bare { holder: Holder }
        union Found = Part | Holder
        type FoundConnection { edges: [FoundEdge] }
        type FoundEdge { node: Found }
        type Numbers { edges: [Int] }
        enum Color { RED }
        input Tree { name: String!, color: Color!, branches: [Tree!]!, note: String }
        type Query {
          named(kind: Color!, tree: Tree!, limit: Int! = 3): Named
          found(first: Int): FoundConnection
          one: Found
          numbers(first: Int!): Numbers
          holder: Holder
          bare: Bare
          count: Int!
          list(first: String): [[Part!]!]!
        }
        type Payload { part: Part, found: FoundConnection, count: Int, bare: Bare }
        type Mutation { change(tree: Tree): Payload, touch: Boolean, part: Part, bare: Bare }
      `),
    );
    for (const each of operationsOf(schema)) {
      const created = newOperation(each);
      assert.deepEqual(problemsOf(schema, created), [], created.query);
    }
    assert.equal(
      operation(schema, 'mutation', 'change').query,
      `mutation Change($tree: Tree) {
  change(tree: $tree) {
    count
    part {
      id
    }
    found {
      edges {
        node {
          __typename
        }
      }
    }
    bare {
      __typename
    }
  }
}
`,
    );
    assert.equal(operation(schema, 'query', 'count').query, 'query Count {\n  count\n}\n');
    assert.equal(
      operation(schema, 'mutation', 'part').query,
      'mutation Part {\n  part {\n    id\n    name\n  }\n}\n',
    );
  });
});

describe('the search for an operation', () => {
  const schema = asInDialog(
    buildSchema(`
      type Query {
        runSteps: Int
        run: Int
        "Everything that was measured in a run"
        values: Int
        openRun: Int
      }
      type Mutation { createRun: Int, "Creates an issue" report: Int }
    `),
  );
  const found = (text: string) =>
    operationsWith(text, operationsOf(schema)).map(({ field }) => field.name);

  it('finds all words in the name or the description, those in the name first', () => {
    assert.deepEqual(found('run'), ['run', 'runSteps', 'openRun', 'createRun', 'values']);
    assert.deepEqual(found('RUN create'), ['createRun']);
    assert.deepEqual(found(' issue '), ['report']);
    assert.deepEqual(found('nothing'), []);
    assert.equal(found('').length, 6);
  });

  it('offers queries only where a mutation is not allowed', () => {
    const names = operationsOf(schema, ['query']).map(({ field }) => field.name);
    assert.deepEqual(names, ['openRun', 'run', 'runSteps', 'values']);
  });
});
