import { createHash } from 'node:crypto';
import { weightOf } from '../support/json-size.js';
import type { Row } from './rows.js';

/** The value itself, the digest of a long one, or null for one that is too large to be compared. */
export type ComparedValue = [value: unknown] | string | null;

/** JSON of a value, in characters; of a longer value only the digest is kept. */
export const MAX_KEPT_LENGTH = 500;
/** A heavier value is not compared; see `weightOf`. */
const MAX_WEIGHT = 20_000;
/** Items of all lists on a path. */
const MAX_ITEMS = 20_000;

/** The value at a path of fields, such as `assignee.name`, in a form that can be compared and stored. */
export function comparedValue(row: Row, path: string): ComparedValue {
  const budget = { items: MAX_ITEMS };
  const value = valueAt(row, path.split('.'), budget);
  if (budget.items < 0 || weightOf(value, MAX_WEIGHT) > MAX_WEIGHT) return null;
  const text = sortedJson(value);
  if (text.length <= MAX_KEPT_LENGTH) return [value];
  return createHash('sha256').update(text).digest('base64');
}

/** Null for a missing value. A list on the path gives the list of its values. */
function valueAt(value: unknown, names: readonly string[], budget: { items: number }): unknown {
  const [name, ...rest] = names;
  if (name === undefined || value === null || value === undefined) return value ?? null;
  if (!Array.isArray(value)) {
    const isThere = typeof value === 'object' && Object.hasOwn(value, name);
    return isThere ? valueAt((value as Row)[name], rest, budget) : null;
  }
  budget.items -= value.length;
  if (budget.items < 0) return null;
  const values = value.map((item) => valueAt(item, names, budget));
  if (weightOf(values, MAX_WEIGHT) <= MAX_WEIGHT) return sorted(values);
  budget.items = -1;
  return null;
}

/** Sorted, because ION promises no order of the parts of a row. */
function sorted(values: unknown[]): unknown[] {
  return values
    .map((value) => ({ value, text: sortedJson(value) }))
    .sort((one, other) => (one.text < other.text ? -1 : Number(one.text > other.text)))
    .map(({ value }) => value);
}

/** JSON that is the same for objects with the same properties in another order. */
function sortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const names = Object.keys(value).sort();
  const property = (name: string) => `${JSON.stringify(name)}:${sortedJson((value as Row)[name])}`;
  return `{${names.map(property).join(',')}}`;
}
