import { isPlainObject } from '../client/support/json.js';

/**
 * Whether an expression found nothing: no value, `null`, `false`, 0, an empty text, and lists and
 * objects that hold nothing else. An object around a missing value is empty, so it must not count.
 * Dates, Buffers and other objects are values.
 */
export function isNothing(value: unknown): boolean {
  return isEmpty(value, new Set());
}

/** @param seen objects that were looked at: a stored message may be circular */
function isEmpty(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null) return !value;
  if (!Array.isArray(value) && !isPlainObject(value)) return false;
  if (seen.has(value)) return true;
  seen.add(value);
  return Object.values(value).every((each) => isEmpty(each, seen));
}
