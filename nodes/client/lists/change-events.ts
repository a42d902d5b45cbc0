import { isDeepStrictEqual } from 'node:util';
import { weightOf } from '../support/json-size.js';
import { LruCache } from '../support/lru-cache.js';
import type { Change } from './change-feed.js';
import type { Row } from './rows.js';

const OBJECT_CACHE_SIZE = 10_000;
/** Total weight of the cached objects; see `weightOf`. */
const MAX_CACHE_WEIGHT = 1_000_000;
/** Weight of one row; heavier rows are neither cached nor compared. */
const MAX_ROW_WEIGHT = 5000;

/** One change as it is sent to flows. */
export interface ChangeEvent {
  action: 'CREATE' | 'UPDATE';
  id: unknown;
  row: Row;
  /** Earlier values of the selected fields that changed; missing if they were not seen. */
  previous?: Row;
}

interface Seen {
  state: string;
  /** `undefined` if the row is too large. */
  row: Row | undefined;
}

/** Turns changes into events, with the earlier values of the fields that changed. */
export class ChangeEvents {
  readonly #seen = new LruCache<string, Seen>(OBJECT_CACHE_SIZE, MAX_CACHE_WEIGHT);

  /** `undefined` if an event of this state was made before, such as by a read that failed later. */
  next({ key, id, row, state, isNew }: Change): ChangeEvent | undefined {
    const seen = this.#seen.get(key);
    if (seen?.state === state) return undefined;
    const weight = weightOf(row, MAX_ROW_WEIGHT);
    const isSmall = weight <= MAX_ROW_WEIGHT;
    const ownWeight = weightOf([key, state], MAX_CACHE_WEIGHT);
    this.#seen.set(
      key,
      { state, row: isSmall ? row : undefined },
      isSmall ? ownWeight + weight : ownWeight,
    );
    if (!seen) return { action: isNew ? 'CREATE' : 'UPDATE', id, row };
    if (!isSmall || !seen.row) return { action: 'UPDATE', id, row };
    return { action: 'UPDATE', id, row, previous: changedFields(seen.row, row) };
  }
}

function changedFields(before: Row, after: Row): Row {
  const names = Object.keys(after).filter(
    (name) => Object.hasOwn(before, name) && !isDeepStrictEqual(before[name], after[name]),
  );
  return Object.fromEntries(names.map((name) => [name, before[name]]));
}
