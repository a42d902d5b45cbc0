/** A map of limited size, which removes the entry that was not used for the longest time. */
export class LruCache<Key, Value> {
  readonly #size: number;
  readonly #maxWeight: number;
  /** In the order of their last use. */
  readonly #entries = new Map<Key, { value: Value; weight: number }>();
  #weight = 0;

  /**
   * @param size maximum number of entries
   * @param maxWeight limit for the sum of all weights
   */
  constructor(size: number, maxWeight = Number.POSITIVE_INFINITY) {
    this.#size = size;
    this.#maxWeight = maxWeight;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** An entry that exceeds the total weight alone is not stored. */
  set(key: Key, value: Value, weight = 1): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    while (this.#entries.size > this.#size || this.#weight > this.#maxWeight) {
      this.delete(this.#entries.keys().next().value as Key);
    }
  }

  /** The values, the one that was not used for the longest time first. */
  values(): Value[] {
    return Array.from(this.#entries.values(), ({ value }) => value);
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
