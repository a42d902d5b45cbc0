import { getHeapStatistics } from 'node:v8';
import type { IonResponse } from '../client.js';
import { IonError, quote } from '../errors.js';
import { Slices } from '../support/slices.js';

/** Rows of one list. */
const MAX_ROWS = 1_000_000;
/** Characters of all responses whose rows are collected. */
const MAX_COLLECTED_CHARACTERS = 256 * 1024 * 1024;
/** Estimated memory of collected rows. */
const MAX_COLLECTED_BYTES = getHeapStatistics().heap_size_limit / 2;
const OBJECT_BYTES = 64;
const VALUE_BYTES = 8;

/**
 * Checks the number of rows of one list.
 * @throws IonError `ION_RESPONSE` beyond the limit
 */
export function checkRowCount(rows: number, path: readonly string[]): void {
  if (rows > MAX_ROWS) throw listTooLarge(path, `It has more than ${MAX_ROWS} rows.`);
}

/** The memory that the collected rows of one list take, by a rough estimate. */
export class CollectedSize {
  #characters = 0;
  #bytes = 0;

  /**
   * Adds the rows of a response.
   * @throws IonError `ION_RESPONSE` beyond the limit
   */
  async add({ data, textLength = 0 }: IonResponse, path: readonly string[]): Promise<void> {
    this.#characters += textLength;
    this.#bytes += textLength + (await bytesOf(data, new Slices()));
    const isTooLong = this.#characters > MAX_COLLECTED_CHARACTERS;
    if (!isTooLong && this.#bytes <= MAX_COLLECTED_BYTES) return;
    const millions = Math.round(this.#characters / 1024 / 1024);
    throw listTooLarge(
      path,
      `Its rows are too large to be held in memory together (${millions} Mi characters so far).`,
    );
  }
}

function listTooLarge(path: readonly string[], problem: string): IonError {
  return new IonError(
    'ION_RESPONSE',
    `The list "${quote(path.join('.'))}" cannot be read. ${problem} Narrow the filters, set a limit, or choose one message per page.`,
  );
}

/** Bytes of a value, not counting its texts. */
async function bytesOf(value: unknown, slices: Slices): Promise<number> {
  let bytes = 0;
  const left: unknown[] = [value];
  for (let next = left.pop(); left.length > 0 || next !== undefined; next = left.pop()) {
    bytes += typeof next === 'object' ? OBJECT_BYTES : VALUE_BYTES;
    if (typeof next !== 'object' || next === null) continue;
    if (slices.isOver) await slices.pause();
    // Only objects are pushed: a list may hold a million numbers.
    for (const item of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof item === 'object' && item !== null) left.push(item);
      else bytes += VALUE_BYTES;
    }
  }
  return bytes;
}
