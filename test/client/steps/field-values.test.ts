import assert from 'node:assert/strict';
import { toFieldValue } from '../../../nodes/client/steps/field-values.js';
import { thrown } from '../../support/errors.js';

const field = (type: string, options: string[] | null = null) => ({
  name: 'Example',
  type,
  options,
});

describe('values of fields', () => {
  const taken: [string, string[] | null, unknown, unknown][] = [
    ['NUMBER', null, 12.5, 12.5],
    ['NUMBER', null, ' -12.5 ', -12.5],
    ['NUMBER', null, '1e-3', 0.001],
    ['NUMBER', null, '.5', 0.5],
    ['NUMBER', null, 7n, 7],
    ['NUMBER', null, '0012.500', 12.5],
    ['NUMBER', null, '0.10000000000000001', 0.1],
    ['NUMBER', null, '0.30000000000000004', 0.30000000000000004],
    ['NUMBER', null, '1e22', 1e22],
    ['NUMBER', null, '-0.000', -0],
    ['NUMBER', null, '5e-324', 5e-324],
    ['NUMBER', null, '9007199254740992', 2 ** 53],
    ['NUMBER', null, 2n ** 60n, 2 ** 60],
    ['NUMBER', null, 0, 0],
    ['NUMBER', null, null, null],
    ['BOOLEAN', null, true, true],
    ['BOOLEAN', null, 0, false],
    ['BOOLEAN', null, '1', true],
    ['BOOLEAN', null, ' False ', false],
    ['STRING', null, '', ''],
    ['STRING', null, 12.5, '12.5'],
    ['STRING', null, false, 'false'],
    ['STRING', null, new Date(0), '1970-01-01T00:00:00.000Z'],
    ['SELECT', ['OK', '2'], 'OK', 'OK'],
    ['SELECT', ['OK', '2'], 2, '2'],
    ['SELECT', null, 'anything', 'anything'],
    ['SELECT', ['Gr\u00f6\u00dfe 1'], 'Gro\u0308\u00dfe\u00a01 ', 'Gr\u00f6\u00dfe 1'],
    ['SELECT', ['a b', 'a\u00a0b'], 'a\u00a0b', 'a\u00a0b'],
    ['SELECT', ['OK', 'OK'], 'OK', 'OK'],
    ['MULTISELECT', ['a b'], ['a\u202fb'], ['a b']],
    ['MULTISELECT', ['a', 'b'], ['a', 'b'], ['a', 'b']],
    ['MULTISELECT', ['a', 'b'], 'a', ['a']],
    ['MULTISELECT', ['a'], [], []],
    ['DATETIME', null, '2026-01-31T08:00:00.123456Z', '2026-01-31T08:00:00.123456Z'],
    ['DATETIME', null, '2026-01-31T08:00:00+02:00', '2026-01-31T08:00:00+02:00'],
    ['DATETIME', null, 1_769_846_400_000, '2026-01-31T08:00:00.000Z'],
    ['DATETIME', null, new Date(1_769_846_400_000), '2026-01-31T08:00:00.000Z'],
    ['FILE_ATTACHMENT', null, 17, 17],
    ['ION', null, '17', '17'],
    ['TOOL', null, 17, 17],
    ['A_NEW_TYPE', null, { any: 'thing' }, { any: 'thing' }],
  ];
  for (const [type, options, value, expected] of taken) {
    it(`${type} takes ${inspectShort(value)}${options ? ` of ${options}` : ''}`, () => {
      assert.deepEqual(toFieldValue(field(type, options), value), expected);
    });
  }

  const refused: [string, string[] | null, unknown, RegExp][] = [
    ['NUMBER', null, '12,5', /takes a number such as 12.5, not the text "12,5"/],
    ['NUMBER', null, '12.5 mm', /a number/],
    ['NUMBER', null, '', /a number/],
    ['NUMBER', null, '0x10', /a number/],
    ['NUMBER', null, Number.NaN, /a number .* not number NaN/],
    ['NUMBER', null, Number.POSITIVE_INFINITY, /a number/],
    ['NUMBER', null, true, /a number/],
    ['NUMBER', null, undefined, /not nothing: the message has no such value/],
    ['NUMBER', null, '12345678901234567890', /at most 15 digits/],
    ['NUMBER', null, '1234567890.123456789', /at most 15 digits.* Round it/],
    ['NUMBER', null, '9007199254740993', /at most 15 digits/],
    ['NUMBER', null, 9007199254740993n, /at most 15 digits/],
    ['NUMBER', null, '1e400', /a number/],
    ['NUMBER', null, '1e-400', /at most 15 digits/],
    ['NUMBER', null, `0.${'1'.repeat(200)}`, /at most 15 digits/],
    ['NUMBER', null, 'abc', /a number/],
    ['NUMBER', null, ' ', /a number/],
    ['NUMBER', null, Buffer.from('1'), /not a Buffer/],
    ['NUMBER', null, new Date(0), /a number/],
    ['BOOLEAN', null, Number.NaN, /true or false/],
    ['STRING', null, Number.NaN, /takes text, not number NaN/],
    ['STRING', null, new Date(Number.NaN), /takes text/],
    ['SELECT', null, Number.NaN, /takes text/],
    ['MULTISELECT', null, ['a', undefined], /not nothing/],
    ['MULTISELECT', null, ['a', null], /not null/],
    ['MULTISELECT', null, new Array(1), /not nothing/],
    ['TOOL', null, Number.NaN, /not number NaN/],
    ['A_NEW_TYPE', null, Number.POSITIVE_INFINITY, /not number Infinity/],
    ['A_NEW_TYPE', null, new Date(0), /not an object \(Date\)/],
    ['DATETIME', null, Number.NaN, /a date such as/],
    ['DATETIME', null, Number.POSITIVE_INFINITY, /a date such as/],
    ['DATETIME', null, Buffer.from('x'), /not a Buffer/],
    ['NUMBER', null, [1], /not a list/],
    ['BOOLEAN', null, 'yes', /true or false/],
    ['BOOLEAN', null, 2, /true or false/],
    ['STRING', null, { a: 1 }, /takes text, not an object/],
    ['STRING', null, Buffer.from('a'), /not a Buffer/],
    ['STRING', null, undefined, /not nothing/],
    ['SELECT', ['OK', 'Not OK'], 'ok', /takes one of: OK, Not OK, not the text "ok"/],
    ['SELECT', ['a b', 'a\u00a0b'], 'a\u202fb', /one of: a b, a\\u00a0b, not the text "a\\u202fb"/],
    ['NUMBER', null, '12\u200b', /not the text "12\\u200b"/],
    ['MULTISELECT', ['a', 'b'], ['a', 'c'], /one of: a, b, not the text "c"/],
    ['DATETIME', null, '31.01.2026', /a date such as/],
    ['DATETIME', null, '2026-13-31', /a date and time that exist/],
    ['DATETIME', null, 1_769_846_400, /milliseconds since 1970/],
    ['DATETIME', null, 1_769_846_400_000_000, /milliseconds since 1970/],
    ['DATETIME', null, '2026-02-30T08:00:00Z', /a date and time that exist/],
    ['number', null, '12,5', /a number/],
    ['DATETIME', null, new Date(Number.NaN), /a date such as/],
    ['A_NEW_TYPE', null, Buffer.from('a'), /not a Buffer/],
    ['ION', null, undefined, /not nothing/],
  ];
  for (const [type, options, value, text] of refused) {
    it(`${type} refuses ${inspectShort(value)}${options ? ` of ${options}` : ''}`, () => {
      const error = thrown(() => toFieldValue(field(type, options), value), 'ION_VARIABLES');
      assert.match(error.message, text);
      assert.match(error.message, /"Example"/);
    });
  }
});

function inspectShort(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return `the date ${value.getTime()}`;
  return Buffer.isBuffer(value) ? 'a Buffer' : String(JSON.stringify(value));
}
