import { IonError } from '../errors.js';
import { weightOf } from '../support/json-size.js';
import { type ForeignRow, foreignRow, type Id } from '../support/known-columns.js';
import { LruCache } from '../support/lru-cache.js';
import { Slices } from '../support/slices.js';
import { MAX_CACHE_WEIGHT, type Weighed } from './read-cache.js';

/** Steps of a run, or fields of a step. */
const MAX_ROWS = 20_000;
/** Weight to which every cached row may grow; see `add`. */
const SMALL_ROW = 100;

/** One object per row, whichever query read it, so that a new etag is known everywhere. */
export class RowCache<Row extends { id: Id }> {
  readonly #rows: LruCache<string, Row>;
  readonly #toRow: (row: ForeignRow) => Row | undefined;

  /**
   * @param size maximum number of rows
   * @param toRow takes over a row of a response; `undefined` for a row that cannot be used
   */
  constructor(size: number, toRow: (row: ForeignRow) => Row | undefined) {
    this.#rows = new LruCache(size, MAX_CACHE_WEIGHT);
    this.#toRow = toRow;
  }

  /** The row of a response; `undefined` if it cannot be used. */
  toRow(value: unknown): Row | undefined {
    const row = foreignRow(value);
    return row && this.#toRow(row);
  }

  /** Updates the cached object of a row, and returns it. */
  add(row: Row): Weighed<Row> {
    const key = String(row.id);
    const cached = this.#rows.get(key);
    const weight = weightOf(row, MAX_CACHE_WEIGHT);
    // Other caches weighed the cached object before, so it must not become much heavier.
    const mayGrow = cached && weight <= Math.max(SMALL_ROW, weightOf(cached, MAX_CACHE_WEIGHT));
    const value = mayGrow ? Object.assign(cached, row) : row;
    this.#rows.set(key, value, weight);
    return { value, weight };
  }

  /**
   * Adds the rows of a list in a response, without those that cannot be used.
   * @throws IonError `ION_RESPONSE` for more rows than a run can have
   */
  async addAll(list: unknown): Promise<Weighed<Row[]>> {
    const rows: Weighed<Row[]> = { value: [], weight: 1 };
    if (!Array.isArray(list)) return rows;
    if (list.length > MAX_ROWS) {
      throw new IonError('ION_RESPONSE', `ION returned more than ${MAX_ROWS} steps or fields.`);
    }
    const slices = new Slices();
    for (const item of list) {
      if (slices.isOver) await slices.pause();
      const row = this.toRow(item);
      if (!row) continue;
      const { value, weight } = this.add(row);
      rows.value.push(value);
      rows.weight += weight;
    }
    return rows;
  }

  /** Marks a row as used, so that it stays cached: a second object of it would have an older etag. */
  touch({ id }: Row): void {
    this.#rows.get(String(id));
  }
}
