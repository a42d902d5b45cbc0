import { isDeepStrictEqual } from 'node:util';
import { setProperty } from '../support/json.js';
import { LruCache } from '../support/lru-cache.js';
import { type ComparedValue, comparedValue } from './compared-value.js';
import type { Row } from './rows.js';

export const MAX_OBJECTS = 50_000;
/** Characters of all remembered texts together. */
const MAX_CHARACTERS = 10_000_000;

export interface FieldChanges {
  isChanged: boolean;
  /** Earlier values of the fields that changed, by path; without those that were too long to be kept. */
  previous: Record<string, unknown>;
}

/** The values that some fields of objects had when they were last seen. It forgets the oldest first. */
export class FieldMemory {
  readonly #paths: readonly string[];
  /** One text per object, so that it is small in memory and in a context store: key and values. */
  readonly #texts = new LruCache<string, string>(MAX_OBJECTS, MAX_CHARACTERS);
  /** Whether the memory differs from what was stored. */
  isChanged = false;

  /** @param texts the texts of a stored memory, for the same paths; those that are wrong are ignored */
  constructor(paths: readonly string[], texts: readonly unknown[] = []) {
    this.#paths = paths;
    for (const text of texts) {
      if (typeof text !== 'string') continue;
      // JSON contains no line break, but the ID of an object may.
      const end = text.lastIndexOf('\n');
      if (end >= 0) this.#texts.set(text.slice(0, end), text, text.length);
    }
  }

  get isEmpty(): boolean {
    return this.#texts.isEmpty;
  }

  has(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  /** The changes since the object was last seen; `undefined` if it is not known. */
  changes(key: string, row: Row): FieldChanges | undefined {
    const before = this.#read(key);
    if (!before) return undefined;
    const result: FieldChanges = { isChanged: false, previous: {} };
    for (const [index, path] of this.#paths.entries()) {
      const [known, present] = [before[index], comparedValue(row, path)];
      // A value that is too large counts as changed, because a message too many is better than none.
      if (known && present !== null && isSame(known, present)) continue;
      result.isChanged = true;
      if (Array.isArray(known)) setProperty(result.previous, path, known[0]);
    }
    return result;
  }

  remember(key: string, row: Row): void {
    const values = this.#paths.map((path) => comparedValue(row, path));
    const text = `${key}\n${JSON.stringify(values)}`;
    if (this.#texts.get(key) !== text) this.isChanged = true;
    this.#texts.set(key, text, text.length);
  }

  /** Remembers rows that it does not know yet. @param rows by key, the newest first */
  learn(rows: ReadonlyMap<string, Row>): void {
    for (const [key, row] of [...rows].reverse()) {
      if (!this.has(key)) this.remember(key, row);
    }
  }

  forget(key: string): void {
    if (this.#texts.get(key) !== undefined) this.isChanged = true;
    this.#texts.delete(key);
  }

  /** The remembered objects, the oldest first. */
  texts(): string[] {
    return this.#texts.values();
  }

  #read(key: string): ComparedValue[] | undefined {
    const text = this.#texts.get(key);
    if (text === undefined) return undefined;
    try {
      const values: unknown = JSON.parse(text.slice(key.length + 1));
      const isValid = Array.isArray(values) && values.length === this.#paths.length;
      return isValid ? (values as ComparedValue[]) : undefined;
    } catch {
      // A context store may be damaged or edited by hand.
      return undefined;
    }
  }
}

/** Compares as they are stored: JSON has no negative zero. */
function isSame(known: ComparedValue, present: ComparedValue): boolean {
  return isDeepStrictEqual(known, JSON.parse(JSON.stringify(present)));
}
