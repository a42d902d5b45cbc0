import { types } from 'node:util';
import { IonError } from '../errors.js';
import { describe } from '../support/describe.js';
import { isPlainObject } from '../support/json.js';
import type { TimeZone } from '../support/time-zone.js';
import { toInstant } from './instant.js';
import { rowsNamed, spelledName } from './name-matching.js';

/** What is known of the field that a value is for. */
export interface FieldDefinition {
  /** Null only if ION answered none. */
  name: string | null;
  /** `NUMBER`, `STRING` …; types that came after this code are passed on as they are. */
  type: string | null;
  options: readonly string[] | null;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** Digits to which JavaScript can write a number. */
const MAX_DIGITS = 100;
/** Characters of a value that are looked at for an error text. */
const MAX_SHOWN = 500;
const MAX_OPTIONS_LISTED = 20;

/**
 * A value in the JSON type that ION wants for a field (ION's own example: the type must match).
 * Nothing is guessed: `"12,5"` is no number, and `"yes"` no boolean.
 * @param timeZone of dates without a zone; without it, they are refused
 * @throws IonError `ION_VARIABLES`, telling what was expected
 */
export function toFieldValue(field: FieldDefinition, value: unknown, timeZone?: TimeZone): unknown {
  // Clears the field.
  if (value === null) return null;
  // In old answers ION writes enum values in lower case.
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
      // Unlike `map`, this does not skip empty places.
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
    throw refused(field, 'a number such as 12.5', value);
  }
  if (typeof value === 'number' || isExact(number, String(value).trim())) return number;
  throw refused(field, 'a number of at most 15 digits', value, 'Round it before this node.');
}

/** Whether a number, written with as many digits as its text, is that text. */
function isExact(number: number, text: string): boolean {
  const digits = significantDigits(text);
  if (digits === '') return number === 0;
  if (digits.length > MAX_DIGITS || number === 0) return false;
  return significantDigits(number.toPrecision(digits.length)) === digits;
}

/** The digits without the zeros around them. */
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
  throw refused(field, 'true or false (or 1 or 0)', value);
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
  throw refused(field, expected, value);
}

function toOption(field: FieldDefinition, value: unknown): string {
  const { options } = field;
  if (!options || options.length === 0) return toText(field, value, 'text');
  const told = options.slice(0, MAX_OPTIONS_LISTED).map(spelledName).join(', ');
  const expected = `one of: ${told}${options.length > MAX_OPTIONS_LISTED ? ' …' : ''}`;
  const text = toText(field, value, expected);
  const [option, other] = rowsNamed(options, text, (each) => each);
  // As ION writes it. The same option may stand there twice.
  if (option !== undefined && (other === undefined || option === text)) return option;
  throw refused(field, expected, value);
}

function toDateTime(field: FieldDefinition, value: unknown, zone: TimeZone | undefined): string {
  const instant = toInstant(value, zone);
  if ('text' in instant) return instant.text;
  throw refused(field, instant.expected, value, instant.advice);
}

/** For types whose values are ids, lists or still unknown. */
function toJson(field: FieldDefinition, value: unknown): unknown {
  const isJson = typeof value !== 'number' || Number.isFinite(value);
  if (isJson && ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (Array.isArray(value) || isPlainObject(value)) return value;
  throw refused(field, 'an id, text, number, boolean or list', value);
}

function refused(
  { name, type }: FieldDefinition,
  expected: string,
  value: unknown,
  advice = '',
): IonError {
  // What nobody sees may be what is wrong with it.
  const shown = typeof value === 'string' ? spelledName(value.slice(0, MAX_SHOWN)) : value;
  const text = `The field "${name ?? '?'}" (${type ?? '?'}) takes ${expected}, not ${describe(shown)}.`;
  return new IonError('ION_VARIABLES', advice === '' ? text : `${text} ${advice}`);
}
