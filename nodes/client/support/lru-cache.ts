/** A map of bounded size: what was neither read nor written for the longest time goes first. */
export class LruCache<Key, Value> {
  readonly #size: number;
  readonly #maxWeight: number;
  /** In the order of their last use. */
  readonly #entries = new Map<Key, { value: Value; weight: number }>();
  #weight = 0;

  /**
   * @param size entries at most
   * @param maxWeight most that the weights given to `set` may sum up to
   */
  constructor(size: number, maxWeight = Number.POSITIVE_INFINITY) {
    this.#size = size;
    this.#maxWeight = maxWeight;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** An entry that alone exceeds the total weight is not kept. */
  set(key: Key, value: Value, weight = 1): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    while (this.#entries.size > this.#size || this.#weight > this.#maxWeight) {
      this.delete(this.#entries.keys().next().value as Key);
    }
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
