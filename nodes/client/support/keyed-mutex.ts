import { IonError } from '../errors.js';

const MAX_IDLE_KEYS = 1000;

/** Runs work with the same key one after the other, in the order of the calls. */
export class KeyedMutex {
  readonly #lines = new Map<string, { last: Promise<unknown>; size: number }>();

  /**
   * @param limit maximum number of waiting calls for one key
   * @throws IonError `ION_OVERLOADED` above the limit
   */
  async run<Result>(key: string, limit: number, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(key) ?? { last: Promise.resolve(), size: 0 };
    if (line.size > limit) {
      throw new IonError(
        'ION_OVERLOADED',
        `${limit} messages are already queued. They are processed one at a time. Send fewer.`,
      );
    }
    this.#lines.set(key, line);
    line.size++;
    const result = line.last.then(work);
    line.last = result.catch(() => {});
    try {
      return await result;
    } finally {
      line.size--;
      // Keys are kept for a while, because constant changes of a map keep V8's garbage collector
      // busy.
      if (line.size === 0 && this.#lines.size > MAX_IDLE_KEYS) this.#lines.delete(key);
    }
  }
}
