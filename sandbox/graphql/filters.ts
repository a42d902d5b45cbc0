import { type GraphQLInputObjectType, getNamedType, isInputObjectType } from 'graphql';
import { normalizeTimestamp } from '../data/clock.js';
import type { Store } from '../data/store.js';
import { member } from './members.js';
import { filteredType } from './schema.js';

export type Predicate = (row: unknown) => boolean;
type Test = (value: unknown) => boolean;

/**
 * Turns a filter object into a test of rows. The schema's input types say what each key means: a
 * scalar filter tests a member, an `…InputFilters` a related row (any of them, if there are many).
 */
export function compileFilter(
  input: GraphQLInputObjectType,
  filter: unknown,
  store: Store,
): Predicate {
  if (!isObject(filter)) return () => true;
  const type = filteredType(input);
  if (!type) throw new Error(`${input.name} filters no list`);
  const tests: Predicate[] = [];
  for (const [key, value] of Object.entries(filter)) {
    if (value === null || value === undefined) continue;
    const field = input.getFields()[key];
    const fieldType = field && getNamedType(field.type);
    if (!isInputObjectType(fieldType)) throw new Error(`${input.name}.${key} is not a filter`);
    if (key === 'and_' || key === 'or_') {
      const parts = asList(value).map((part) => compileFilter(input, part, store));
      if (key === 'and_') tests.push((row) => parts.every((part) => part(row)));
      // An empty or_ restricts nothing, as in SQLAlchemy.
      else if (parts.length > 0) tests.push((row) => parts.some((part) => part(row)));
    } else {
      tests.push(memberTest(type, key, fieldType, value, store));
    }
  }
  const [only] = tests;
  if (only && tests.length === 1) return only;
  return (row) => tests.every((test) => test(row));
}

function memberTest(
  type: string,
  key: string,
  input: GraphQLInputObjectType,
  filter: unknown,
  store: Store,
): Predicate {
  const read = member(type, key);
  const related = 'or_' in input.getFields();
  const test = related ? compileFilter(input, filter, store) : compileScalar(input.name, filter);
  const whole = input.name === 'ScalarValueFilter';
  return (row) => {
    const value = read(row, store);
    if (Array.isArray(value) && !whole) return value.some(test);
    if (related && (value === null || value === undefined)) return false;
    return test(value);
  };
}

/** The twelve operators of a scalar filter; as in SQL, a comparison with null never holds. */
export function compileScalar(filterType: string, filter: unknown): Test {
  const kind = KINDS[filterType] ?? identity;
  const tests: Test[] = [];
  for (const [operator, operand] of Object.entries(isObject(filter) ? filter : {})) {
    if (operand !== undefined) tests.push(compileOperator(operator, operand, kind));
  }
  const [only] = tests;
  if (only && tests.length === 1) return only;
  return (value) => tests.every((test) => test(value));
}

/** Converts operands and stored values of one filter type into the same comparable form. */
type Kind = (value: unknown) => unknown;

const identity: Kind = (value) => value;
const KINDS: Record<string, Kind> = {
  // ID operands are strings, stored ids numbers.
  IDFilter: (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
  DateTimeFilter: (value) => normalizeTimestamp(String(value)),
  // The ids of attributes are strings in the API.
  StringFilter: (value) => (typeof value === 'number' ? String(value) : value),
  ScalarValueFilter: (value) => (typeof value === 'object' ? JSON.stringify(value) : value),
};

function compileOperator(operator: string, operand: unknown, kind: Kind): Test {
  if (operator === 'isnull') {
    return (value) => (value === null || value === undefined) === operand;
  }
  if (operand === null) {
    if (operator === 'eq') return (value) => value === null || value === undefined;
    if (operator === 'neq') return (value) => value !== null && value !== undefined;
    return () => false;
  }
  const test = compileComparison(operator, operand, kind);
  return (value) => value !== null && value !== undefined && test(value);
}

function compileComparison(operator: string, operand: unknown, kind: Kind): Test {
  switch (operator) {
    case 'in': {
      const wanted = new Set(asList(operand).map(kind));
      return (value) => wanted.has(kind(value));
    }
    case 'like':
    case 'ilike': {
      const pattern = sqlPattern(String(operand), operator === 'ilike');
      return (value) => pattern(String(value));
    }
    case 'notlike':
    case 'notilike': {
      const pattern = sqlPattern(String(operand), operator === 'notilike');
      return (value) => !pattern(String(value));
    }
    case 'fuzzyMatch': {
      const { value: text, similarity } = operand as { value?: unknown; similarity?: number };
      return (value) => trigramSimilarity(String(value), String(text ?? '')) >= (similarity ?? 0.5);
    }
    default: {
      const wanted = kind(operand);
      const holds = COMPARISONS[operator];
      if (!holds) throw new Error(`Unknown filter operator ${operator}`);
      return (value) => holds(kind(value), wanted);
    }
  }
}

/** Types that can be ordered; both sides are of the same type before they are compared. */
type Ordered = string | number | boolean;

const COMPARISONS: Record<string, (a: unknown, b: unknown) => boolean> = {
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
  gt: ordering((a, b) => a > b),
  gte: ordering((a, b) => a >= b),
  lt: ordering((a, b) => a < b),
  lte: ordering((a, b) => a <= b),
};

function ordering(holds: (a: Ordered, b: Ordered) => boolean) {
  return (a: unknown, b: unknown): boolean =>
    typeof a === typeof b && isOrdered(a) && isOrdered(b) && holds(a, b);
}

function isOrdered(value: unknown): value is Ordered {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * A test for an SQL LIKE pattern: `%` is any text, `_` any character, a backslash takes either literally.
 * The texts between `%` are searched one after the other, because one expression for all may take years.
 */
function sqlPattern(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  const flags = ignoreCase ? 'isu' : 'su';
  const sources = [''];
  for (const [part] of pattern.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    if (part === '%') sources.push('');
    else sources[sources.length - 1] += part === '_' ? '.' : literal(part);
  }
  const [first = '', ...rest] = sources;
  const last = rest.pop();
  if (last === undefined) return (text) => new RegExp(`^${first}$`, flags).test(text);
  const begin = new RegExp(`^${first}`, flags);
  const middle = rest
    .filter((source) => source !== '')
    .map((each) => new RegExp(each, `g${flags}`));
  const end = new RegExp(`${last}$`, flags);
  return (text) => {
    let at = begin.exec(text)?.[0].length ?? -1;
    for (const expression of middle) {
      if (at < 0) return false;
      expression.lastIndex = at;
      at = expression.test(text) ? expression.lastIndex : -1;
    }
    return at >= 0 && end.test(text.slice(at));
  };
}

function literal(part: string): string {
  const character = part.length > 1 && part.startsWith('\\') ? part.slice(1) : part;
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The share of trigrams that two texts have in common, as PostgreSQL's pg_trgm counts. */
export function trigramSimilarity(a: string, b: string): number {
  const left = trigrams(a);
  const right = trigrams(b);
  const shared = [...left].filter((trigram) => right.has(trigram)).length;
  const total = left.size + right.size - shared;
  return total === 0 ? 0 : shared / total;
}

function trigrams(text: string): Set<string> {
  const found = new Set<string>();
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const padded = `  ${word} `;
    for (let i = 0; i + 3 <= padded.length; i++) found.add(padded.slice(i, i + 3));
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
