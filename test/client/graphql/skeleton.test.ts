import assert from 'node:assert/strict';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { IonSchema } from '../../../nodes/client/graphql/ion-schema.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { skeletonOf } from '../../../nodes/client/graphql/skeleton.js';

const SCHEMA = `
  type Query { me: ID }
  schema { query: Query mutation: Writes }
  type Writes { createIssue(title: String): CreateIssue }
  type CreateIssue { issue: Issue }
  type Issue { id: ID! labels: [String!]! tags: [Tag] comments: Comments owner: Named }
  type Tag { name: String }
  type Comments { edges: [Edge] nodes: Tag }
  type Edge { node: Tag }
  interface Named { name: String }
  type User implements Named { name: String email: String }
`;

describe('a skeleton of an answer', () => {
  let schema: IonSchema;
  before(() => {
    const introspection = introspectionFromSchema(buildSchema(SCHEMA));
    schema = new IonSchema(JSON.parse(JSON.stringify(introspection)));
  });

  const of = (text: string, variables?: Record<string, unknown>) =>
    skeletonOf(parseOperation(text), variables);
  const withSchema = (text: string) => skeletonOf(parseOperation(text), {}, schema);

  it('nests objects, and has null for values', () => {
    assert.deepEqual(of('mutation { createIssue(title: "a") { issue { id title } } }'), {
      createIssue: { issue: { id: null, title: null } },
    });
  });

  it('has the aliases of the fields', () => {
    assert.deepEqual(of('mutation { a: createIssue { b: issue { c: id } } __proto__: x }'), {
      a: { b: { c: null } },
      ['__proto__']: null,
    });
  });

  it('has the fields of fragments, and what several selections of a field ask for', () => {
    const text = `mutation {
      createIssue { issue { id owner { name } } ...Whole }
      ... on Writes { createIssue { issue { title } } }
    }
    fragment Whole on CreateIssue { issue { ... { status } owner { email } } }`;
    assert.deepEqual(of(text), {
      createIssue: {
        issue: { id: null, owner: { name: null, email: null }, status: null, title: null },
      },
    });
  });

  it('leaves out what the variables leave out', () => {
    const text = `mutation ($yes: Boolean!, $no: Boolean!) {
      a @include(if: $yes) b @include(if: $no) c @skip(if: $yes) d @skip(if: $no) e @skip(if: true) f @include(if: true)
    }`;
    assert.deepEqual(Object.keys(of(text, { yes: true, no: false })), ['a', 'd', 'f']);
  });

  it('has empty edges without a schema as well', () => {
    assert.deepEqual(
      of('mutation { a { items { edges { node { id } } pageInfo { endCursor } } } }'),
      {
        a: { items: { edges: [], pageInfo: { endCursor: null } } },
      },
    );
  });

  it('has empty lists, as the schema says', () => {
    const text = `mutation { createIssue { issue { labels tags { name } comments { edges { node { name } } nodes { name } }
      owner { __typename ... on User { email } } } } }`;
    assert.deepEqual(withSchema(text), {
      createIssue: {
        issue: {
          labels: [],
          tags: [],
          comments: { edges: [], nodes: { name: null } },
          owner: { __typename: null, email: null },
        },
      },
    });
  });

  it('ends for fragments that contain themselves, or multiply', () => {
    assert.deepEqual(of('mutation { a { ...F } } fragment F on A { b { ...F } c }'), {
      a: { b: {}, c: null },
    });
    const levels = Array.from(
      { length: 30 },
      (_, index) => `fragment F${index} on A { a { ...F${index + 1} } b { ...F${index + 1} } }`,
    );
    of(`mutation { a { ...F0 } } ${levels.join('\n')} fragment F30 on A { id }`);
    const spreads = Array.from(
      { length: 30 },
      (_, index) => `fragment F${index} on A { ...F${index + 1} ...F${index + 1} }`,
    );
    of(`mutation { a { ...F0 } } ${spreads.join('\n')} fragment F30 on A { id }`);
  });
});
