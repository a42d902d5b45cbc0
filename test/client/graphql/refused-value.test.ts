import assert from 'node:assert/strict';
import { IonError, type Reason } from '../../../nodes/client/errors.js';
import { type Operation, parseOperation } from '../../../nodes/client/graphql/operation.js';
import { ownOperation } from '../../../nodes/client/graphql/own-operation.js';
import { withRefusedValue } from '../../../nodes/client/graphql/refused-value.js';

const own = () => ownOperation('query Runs($filters: RunsInputFilters) { runs { id } }');
const refuse = (
  text: string,
  variables: object,
  operation: Operation = own(),
  details: object = {},
) => {
  const error = new IonError('ION_GRAPHQL', text, { errors: [{ message: text }], ...details });
  return withRefusedValue(error, operation, variables as Record<string, unknown>);
};

describe('a value of the variables that ION refuses', () => {
  const running = { filters: { and_: [{ id: { gt: 1 } }, { status: { eq: 'RUNNING' } }] } };
  const suggestion = 'Did you mean the enum value "TODO"?';
  // As graphql-js 14, 16 and 17 and graphql-core 2 and 3 write it.
  for (const text of [
    `Variable "$filters" got invalid value "RUNNING" at "filters.and_[1].status.eq"; Expected type RunStatus. ${suggestion}`,
    `Variable "$filters" got invalid value "RUNNING" at "filters.and_[1].status.eq"; Value "RUNNING" does not exist in "RunStatus" enum. ${suggestion}`,
    `Variable "$filters" has invalid value at .and_[1].status.eq: Value "RUNNING" does not exist in "RunStatus" enum. ${suggestion}`,
    `Variable '$filters' got invalid value 'RUNNING' at 'filters.and_[1].status.eq'; Value 'RUNNING' does not exist in 'RunStatus' enum. ${suggestion}`,
    `Variable "$filters" got invalid value {"and_": […]}.\nIn field "and_": In element #1: In field "status": In field "eq": Expected type "RunStatus", found "RUNNING". ${suggestion}`,
  ]) {
    it(`is named by its filter after: ${text.replace('\n', ' ')}`, () => {
      const error = refuse(text, running);
      assert.deepEqual(error?.reason, { key: 'unknownValue', name: 'status', value: '"RUNNING"' });
      assert.equal(error.code, 'ION_GRAPHQL');
      const begin = 'Filter "status": "RUNNING" is not a value of RunStatus. ION: "';
      assert.ok(error.message.startsWith(begin), error.message);
      assert.ok(error.message.endsWith(`${suggestion}"`), error.message);
      assert.match(error.message, /ION: "(Value ["']RUNNING|Expected type )/);
      assert.doesNotMatch(error.message, /\$filters/);
    });
  }

  const cases: [what: string, value: unknown, rest: string, text: RegExp, reason: Reason][] = [
    [
      'is a number in place of an enum value',
      { status: { eq: 5 } },
      'at "filters.status.eq"; Enum "RunStatus" cannot represent non-string value: 5.',
      /^Filter "status": 5 is not a value of RunStatus\. ION: /,
      { key: 'unknownValue', name: 'status', value: '5' },
    ],
    [
      'is a list for "is", with advice',
      { status: { eq: ['TODO', 'HOLD'] } },
      'at "filters.status.eq"; Enum "RunStatus" cannot represent non-string value: ["TODO", "HOLD"].',
      /^Filter "status": a list is not a value of RunStatus\. For a list, use the operator "is one of"\. /,
      { key: 'needsIsOneOf', name: 'status' },
    ],
    [
      'is one of a list',
      { status: { in: ['TODO', "it's"] } },
      `at "filters.status.in[1]"; Value "it's" does not exist in "RunStatus" enum.`,
      /^Filter "status": "it's" is not a value of RunStatus\. /,
      { key: 'unknownValue', name: 'status', value: '"it\'s"' },
    ],
    [
      'is of another type, in a related object',
      { part: { partNumber: { eq: 5 } } },
      'at "filters.part.partNumber.eq"; String cannot represent a non string value: 5',
      /^Filter "part.partNumber": 5 is not a value of String\. /,
      { key: 'notValue', name: 'part.partNumber' },
    ],
    [
      'looks like a path and a type',
      { status: { eq: 'X; at "filters.id"; enum Y' } },
      'at "filters.status.eq"; Value "X; at "filters.id"; enum Y" does not exist in "RunStatus" enum.',
      /^Filter "status": "X; at "filters\.id"; enum Y" is not a value of RunStatus\. /,
      { key: 'unknownValue', name: 'status', value: '"X; at "filters.id"; enum Y"' },
    ],
    [
      'is a text that looks like a value of another variable',
      { status: { eq: 'X at "a.status"; Expected type Z' } },
      'at "filters.status.eq"; Value "X" does not exist in "RunStatus" enum.',
      /^Filter "status": "X at "a\.status"; Expected type Z" is not a value of RunStatus\. /,
      { key: 'unknownValue', name: 'status', value: '"X at "a.status"; Expected type Z"' },
    ],
    [
      'is an object in place of an enum value',
      { status: { eq: { a: 1 } } },
      'at "filters.status.eq"; Enum "RunStatus" cannot represent non-string value: { a: 1 }.',
      /^Filter "status": an object is not a value of RunStatus\. /,
      { key: 'notValue', name: 'status' },
    ],
    [
      'is null in place of a text',
      { title: { eq: null } },
      'at "filters.title.eq"; Expected type "String" to be found.',
      /^Filter "title": null is not a value of String\. /,
      { key: 'notValue', name: 'title' },
    ],
    [
      'is a list inside a list, without advice',
      { status: { in: [['TODO']] } },
      'at "filters.status.in[0]"; Enum "RunStatus" cannot represent non-string value: ["TODO"].',
      /^Filter "status": a list is not a value of RunStatus\. ION: /,
      { key: 'notValue', name: 'status' },
    ],
    [
      'is far behind in a list of a numbered field',
      { line2: { in: Array(20).fill('X') } },
      'at "filters.line2.in[12]"; Value "X" does not exist in "Line" enum.',
      /^Filter "line2": "X" is not a value of Line\. /,
      { key: 'unknownValue', name: 'line2', value: '"X"' },
    ],
  ];
  for (const [what, filters, rest, text, reason] of cases) {
    it(what, () => {
      const value = JSON.stringify(filters);
      const error = refuse(`Variable "$filters" got invalid value ${value} ${rest}`, { filters });
      assert.match(String(error?.message), text);
      assert.deepEqual(error?.reason, reason);
    });
  }

  it('is named by its path in the variables of a document of the user', () => {
    const operation = parseOperation('query Runs($status: RunStatus) { runs { id } }');
    const text = 'Value "DONE" does not exist in "RunStatus" enum.';
    const inner = { input: { status: 'DONE' } };
    assert.match(
      String(refuse(`Variable "$input" has invalid value at .status: ${text}`, inner, operation)),
      /: Variable "input\.status": "DONE" is not a value of RunStatus\. /,
    );
    for (const begin of ['got invalid value "DONE";', 'has invalid value:']) {
      const error = refuse(`Variable "$status" ${begin} ${text}`, { status: 'DONE' }, operation);
      assert.equal(
        error?.message,
        `Variable "status": "DONE" is not a value of RunStatus. ION: "${text}"`,
      );
      assert.deepEqual(error?.reason, { key: 'unknownValue', name: 'status', value: '"DONE"' });
    }
  });

  it('is named by its path in a mutation of this package', () => {
    const operation = ownOperation(
      'mutation ($input: RunInput!) { updateRun(input: $input) { id } }',
    );
    const error = refuse(
      'Variable "$input" got invalid value "x" at "input.attributes[0].value"; Int cannot represent non-integer value: "x"',
      { input: { attributes: [{ value: 'x' }] } },
      operation,
    );
    assert.match(String(error), /: Value of "attributes\.value": "x" is not a value of Int\. /);
    assert.deepEqual(error?.reason, { key: 'notValue', name: 'attributes.value' });
  });

  it('is found in the second of several errors', () => {
    const text = 'Variable "$filters" got invalid value 5 at "filters.id"; Expected type "String".';
    const errors = [{ message: 'Refused.' }, { message: text }];
    const error = refuse('Refused.', { filters: { id: 5 } }, own(), { errors });
    assert.deepEqual(error?.reason, { key: 'notValue', name: 'id' });
    assert.equal(refuse('Refused.', {}, own(), { errors: undefined }), undefined);
  });

  it('is not looked for below null', () => {
    const text =
      'Variable "$filters" got invalid value 1 at "filters.status.eq"; Expected type Int.';
    for (const status of [null, 'TODO', undefined]) {
      assert.equal(refuse(text, { filters: { status } }), undefined);
    }
  });

  for (const [what, text] of [
    ['an unknown text', 'Variable "$filters" got invalid value "RUNNING"; Nobody knows why.'],
    [
      'a missing value',
      'Variable "$filters" of required type "RunsInputFilters!" was not provided.',
    ],
    [
      'a path that does not exist',
      'Variable "$filters" got invalid value 1 at "filters.no.eq"; Expected type RunStatus.',
    ],
    [
      'an unknown field',
      `Variable '$filters' got invalid value {'x': 1}; Field 'x' is not defined by type 'RunsInputFilters'.`,
    ],
  ] as const) {
    it(`is not recognized in ${what}`, () => assert.equal(refuse(text, running), undefined));
  }

  it('is no error of an operation that was executed', () => {
    const text =
      'Variable "$filters" got invalid value "RUNNING" at "filters.and_[1].status.eq"; Expected type RunStatus.';
    assert.equal(refuse(text, running, own(), { data: { runs: null } }), undefined);
  });

  it('is searched in a hostile text without blocking', () => {
    const startedAt = performance.now();
    for (const piece of [' at "filters.', ' at filters', '; ', 'In field "a": ', '[[..]]']) {
      refuse(`Variable "$filters" got invalid value ${piece.repeat(50_000)}`, running);
    }
    assert.ok(performance.now() - startedAt < 500);
  });
});
