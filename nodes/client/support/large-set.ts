import { randomInt } from 'node:crypto';

const PARTS = 256;
/** Number of characters that select the part of a text. */
const LOOKED_AT = 16;
/** Random, so that no server can put all texts into one part. */
const SEED = randomInt(2 ** 31) | 1;

/**
 * A set of IDs that grows in many small steps. A single `Set` of a million entries blocks the event
 * loop each time it doubles.
 */
export class LargeSet {
  readonly #parts = new Map<number, Set<unknown>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns whether the value is new */
  add(value: unknown): boolean {
    const key = partOf(value);
    const part = this.#parts.get(key);
    if (part?.has(value)) return false;
    if (part) part.add(value);
    else this.#parts.set(key, new Set([value]));
    this.#size++;
    return true;
  }
}

function partOf(value: unknown): number {
  const text = String(value);
  let hash = SEED;
  for (let at = Math.max(0, text.length - LOOKED_AT); at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), SEED);
  }
  return (hash >>> 16) % PARTS;
}
