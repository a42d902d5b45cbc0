import type { Stored } from './store/entries.js';
import type { PartitionHead } from './store/store.js';

interface Store {
  partitionAfter(partition: string): Promise<PartitionHead | undefined>;
  first(partition: string, limit: number): Promise<Stored[]>;
  firstUnresolved(limit: number): Promise<Stored[]>;
  has(stored: Stored): Promise<boolean>;
}

/** Each costs a seek. */
const MAX_PARTITIONS = 1000;
const SEARCH_AGAIN_MS = 5000;

/**
 * The oldest pending entry. It stays the oldest one until it is gone, because later ones have larger
 * numbers, so that a search is rare while nothing is delivered.
 */
export class OldestPending {
  readonly #store: Store;
  #known: Stored | undefined;
  #searchedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * When it was accepted, in ms since 1970; `undefined` without a pending entry. Up to 5 s old, and of the
   * first 1,000 order keys.
   */
  async acceptedAt(): Promise<number | undefined> {
    if (this.#known && (await this.#store.has(this.#known))) return this.#known.entry.acceptedAt;
    const now = performance.now();
    if (this.#known && now - this.#searchedAt < SEARCH_AGAIN_MS) {
      return this.#known.entry.acceptedAt;
    }
    this.#searchedAt = now;
    this.#known = await this.#search();
    return this.#known?.entry.acceptedAt;
  }

  async #search(): Promise<Stored | undefined> {
    const [unresolved] = await this.#store.firstUnresolved(1);
    let lowest: PartitionHead | undefined;
    let head = await this.#store.partitionAfter('');
    for (let count = 0; head && count < MAX_PARTITIONS; count++) {
      if (!lowest || head.sequence < lowest.sequence) lowest = head;
      head = await this.#store.partitionAfter(head.partition);
    }
    if (!lowest || (unresolved && unresolved.sequence < lowest.sequence)) return unresolved;
    const [first] = await this.#store.first(lowest.partition, 1);
    return first ?? unresolved;
  }
}
