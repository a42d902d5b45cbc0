import assert from 'node:assert/strict';
import { IonError } from '../../../nodes/client/errors.js';
import { type Lack, lacksIn, withLacks } from '../../../nodes/client/graphql/lacks.js';
import { type Operation, parseOperation } from '../../../nodes/client/graphql/operation.js';
import { ownOperation } from '../../../nodes/client/graphql/own-operation.js';
import {
  type Adapted,
  type RefusedParts,
  SchemaLacks,
} from '../../../nodes/client/graphql/schema-lacks.js';
import { runs } from '../../../nodes/client/lists/resources.js';
import { rowsOperation } from '../../../nodes/client/lists/rows-operation.js';

const refused = (...messages: string[]) =>
  new IonError('ION_GRAPHQL', messages.join(' · '), {
    errors: messages.map((message) => ({ message })),
  });

describe('a lack of the schema', () => {
  const texts: [text: string, ...lack: unknown[]][] = [
    ['Cannot query field "x" on type "Run".', 'field', 'Run', 'x'],
    ["Cannot query field 'x' on type 'Run'. Did you mean 'y'?", 'field', 'Run', 'x'],
    [
      'Unknown argument "sort" on field "runs" of type "Query".',
      'argument',
      'Query',
      'runs(sort:)',
    ],
    ["Unknown argument 'sort' on field 'Query.runs'.", 'argument', 'Query', 'runs(sort:)'],
    ['Field "x" is not defined by type "RunInput".', 'input field', 'RunInput', 'x'],
    ['Field "x" is not defined by type RunInput.', 'input field', 'RunInput', 'x'],
    [
      "Variable '$input' got invalid value {'x': 1}; Field 'x' is not defined by type 'RunInput'.",
      ...['input field', 'RunInput', 'x'],
    ],
    [
      'Variable "$input" has invalid value: Expected value of type "RunInput" not to include unknown field "x", found: { x: 1 }.',
      ...['input field', 'RunInput', 'x'],
    ],
    [
      'Argument "input" has invalid value {x: 1}.\nIn field "x": Unknown field.',
      ...['input field', undefined, 'x'],
    ],
    [
      'Variable "$input" got invalid value {"a": {"x": 1}}.\nIn field "a": In field "x": Unknown field.',
      ...['input field', undefined, 'x'],
    ],
    ['Value "A" does not exist in "SortEnum" enum.', 'enum value', 'SortEnum', 'A'],
    ["Value 'A' does not exist in 'SortEnum' enum.", 'enum value', 'SortEnum', 'A'],
    [
      'Variable "$sort" got invalid value ["A"].\nIn element #0: Expected type "SortEnum", found "A".',
      ...['enum value', 'SortEnum', 'A'],
    ],
    [
      'Argument "sort" has invalid value [A].\nIn element #0: Expected type "SortEnum", found A.',
      ...['enum value', 'SortEnum', 'A'],
    ],
    [
      'Argument "sort" has invalid value [A].\nIn element #0: Expected type "SortEnum!", found "A".',
      ...['enum value', 'SortEnum', 'A'],
    ],
    [
      'Variable "$input" has invalid value: Expected value of type "RunInput!" not to include unknown field "x".',
      ...['input field', 'RunInput', 'x'],
    ],
    ['Unknown type "SortEnum".', 'type', undefined, 'SortEnum'],
  ];
  for (const [text, kind, type, field] of texts) {
    it(`is read from: ${text.split('\n').join(' ')}`, () => {
      assert.deepEqual(lacksIn(refused(text)), [{ kind, type, field }]);
    });
  }

  it('is no error of an operation that was executed', () => {
    const message = 'Cannot query field "x" on type "Run".';
    const executed = [
      { errors: [{ message, path: ['updateRun'] }] },
      { errors: [{ message }, { message, path: ['updateRun'] }] },
      { errors: [{ message }], data: { updateRun: null } },
      { errors: [{ message }], mayHaveRun: true },
    ];
    for (const details of executed) {
      assert.deepEqual(lacksIn(new IonError('ION_GRAPHQL', message, details)), []);
    }
  });

  it('is no error of another kind', () => {
    const errors = [{ message: 'Unknown type "SortEnum".' }];
    assert.deepEqual(lacksIn(new IonError('ION_FORBIDDEN', 'No.', { errors })), []);
    assert.deepEqual(lacksIn(new IonError('ION_GRAPHQL', 'No.')), []);
  });

  for (const text of [
    'Expected type "Int", found "A".',
    'Expected type "Int", found 5.',
    'Expected type "EnumFilter", found "A".',
    'Expected type "SortEnum", found "A and B".',
    'Cannot query field "x y" on type "Run".',
    'Cannot query field "x" on type "Run of today".',
    'Unknown argument "sort" on field "all runs" of type "Query".',
    'Unknown type "a b".',
    'Run "x" is on hold.',
  ]) {
    it(`is not read from: ${text}`, () => assert.deepEqual(lacksIn(refused(text)), []));
  }

  it('is named in the error of an operation of this package, once and before the text of ION', () => {
    const field = (name: string): Lack => ({ kind: 'field', type: 'Run', field: name });
    const type: Lack = { kind: 'type', type: undefined, field: 'RunSort' };
    const error = refused('Refused.');
    assert.equal(
      withLacks(error, [field('x'), type, field('x')]).message,
      'The schema of this ION has no field "x" of type "Run", type "RunSort": "Refused."',
    );
    const three = withLacks(error, ['a', 'b', 'c'].map(field)).message;
    assert.match(three, /"c" of type "Run": "Refused\."$/);
    const four = withLacks(error, ['a', 'b', 'c', 'd'].map(field)).message;
    assert.match(four, /"c" of type "Run" and others: "Refused\."$/);
    assert.equal(withLacks(error, []), error);
  });
});

describe('an own operation', () => {
  let operation: Operation;
  beforeEach(() => {
    operation = ownOperation(
      `query Rows($filters: RunFilters, $sort: [RunSort]) {
        runs(filters: $filters, sort: $sort) @wished(arguments: [sort]) {
          id
          ... on Run @wished { title part { ... on Part @wished { number } } }
        }
      }`,
      ['filters.part.number'],
    );
  });
  const filters = {
    or_: [{ title: { eq: 'a' } }, { part: { number: { eq: 'a' } } }],
  };
  const variables = { filters, sort: ['ID'] };
  const line = ({ text }: Pick<Adapted, 'text'>) => text.replace(/\s+/g, ' ');
  const without = (...messages: string[]) => {
    const lacks = new SchemaLacks();
    const parts: RefusedParts = new Map();
    const first = lacks.adapt(operation, variables, parts);
    const needed = lacks.refuse(operation, first, refused(...messages), parts);
    return { needed, sent: lacks.adapt(operation, variables, parts), lacks, parts };
  };

  it('is sent without its marks', () => {
    assert.equal(
      line(operation),
      'query Rows($filters: RunFilters, $sort: [RunSort]) { runs(filters: $filters, sort: $sort) { id title part { number } } }',
    );
  });

  it('is sent without unknown fields; a field without any other gets its type name', () => {
    const { sent } = without(
      'Cannot query field "title" on type "Run".',
      'Cannot query field "number" on type "PartOfAnotherName".',
    );
    assert.match(line(sent), /\{ id part \{ __typename \} \}/);
  });

  for (const [message, part] of [
    ['Unknown argument "sort" on field "runs" of type "Query".', 'Query.runs(sort:)'],
    ['Unknown type "RunSort".', 'Query.runs(sort:):RunSort'],
    ['Value "ID" does not exist in "RunSort" enum.', 'Query.runs(sort:)=ID'],
  ] as const) {
    it(`is sent without an argument and its variable after: ${message}`, () => {
      const { sent, parts } = without(message);
      assert.match(
        line(sent),
        /^query Rows\(\$filters: RunFilters\) \{ runs\(filters: \$filters\) \{/,
      );
      assert.deepEqual([...parts.keys()], [part]);
    });
  }

  for (const message of [
    'Unknown argument "filters" on field "runs" of type "Query".',
    'Unknown type "RunFilters".',
    'Value "TITLE" does not exist in "RunSort" enum.',
    'In field "part": In field "name": Unknown field.',
    'Cannot query field "ID" on type "Query".',
    'Cannot query field "RunSort" on type "Query".',
  ]) {
    it(`is refused in the end because a needed part is unknown: ${message}`, () => {
      const { needed, sent } = without(message);
      assert.equal(needed?.length, 1);
      assert.equal(sent.text, operation.text);
    });
  }

  it('is refused in the end by an error about anything else', () => {
    assert.deepEqual(without('The filters are too wide.').needed, []);
    assert.deepEqual(without('Unknown __typename.').needed, []);
  });

  it('is refused in the end if ION refuses the type name that replaces unknown fields', () => {
    const number = 'Cannot query field "number" on type "Part".';
    const { sent, lacks, parts } = without(number);
    const error = refused('Introspection is off: __typename.');
    assert.deepEqual(lacks.refuse(operation, sent, error, parts), [
      { kind: 'field', type: 'Part', field: 'number' },
    ]);
  });

  it('is sent without each of several parts that become known one after the other', () => {
    const { lacks, parts } = without('Cannot query field "title" on type "Run".');
    assert.doesNotMatch(line(lacks.adapt(operation, variables, parts)), /title/);
    lacks.keep(without('Cannot query field "number" on type "Part".').parts);
    assert.match(line(lacks.adapt(operation, variables, parts)), /\{ id part \{ __typename \} \}/);
  });

  it('is sent without an argument whose values are in the document', () => {
    for (const values of ['ID_ASC', '[TITLE_ASC, ID_ASC]']) {
      const sorted = ownOperation(`{ runs(sort: ${values}) @wished(arguments: [sort]) { id } }`);
      const [lacks, parts] = [new SchemaLacks(), new Map()];
      const sent = lacks.adapt(sorted, undefined, parts);
      const error = refused('Value "ID_ASC" does not exist in "RunSort" enum.');
      assert.equal(lacks.refuse(sorted, sent, error, parts), undefined);
      assert.equal(line(lacks.adapt(sorted, undefined, parts)), '{ runs { id } }');
    }
  });

  it('is a mutation without an argument that ION lacks', () => {
    const update = ownOperation(
      'mutation ($note: String) { updateRun(id: 1, note: $note) @wished(arguments: [note]) { id } }',
    );
    const [lacks, parts] = [new SchemaLacks(), new Map()];
    const sent = lacks.adapt(update, undefined, parts);
    const error = refused('Unknown argument "note" on field "updateRun" of type "Mutation".');
    assert.equal(lacks.refuse(update, sent, error, parts), undefined);
    assert.deepEqual([...parts.keys()], ['Mutation.updateRun(note:)']);
    assert.equal(
      line(lacks.adapt(update, undefined, parts)),
      'mutation { updateRun(id: 1) { id } }',
    );
  });

  it('is sent without an unknown condition at any level of the filters', () => {
    const { sent } = without('In field "part": In field "number": Unknown field.');
    assert.deepEqual(sent.variables, { filters: { or_: [{ title: { eq: 'a' } }] }, sort: ['ID'] });
    assert.equal(sent.text, operation.text);
  });

  it('keeps the other conditions next to an unknown one, and its name elsewhere', () => {
    const { lacks, parts } = without('In field "part": In field "number": Unknown field.');
    assert.deepEqual([...parts.keys()], ['RunFilters.part.number']);
    const number = { eq: 'a' };
    for (const [given, kept] of [
      [{ or_: [{ part: { number } }], title: number }, { title: number }],
      [{ part: { and_: [{ number }, { id: number }] } }, { part: { and_: [{ id: number }] } }],
      [{ process: { part: { number } } }, { process: { part: { number } } }],
      [{ part: null }, { part: null }],
    ]) {
      const sent = lacks.adapt(operation, { filters: given }, parts);
      assert.deepEqual(sent.variables?.filters, kept);
    }
    const alone = lacks.adapt(operation, { filters: { part: { number } }, sort: ['ID'] }, parts);
    assert.deepEqual(alone.variables, { sort: ['ID'] });
  });

  it('leaves nothing out if a needed part is unknown, too', () => {
    const { needed, sent } = without(
      'Cannot query field "title" on type "Run".',
      'Cannot query field "id" on type "Run".',
    );
    assert.deepEqual(needed, [{ kind: 'field', type: 'Run', field: 'id' }]);
    assert.equal(sent.text, operation.text);
  });

  it('is refused in the end if it was sent without the part already', () => {
    const message = 'Cannot query field "title" on type "Run".';
    const { sent, lacks, parts } = without(message);
    assert.equal(lacks.refuse(operation, sent, refused(message), parts)?.length, 1);
  });

  it('lacks a part in later requests only after ION accepted it without the part', () => {
    const { lacks, parts } = without('Cannot query field "title" on type "Run".');
    assert.equal(lacks.adapt(operation, variables, new Map()).text, operation.text);
    assert.deepEqual(lacks.list(), []);
    lacks.keep(parts);
    assert.doesNotMatch(lacks.adapt(operation, variables, new Map()).text, /title/);
    assert.deepEqual(lacks.list(), [{ kind: 'field', type: 'Run', field: 'title' }]);
  });

  it('asks for a part again after an hour, because ION may have it by then', () => {
    const start = 7000;
    let now = start;
    const lacks = new SchemaLacks(() => now);
    lacks.keep(without('Cannot query field "title" on type "Run".').parts);
    const hour = 60 * 60 * 1000;
    for (const [age, text] of [
      [hour - 1, /\{ id part/],
      [hour, /\{ id title part/],
    ] as const) {
      now = start + age;
      assert.match(line(lacks.adapt(operation, variables, new Map())), text);
    }
    assert.deepEqual(lacks.list(), []);
  });

  it('asks for a part again at once if it turned out to be there', () => {
    const { lacks, parts } = without('Cannot query field "title" on type "Run".');
    lacks.keep(parts);
    lacks.forget('Run.title');
    assert.equal(lacks.adapt(operation, variables, new Map()).text, operation.text);
  });

  it('of another message in progress is sent again, although the part is known by now', () => {
    const message = 'Cannot query field "title" on type "Run".';
    const { lacks, parts } = without(message);
    lacks.keep(parts);
    const earlier = new SchemaLacks().adapt(operation, variables, new Map());
    assert.equal(lacks.refuse(operation, earlier, refused(message), new Map()), undefined);
  });

  it('changes no document of a user', () => {
    const own = parseOperation('{ runs { id title } }');
    const { lacks, parts } = without('Cannot query field "title" on type "Run".');
    lacks.keep(parts);
    const sent = lacks.adapt(own, {}, new Map());
    assert.equal(sent.text, '{ runs { id title } }');
    const error = refused('Cannot query field "title" on type "Run".');
    assert.equal(lacks.refuse(own, sent, error, new Map())?.length, 1);
  });
});

describe('the rows of a resource', () => {
  const refusedParts = (message: string, ...fields: string[]) => {
    const lacks = new SchemaLacks();
    const query = { filters: [], fields: ['id', '_etag', ...fields], wished: ['_etag'], sort: [] };
    const operation = rowsOperation(runs, query);
    const parts: RefusedParts = new Map();
    const needed = lacks.refuse(
      operation,
      lacks.adapt(operation, {}, parts),
      refused(message),
      parts,
    );
    return { needed, parts: [...parts.keys()] };
  };

  it('are read without a wished field, whatever ION calls their type', () => {
    const message = 'Cannot query field "_etag" on type "RunOfAnotherName".';
    assert.deepEqual(refusedParts(message), { needed: undefined, parts: ['Run._etag'] });
  });

  describe('with a wished field of the same name in another table', () => {
    const wished = ['title', 'steps.title'];
    /** The parts that are left out after each of these refusals of one request. */
    const leftOutAfter = (...types: string[]) => {
      const fields = ['id', 'steps.id', ...wished];
      const operation = rowsOperation(runs, { filters: [], fields, wished, sort: [] });
      const lacks = new SchemaLacks();
      const parts: RefusedParts = new Map();
      return types.map((type) => {
        const sent = lacks.adapt(operation, {}, parts);
        const error = refused(`Cannot query field "title" on type "${type}".`);
        assert.equal(lacks.refuse(operation, sent, error, parts), undefined);
        return [...parts.keys()];
      });
    };

    it('are read without the one that ION lacks only', () => {
      assert.deepEqual(leftOutAfter('RunStep'), [['runs.steps.title']]);
      assert.deepEqual(leftOutAfter('Run'), [['Run.title']]);
    });

    it('are read without both of them if ION still refuses the request', () => {
      const both = ['runs.steps.title', 'Run.title'];
      assert.deepEqual(leftOutAfter('Other', 'Other'), [['runs.steps.title'], both]);
    });
  });

  it('keep a wished field if a field of the same name was chosen, which may be the unknown one', () => {
    const lack = { kind: 'field', type: 'Attribute', field: '_etag' };
    const message = 'Cannot query field "_etag" on type "Attribute".';
    assert.deepEqual(refusedParts(message, 'attributes._etag'), { needed: [lack], parts: [] });
  });
});
