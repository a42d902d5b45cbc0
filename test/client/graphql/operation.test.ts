import assert from 'node:assert/strict';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { thrown } from '../../support/errors.js';

describe('operation', () => {
  const kinds: [string, string, 'query' | 'mutation', string | undefined][] = [
    ['a short query', '{ me { id } }', 'query', undefined],
    ['a named query', 'query WhoAmI { me { id } }', 'query', 'WhoAmI'],
    ['an unnamed query', 'query { me { id } }', 'query', undefined],
    [
      'a mutation',
      'mutation Start($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { id } } }',
      'mutation',
      'Start',
    ],
    [
      'a mutation that begins like a query',
      '# query { me }\nmutation { createApiKey { apikey { id } } }',
      'mutation',
      undefined,
    ],
    [
      'a query after its fragment',
      'fragment U on User { id }\nquery Q { me { ...U } }',
      'query',
      'Q',
    ],
    [
      'a query that names mutations in a text',
      '{ user(id: "mutation { x }") { id } }',
      'query',
      undefined,
    ],
  ];
  for (const [what, text, kind, name] of kinds) {
    it(`reports ${what}`, () => {
      const operation = parseOperation(text);
      assert.equal(operation.kind, kind);
      assert.equal(operation.name, name);
      assert.equal(operation.text, text);
    });
  }

  it('picks the named one', () => {
    const text = 'query A { me { id } } mutation B { createApiKey { apikey { id } } }';
    assert.equal(parseOperation(text, 'A').kind, 'query');
    const picked = parseOperation(text, 'B');
    assert.deepEqual([picked.kind, picked.name], ['mutation', 'B']);
  });

  it('treats an empty operation name as none', () => {
    assert.equal(parseOperation('query Q { me { id } }', '').name, 'Q');
  });

  it('is not picked by a name that is no text', () => {
    const text = 'query Q { me { id } }';
    for (const name of [5, true, ['Q']]) {
      const error = thrown(() => parseOperation(text, name as unknown as string), 'ION_QUERY');
      assert.equal(error.message, 'The operation name must be text.');
    }
  });

  it('is parsed once, and never confused with another', () => {
    const text = 'query A { me { id } } query B { me { name } }';
    assert.equal(parseOperation(text, 'A'), parseOperation(text, 'A'));
    assert.notEqual(parseOperation(text, 'A'), parseOperation(text, 'B'));
    assert.notEqual(parseOperation('query A { me { id } }'), parseOperation(text, 'A'));
  });

  it('is cached in a number that does not grow with the number of texts', () => {
    const first = parseOperation('{ me { id0: id } }');
    for (let i = 1; i <= 150; i++) parseOperation(`{ me { id${i}: id } }`);
    assert.notEqual(parseOperation('{ me { id0: id } }'), first);
  });

  const refused: [string, unknown, string | undefined, RegExp][] = [
    ['a syntax error', '{ me { id }', undefined, /syntax error in line 1, column 12/],
    [
      'a syntax error further down',
      'query {\n  me {\n    id!\n  }\n}',
      undefined,
      /line 3, column 7/,
    ],
    ['several operations without a name', 'query A { a } query B { b }', undefined, /\(A, B\)/],
    ['a name that it does not have', 'query A { a } query B { b }', 'C', /"C".*It has: A, B/s],
    ['a name in a document without names', '{ a }', 'C', /It has: \(unnamed\)/],
    ['fragments only', 'fragment U on User { id }', undefined, /no query and no mutation/],
    ['a fragment of the name', 'fragment U on User { id }', 'U', /It has: none\./],
    ['a schema', 'type User { id: ID }', undefined, /no query and no mutation/],
    ['a subscription', 'subscription { runs { id } }', undefined, /no subscriptions/],
    ['an empty text', '', undefined, /query is empty/],
    ['blanks', ' \n\t', undefined, /query is empty/],
    ['a comment', '# nothing here', undefined, /syntax error/],
    ['nothing', undefined, undefined, /must be text, not nothing/],
    ['null', null, undefined, /must be text, not null/],
    ['a list', ['{ me { id } }'], undefined, /must be text, not a list/],
    ['a text of 60,000 words', `{ ${'a '.repeat(60_000)} }`, undefined, /more than 50000 tokens/],
    ['an object', { query: '{ me { id } }' }, undefined, /must be text, not an object/],
    ['a number', 42, undefined, /must be text, not number 42/],
    ['a buffer', Buffer.from('{ me { id } }'), undefined, /must be text/],
  ];
  for (const [what, text, name, message] of refused) {
    it(`is not ${what}`, () => {
      assert.match(thrown(() => parseOperation(text, name), 'ION_QUERY').message, message);
    });
  }

  it('has a syntax error that is described once, with a short reason for the node', () => {
    const error = thrown(() => parseOperation('{\n me { id }'), 'ION_QUERY');
    const found = 'Expected Name, found <EOF>.';
    assert.equal(error.message, `The query has a syntax error in line 2, column 11: ${found}`);
    assert.deepEqual(error.reason, { key: 'syntaxError', name: '2' });
    assert.deepEqual(thrown(() => parseOperation(''), 'ION_QUERY').reason, { key: 'emptyQuery' });
  });

  it('is not nested so deeply that it cannot be read', () => {
    const error = thrown(() => parseOperation('{a'.repeat(20_000)), 'ION_QUERY');
    assert.match(error.message, /^The query cannot be read: /);
    assert.equal(error.reason, undefined);
  });

  it('may have a million characters', () => {
    const text = '{ me }'.padEnd(1_000_000);
    assert.equal(parseOperation(text).text, text);
    const error = thrown(() => parseOperation(`${text} `), 'ION_QUERY');
    assert.match(error.message, /longer than 1000000 characters/);
  });
});
