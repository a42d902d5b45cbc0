import { describe } from './describe.js';
import { IonError } from './errors.js';
import { isPlainObject } from './json.js';

/** What is known of the field that a value is for. */
export interface FieldDefinition {
  /** Null only if ION answered none. */
  name: string | null;
  /** `NUMBER`, `STRING` …; types that came after this code are passed on as they are. */
  type: string | null;
  options: readonly string[] | null;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/i;
const ZONE = /(Z|[+-]\d\d:?\d\d)$/i;
/** A number of ms since 1970 below it is more likely one of seconds (it is a day in 1973). */
const EARLIEST_MS = 1e11;
/** One beyond it is more likely one of microseconds. */
const LATEST_MS = 1e13;
const MOST_OPTIONS_TOLD = 20;

/**
 * A value in the JSON type that ION wants for a field (ION's own example: the type must match).
 * Nothing is guessed: `"12,5"` is no number, and `"yes"` no boolean.
 * @throws IonError `ION_VARIABLES`, telling what was expected
 */
export function toFieldValue(field: FieldDefinition, value: unknown): unknown {
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
      return (Array.isArray(value) ? value : [value]).map((each) => toOption(field, each));
    case 'DATETIME':
      return toDateTime(field, value);
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
  // What came in had more digits than a number holds.
  if (typeof value !== 'number' && Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw refused(field, 'a number of at most 15 digits', value);
  }
  return number;
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
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  throw refused(field, expected, value);
}

function toOption(field: FieldDefinition, value: unknown): string {
  const { options } = field;
  if (!options || options.length === 0) return toText(field, value, 'text');
  const told = options.slice(0, MOST_OPTIONS_TOLD).join(', ');
  const expected = `one of: ${told}${options.length > MOST_OPTIONS_TOLD ? ' …' : ''}`;
  const text = toText(field, value, expected);
  if (options.includes(text)) return text;
  throw refused(field, expected, value);
}

function toDateTime(field: FieldDefinition, value: unknown): string {
  const expected = 'a date such as "2026-01-31T08:00:00Z", or milliseconds since 1970';
  const date = toDate(value);
  if (!date || Number.isNaN(date.getTime())) throw refused(field, expected, value);
  // As it came, because ION knows microseconds; without a time zone it is this machine's.
  return typeof value === 'string' && hasZone(value) ? value : date.toISOString();
}

/** Whether a time zone follows the time; the end of a date alone looks like a zone. */
function hasZone(text: string): boolean {
  return /t/i.test(text) && ZONE.test(text.slice(-'+00:00'.length));
}

function toDate(value: unknown): Date | undefined {
  if (value instanceof Date) return value;
  if (typeof value === 'number') {
    return value >= EARLIEST_MS && value <= LATEST_MS ? new Date(value) : undefined;
  }
  const [, year, month, day] = (typeof value === 'string' && ISO_DATE.exec(value)) || [];
  if (!day) return undefined;
  // JavaScript takes February 30 for a day in March.
  const calendar = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (calendar.getUTCDate() !== Number(day)) return undefined;
  const text = String(value);
  // And a day without a time for one in UTC, but a time without a zone for a local one.
  return new Date(text.length === 'YYYY-MM-DD'.length ? `${text}T00:00` : text);
}

/** For types whose values are ids, lists or still unknown. */
function toJson(field: FieldDefinition, value: unknown): unknown {
  const isJson = typeof value !== 'number' || Number.isFinite(value);
  if (isJson && ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (Array.isArray(value) || isPlainObject(value)) return value;
  throw refused(field, 'an id, text, number, boolean or list', value);
}

function refused({ name, type }: FieldDefinition, expected: string, value: unknown): IonError {
  return new IonError(
    'ION_VARIABLES',
    `The field "${name ?? '?'}" (${type ?? '?'}) takes ${expected}, not ${describe(value)}.`,
  );
}
