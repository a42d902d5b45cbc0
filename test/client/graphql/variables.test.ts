import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { checkVariables } from '../../../nodes/client/graphql/variables.js';
import { thrown } from '../../support/errors.js';

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
const circular: Record<string, unknown> = {};
circular.self = circular;
/** Few objects, each of which contains the one before it twice. */
const doubled = (times: number): unknown => {
  const inner = times === 0 ? 1 : doubled(times - 1);
  return { a: inner, b: inner };
};
const wide = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0]));
/** Texts of 90,000 characters less than the limit, and one more. */
const long = (text: string) => ({ a: Array(16_703).fill('x'.repeat(999)), b: text });

describe('variables', () => {
  const good: [string, unknown][] = [
    ['text, numbers, booleans and null', { a: 'x', b: -1.5, c: true, d: null }],
    ['properties without a value, which are left out', { a: undefined, b: () => 1 }],
    ['no value for a variable that is named as an operator', { eq: undefined }],
    ['a date', { from: new Date(0) }],
    ['an object that writes itself', { a: { toJSON: () => 1, b: Number.NaN } }],
    [
      'objects of a class, and without a prototype',
      { a: new (class A {})(), b: Object.create(null) },
    ],
    ['what JSON writes as its value', { a: Object('x'), b: Object(1), c: Object(true) }],
    ['a boolean, a zero and a text that are empty', { a: false, b: -0, c: '' }],
    ['an empty text in an object', { a: Object('') }],
    ['an error with properties', { a: Object.assign(new Error('No.'), { code: 'E' }) }],
    ['the same object twice', { a: circular.none, b: [nested(3), nested(3)] }],
    ['200 levels', nested(200)],
    ['300,000 values, with the object and the list', { a: Array(299_998).fill(1) }],
    ['an object of 10,000 properties', { a: wide(10_000) }],
    ['texts of 16 MiB together', long('x'.repeat(50_000))],
    ['a long text of blanks, which are not escaped', long(' '.repeat(50_000))],
    ['a long text of characters that are not escaped', long('\ue000\ud7ff'.repeat(25_000))],
    ['nothing at all', undefined],
    [
      'objects that write themselves by their name',
      { a: { toJSON: (key: unknown) => (key === 'a' ? 1 : Number.NaN) } },
    ],
    ['themselves as written by a library', { toJSON: (key: string) => ({ [`${key}b`]: 1 }) }],
  ];
  for (const [what, variables] of good) {
    it(`may contain ${what}`, () => checkVariables(variables as Record<string, unknown>));
  }

  const bad: [string, unknown, RegExp][] = [
    ['NaN', { a: [{ b: Number.NaN }] }, /at "a\.0\.b" are NaN/],
    ['infinity', { a: Number.POSITIVE_INFINITY }, /at "a" are Infinity/],
    ['a Buffer', { file: Buffer.from('x') }, /at "file" are bytes/],
    ['an invalid date', { a: { from: new Date('x') } }, /at "a\.from" are an invalid date/],
    ['an invalid date of another context', { a: runInNewContext('new Date("x")') }, /invalid date/],
    ['an invalid date of a library', { a: { toJSON: () => null } }, /at "a" .* into null/],
    ['an object that writes itself as nothing', { a: [{ toJSON() {} }] }, /at "a\.0" .* into null/],
    ['an object that writes itself as NaN', { a: { toJSON: () => Number.NaN } }, /at "a" are NaN/],
    [
      'an object that writes itself with NaN inside',
      { a: { toJSON: () => ({ b: Number.NaN, toJSON: () => 1 }) } },
      /at "a\.b" are NaN/,
    ],
    ['NaN in an object', { a: Object(Number.NaN) }, /at "a" are NaN/],
    ['a BigInt in an object', { a: Object(1n) }, /at "a" are a BigInt/],
    ['a Map', { a: new Map() }, /at "a" are a Map/],
    ['a Set of a function node', { a: runInNewContext('new Set([1])') }, /at "a" are a Set/],
    ['a regular expression', { a: /x/ }, /at "a" are a RegExp/],
    ['bytes', { a: new ArrayBuffer(8) }, /at "a" are bytes/],
    [
      'a condition without a value',
      { filters: { id: { eq: undefined } } },
      /"filters\.id\.eq" have no value/,
    ],
    ['a BigInt', { a: 1n }, /at "a" contain a BigInt/],
    [
      'an empty place in a list',
      { a: [1, undefined] },
      /at "a\.1" contain an item without a value/,
    ],
    ['a function in a list', { a: [() => 1] }, /at "a\.0" contain an item without a value/],
    ['a symbol in a list', { a: [Symbol('x')] }, /at "a\.0" contain an item without a value/],
    ['NaN below many levels', { a: [[[[[[[[[[[Number.NaN]]]]]]]]]]] }, /at "a(\.0){9}\.…" are NaN/],
    ['themselves', circular, /variables are circular/],
    ['201 levels', nested(201), /nested too deeply/],
    ['what multiplies', doubled(60), /more than 300000 values/],
    ['300,001 values', { a: Array(299_999).fill(1) }, /variables contain more than 300000 values/],
    ['an object of 10,001 properties', { a: wide(10_001) }, /more than 10000 properties/],
    ['texts of more than 16 MiB', long('x'.repeat(100_000)), /variables contain .* characters/],
    ['long keys', { [`k${'x'.repeat(900)}`]: 0, ...long('x'.repeat(90_500)) }, /characters/],
    ['a long text of quotes, which are escaped', long('"'.repeat(50_000)), /characters/],
    ['a long text of backslashes', long('\\'.repeat(50_000)), /characters/],
    ['a long text of control characters', long('\n'.repeat(20_000)), /characters/],
    ['a long text of surrogates', long('\ud800'.repeat(6000)), /characters/],
    [
      'a property that throws',
      {
        get a() {
          throw new Error('No.');
        },
      },
      /cannot be read: No\./,
    ],
  ];
  for (const [what, variables, message] of bad) {
    it(`are rejected with ${what}`, () => {
      const refused = () => checkVariables(variables as Record<string, unknown>);
      const error = thrown(refused, 'ION_VARIABLES');
      assert.match(error.message, message);
      const [, at, name] = /^The variables (at "([^"]*)" )?(are|have|contain|cannot be) /.exec(
        error.message,
      ) as RegExpExecArray;
      assert.deepEqual(error.reason, at && { key: 'notSendable', name });
    });
  }

  it('may contain a BigInt if the program says how it is written', () => {
    const prototype = BigInt.prototype as { toJSON?: () => string };
    prototype.toJSON = function () {
      return String(this);
    };
    try {
      checkVariables({ a: 1n });
    } finally {
      delete prototype.toJSON;
    }
  });
});
