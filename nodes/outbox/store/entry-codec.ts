import { deserialize, serialize } from 'node:v8';
import { IonError, reasonOf } from '../../client/errors.js';
import type { Entry } from './entries.js';

/** The entry holds a value that cannot be stored: a function, a socket, endless nesting. */
export class NotStorableError extends Error {}

/** First byte of JSON; V8's format never starts with it. */
const JSON_START = '{'.charCodeAt(0);
const MAX_JSON_DEPTH = 50;
/** Objects and lists that are written as JSON. */
const MAX_JSON_OBJECTS = 100_000;
/** Levels that are checked; V8 has its own limit for the depth that it can write. */
const MAX_DEPTH = 1000;
/** Properties, or values that take as long to write; more would block the process noticeably. */
const MAX_COST = 300_000;
/** V8 needs ten times as long for each property of an object with more of them. */
const MAX_ORDINARY_PROPERTIES = 1000;

/**
 * JSON if that keeps every value, because V8's own format is ten times slower; V8's format for
 * Buffers, dates and the like.
 * @throws NotStorableError; IonError `ION_VARIABLES` for an entry that takes too long to write
 */
export function encode(entry: Entry): Buffer {
  try {
    const isJson = new EntryCheck().isJson(entry, 0);
    return isJson ? Buffer.from(JSON.stringify(entry)) : serialize(entry);
  } catch (cause) {
    if (cause instanceof IonError) throw cause;
    throw new NotStorableError(reasonOf(cause), { cause });
  }
}

/** @throws the error of V8 or JSON for bytes that they cannot read */
export function decode(bytes: Buffer): unknown {
  return bytes[0] === JSON_START ? JSON.parse(bytes.toString()) : deserialize(bytes);
}

/** Checks an entry once, before it is written. */
class EntryCheck {
  readonly #seen = new Set<object>();
  #cost = 0;
  /** JSON writes a shared value once per reference, V8's format writes it once. */
  #objects = 0;

  /** Whether JSON gives back the same value, except for properties that are `undefined`. */
  isJson(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        this.#add(value.length / 50);
        return true;
      case 'boolean':
        return true;
      case 'number':
        return Number.isFinite(value);
      case 'object':
        return value === null || this.#isJsonObject(value, depth);
      default:
        return false;
    }
  }

  #isJsonObject(value: object, depth: number): boolean {
    const isKnown = this.#seen.has(value);
    this.#seen.add(value);
    // A value that is not written as JSON needs no second check.
    if (depth > MAX_DEPTH || (isKnown && this.#objects > MAX_JSON_OBJECTS)) return false;
    let isJson = ++this.#objects <= MAX_JSON_OBJECTS && depth <= MAX_JSON_DEPTH;
    if (isKnown && !isJson) return false;
    if (ArrayBuffer.isView(value)) {
      this.#add(value.byteLength / 200);
      return false;
    }
    if (Array.isArray(value)) {
      if (!isKnown) this.#add(1 + value.length / 5);
      for (const item of value) isJson = this.isJson(item, depth + 1) && isJson;
      return isJson;
    }
    const prototype = Object.getPrototypeOf(value);
    if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) isJson = false;
    if (value instanceof Map || value instanceof Set) this.#add(value.size);
    const items = Object.values(value);
    if (!isKnown) this.#add(1 + items.length * (items.length > MAX_ORDINARY_PROPERTIES ? 10 : 1));
    for (const item of items) {
      if (item !== undefined) isJson = this.isJson(item, depth + 1) && isJson;
    }
    return isJson;
  }

  #add(cost: number): void {
    this.#cost += cost;
    if (this.#cost <= MAX_COST) return;
    throw new IonError(
      'ION_VARIABLES',
      'The message holds more than the outbox can store at once. Remove the properties that are not needed later, for example with a change node before this node.',
    );
  }
}
