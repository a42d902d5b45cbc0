import { types } from 'node:util';
import { IonError, type ReasonKey } from '../errors.js';
import { describe } from '../support/describe.js';
import { isPlainObject } from '../support/json.js';
import { rowsNamed, spelledName } from '../support/name-matching.js';
import type { TimeZone } from '../support/time-zone.js';
import { toInstant } from './instant.js';

/** The part of a field's definition that its values depend on. */
export interface FieldDefinition {
  /** Null only if ION returned none. */
  name: string | null;
  /** `NUMBER`, `STRING` and so on; values of other types are passed on unchanged. */
  type: string | null;
  /** Null if ION alone checks the value. */
  options: readonly string[] | null;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** Digits that `Number.toPrecision` can write. */
const MAX_DIGITS = 100;
/** A longer text is cut before it is quoted in an error. */
const MAX_SHOWN_LENGTH = 500;
const MAX_OPTIONS_LISTED = 20;

/**
 * A value in the JSON type that ION requires for a field (ION's API manual: the type must match).
 * Ambiguous values are rejected: `"12,5"` is not a number, and `"yes"` is not a boolean.
 * @param timeZone of dates without a zone; without it, such dates are rejected
 * @throws IonError `ION_VARIABLES`, with the expected form
 */
export function toFieldValue(field: FieldDefinition, value: unknown, timeZone?: TimeZone): unknown {
  // Null clears the field.
  if (value === null) return null;
  // ION's older documentation shows enum values in lower case.
  switch (field.type?.toUpperCase()) {
    case 'NUMBER':
      return toNumber(field, value);
    case 'BOOLEAN':
      return toBoolean(field, value);
    case 'STRING':
      return toText(field, value, 'text');
    case 'SELECT':
      return toOption(field, value);
    case 'MULTISELECT':
      // Unlike `map`, `Array.from` does not skip empty slots.
      return Array.from(Array.isArray(value) ? value : [value], (each) => toOption(field, each));
    case 'DATETIME':
      return toDateTime(field, value, timeZone);
    default:
      return toJson(field, value);
  }
}

function toNumber(field: FieldDefinition, value: unknown): number {
  const isText = typeof value === 'string' && NUMBER.test(value.trim());
  const number = isText || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw rejectedValue('notNumber', field, 'a number such as 12.5', value);
  }
  if (typeof value === 'number' || isExact(number, String(value).trim())) return number;
  const expected = 'a number of at most 15 digits';
  throw rejectedValue('tooManyDigits', field, expected, value, 'Round it before this node.');
}

/** Whether a number has exactly the value of a text, without rounding. */
function isExact(number: number, text: string): boolean {
  const digits = significantDigits(text);
  if (digits === '') return number === 0;
  if (digits.length > MAX_DIGITS || number === 0) return false;
  return significantDigits(number.toPrecision(digits.length)) === digits;
}

/** The digits without leading and trailing zeros. */
function significantDigits(number: string): string {
  const [mantissa = ''] = number.split(/e/i);
  const digits = mantissa.replace(/[^\d]/g, '');
  let begin = 0;
  let end = digits.length;
  while (digits[begin] === '0') begin++;
  while (end > begin && digits[end - 1] === '0') end--;
  return digits.slice(begin, end);
}

function toBoolean(field: FieldDefinition, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (text === 1 || text === '1' || text === 'true') return true;
  if (text === 0 || text === '0' || text === 'false') return false;
  throw rejectedValue('notBoolean', field, 'true or false (or 1 or 0)', value);
}

function toText(field: FieldDefinition, value: unknown, expected: string): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isFinite(value)) return String(value);
  }
  if (types.isDate(value) && !Number.isNaN(value.getTime())) return value.toISOString();
  throw rejectedValue('notText', field, expected, value);
}

function toOption(field: FieldDefinition, value: unknown): string {
  const { options } = field;
  if (!options || options.length === 0) return toText(field, value, 'text');
  const listed = options.slice(0, MAX_OPTIONS_LISTED).map(spelledName).join(', ');
  const expected = `one of: ${listed}${options.length > MAX_OPTIONS_LISTED ? ' …' : ''}`;
  const text = toText(field, value, expected);
  const [option, other] = rowsNamed(options, text, (each) => each);
  // The option in ION's spelling. A list may hold the same option twice.
  if (option !== undefined && (other === undefined || option === text)) return option;
  throw rejectedValue('notOption', field, expected, value);
}

function toDateTime(field: FieldDefinition, value: unknown, zone: TimeZone | undefined): string {
  const instant = toInstant(value, zone);
  if ('text' in instant) return instant.text;
  throw rejectedValue('notDate', field, instant.expected, value, instant.advice);
}

/** A value of a type whose values are ids or lists, or of an unknown type. */
function toJson(field: FieldDefinition, value: unknown): unknown {
  const isJson = typeof value !== 'number' || Number.isFinite(value);
  if (isJson && ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (Array.isArray(value) || isPlainObject(value)) return value;
  throw rejectedValue('notValue', field, 'an ID, text, number, boolean or list', value);
}

function rejectedValue(
  key: ReasonKey,
  { name, type }: FieldDefinition,
  expected: string,
  value: unknown,
  advice = '',
): IonError {
  // Spelled, because an invisible character may be the mistake.
  const shown = typeof value === 'string' ? spelledName(value.slice(0, MAX_SHOWN_LENGTH)) : value;
  const text = `The field "${name ?? '?'}" (${type ?? '?'}) takes ${expected}, not ${describe(shown)}.`;
  return new IonError('ION_VARIABLES', advice === '' ? text : `${text} ${advice}`, {
    reason: { key: value === undefined ? 'noValue' : key, name: name ?? '?' },
  });
}
