import { toIonError } from '../errors.js';
import { weightOf } from '../support/json-size.js';
import { LruCache } from '../support/lru-cache.js';
import type { RequestScope } from './request-scope.js';

/** Total weight of one cache; see `weightOf`. */
export const MAX_CACHE_WEIGHT = 1_000_000;

/** A value with its weight in memory. */
export interface Weighed<Value> {
  value: Value;
  weight: number;
}

/** Values that are read once for all callers that ask at the same time. Failed reads are dropped. */
export class ReadCache<Value> {
  readonly #values: LruCache<string, Promise<Value>>;

  /** @param size maximum number of values */
  constructor(size: number) {
    this.#values = new LruCache(size, MAX_CACHE_WEIGHT);
  }

  has(key: string): boolean {
    return this.#values.get(key) !== undefined;
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  /**
   * The value of a key, which is read if it is not cached.
   * @throws the error of the read
   */
  async get(
    key: string,
    requests: RequestScope,
    read: () => Promise<Weighed<Value>>,
  ): Promise<Value> {
    for (;;) {
      const value = this.#values.get(key) ?? this.#start(key, read);
      try {
        return await value;
      } catch (thrown) {
        if (this.#values.get(key) === value) this.#values.delete(key);
        // If only the flow of the caller that started the read was stopped, this caller reads again.
        const isOthers = toIonError(thrown).code === 'ION_CLOSED' && !requests.signal.aborted;
        if (!isOthers || requests.isClosed) throw thrown;
      }
    }
  }

  #start(key: string, read: () => Promise<Weighed<Value>>): Promise<Value> {
    const reading = read();
    const value = reading.then((result) => result.value);
    this.#values.set(key, value);
    const weigh = ({ weight }: Weighed<Value>) => {
      if (this.#values.get(key) !== value) return;
      this.#values.set(key, value, weightOf(key, MAX_CACHE_WEIGHT) + weight);
    };
    // `get` handles a failure of the read.
    reading.then(weigh).catch(() => {});
    return value;
  }
}
