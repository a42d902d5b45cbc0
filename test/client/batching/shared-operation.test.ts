import assert from 'node:assert/strict';
import { buildSchema, execute, parse, print, validate } from 'graphql';
import { mergeable } from '../../../nodes/client/batching/mergeable.js';
import {
  namedMembers,
  sharedOperation,
  sharedVariables,
} from '../../../nodes/client/batching/shared-operation.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';

const schema = buildSchema(`
  type Thing { id: ID! name(long: Boolean): String inner: Thing }
  type Query { thing(id: ID): Thing things(ids: [ID!], first: Int): [Thing] }
  type Mutation { act(key: ID): Thing }
`);
const thing = ({ id }: { id: string }) => ({ id, name: `thing ${id}`, inner: { id: `${id}i` } });
const rootValue = {
  thing,
  things: ({ ids }: { ids: string[] }) => ids.map((id) => thing({ id })),
  act: ({ key }: { key: string }) => thing({ id: key }),
};

type Asked = readonly [text: string, variables?: Record<string, unknown>];

const run = async (text: string, variableValues: Record<string, unknown> = {}) => {
  const document = parse(text);
  assert.deepEqual(validate(schema, document), [], text);
  const { data, errors } = await execute({ schema, document, rootValue, variableValues });
  assert.equal(errors, undefined);
  return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
};

/** The data of each operation, executed in one document. */
async function together(asked: readonly Asked[]): Promise<Record<string, unknown>[]> {
  const members = asked.map(([text]) => {
    const member = mergeable(parseOperation(text));
    assert.ok(member, text);
    return member;
  });
  const operation = sharedOperation(members);
  const data = await run(operation.text, sharedVariables(asked.map(([, variables]) => variables)));
  return (operation.members ?? []).map(({ keys }) =>
    Object.fromEntries(
      Object.entries(data).flatMap(([alias, value]) => {
        const key = keys.get(alias);
        return key === undefined ? [] : [[key, value]];
      }),
    ),
  );
}

const queries: readonly Asked[] = [
  ['{ thing(id: 1) { id } }'],
  ['query A($id: ID) { thing(id: $id) { id name } }', { id: 'a' }],
  ['query A($id: ID) { thing(id: $id) { id name } }', { id: 'b' }],
  ['query B($id: ID = "default") { thing(id: $id) { id } }'],
  [
    'query C($ids: [ID!]) { first: things(ids: $ids) { id } second: thing(id: 2) { id } }',
    { ids: ['x', 'y'] },
  ],
  ['{ thing(id: 1) { id } thing(id: 1) { name } }'],
  ['{ __typename thing(id: 1) { __typename } }'],
  [
    'query ($no: Boolean!) { thing(id: 1) @skip(if: $no) { id } other: thing(id: 2) { id } }',
    { no: true },
  ],
  [
    'query ($yes: Boolean!) { ...Root @include(if: $yes) } fragment Root on Query { thing(id: 5) { ...Part } } fragment Part on Thing { id inner { ...Inner } } fragment Inner on Thing { id }',
    { yes: true },
  ],
  [
    '{ ... on Query { deep: thing(id: 6) { ...Part } } thing(id: 7) { ...Part } } fragment Part on Thing { name(long: true) }',
  ],
  [
    'query ($id: ID) { ...A } fragment A on Query { ...B } fragment B on Query { thing(id: $id) { id } }',
    { id: 9 },
  ],
  [
    'query ($long: Boolean) { thing(id: 1) { ...P } } fragment P on Thing { name(long: $long) }',
    { long: true },
  ],
];

describe('a document for several operations', () => {
  it('gives each of them the data that it gets alone', async () => {
    const alone = await Promise.all(queries.map(([text, variables]) => run(text, variables)));
    assert.deepEqual(await together(queries), alone);
    const reversed = [...queries].reverse();
    assert.deepEqual(await together(reversed), [...alone].reverse());
  });

  it('holds mutations in their order', async () => {
    const text = 'mutation M($key: ID) { act(key: $key) { id } }';
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    const data = await together(keys.map((key) => [text, { key }] as const));
    assert.deepEqual(
      data,
      keys.map((key) => ({ act: { id: key } })),
    );
  });

  it('has a name, and prefixes that no two operations share', () => {
    const member = mergeable(parseOperation('query A($id: ID) { thing(id: $id) { id } }'));
    assert.ok(member);
    const { text, name, kind } = sharedOperation(Array(12).fill(member));
    assert.deepEqual([name, kind], ['Batch', 'query']);
    const short = print(parse(text)).replace(/\s+/g, ' ');
    assert.match(
      short,
      /^query Batch\(\$p0_id: ID, \$p1_id: ID, .*\$p11_id: ID\) \{ p0_thing: thing\(id: \$p0_id\)/,
    );
  });

  it('has the root fields of all operations in its definition, with their arguments', () => {
    const members = [
      '{ ...A } fragment A on Query { a: thing(id: 17) { id } }',
      '{ thing(id: 18) { id } }',
    ]
      .map((text) => mergeable(parseOperation(text)))
      .filter((member) => member !== undefined);
    const text = JSON.stringify(sharedOperation(members).definition);
    for (const part of ['"p0_a"', '"17"', '"p1_thing"', '"18"'])
      assert.ok(text.includes(part), part);
  });

  it('recognizes the operations whose variables a text names', () => {
    const text = 'Variable "$p3_input" got invalid value; Variable "$p12_n"; "$other" "p5_x"';
    assert.deepEqual([...namedMembers(text)], [3, 12]);
  });

  it('keeps variables of any name', () => {
    const own = JSON.parse('{"__proto__": 1, "a": {"b": 2}}');
    assert.deepEqual(Object.entries(sharedVariables([own, undefined, { a: 3 }])), [
      ['p0___proto__', 1],
      ['p0_a', { b: 2 }],
      ['p2_a', 3],
    ]);
  });

  const alone: [what: string, text: string][] = [
    ['the schema', '{ __schema { types { name } } }'],
    ['a type', '{ thing(id: 1) { id } __type(name: "Run") { name } }'],
    ['several operations', 'query A { thing(id: 1) { id } } query B { thing(id: 2) { id } }'],
    ['a directive for the whole operation', 'query A @live { thing(id: 1) { id } }'],
    ['a fragment with a directive', '{ ...A } fragment A on Query @own { thing(id: 1) { id } }'],
    ['a fragment that does not exist', '{ ...A }'],
    ['an inner fragment that does not exist', '{ thing(id: 1) { ...A } }'],
    ['a fragment that is not used', '{ thing(id: 1) { id } } fragment A on Thing { id }'],
    ['a fragment that contains itself', '{ ...A } fragment A on Query { ...A }'],
    ['a variable that is not declared', '{ thing(id: $id) { id } }'],
    ['a variable that is not used', 'query ($id: ID) { thing(id: 1) { id } }'],
    ['an incremental response', '{ thing(id: 1) { ... @defer { id } } }'],
    ['a list in pieces', '{ things(ids: [1]) @stream(initialCount: 1) { id } }'],
    ['a placeholder in a text', '{ thing(id: "\\uE000") { id } }'],
    ['a very long document', `{ thing(id: "${'x'.repeat(20_000)}") { id } }`],
    ['too many levels', `{ ${'inner { '.repeat(80)} id ${'} '.repeat(80)} }`],
    [
      'too many root fields',
      `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: thing { id }`).join(' ')} }`,
    ],
    ['a type of the schema', 'query { thing(id: 1) { id } } type A { id: ID }'],
  ];
  for (const [what, text] of alone) {
    it(`does not take an operation with ${what}`, () => {
      const [operation] = text.startsWith('query A {')
        ? [parseOperation(text, 'A')]
        : [parseOperation(text)];
      assert.equal(mergeable(operation), undefined);
    });
  }
});
