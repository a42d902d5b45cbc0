import { IonError } from '../errors.js';

const MAX_IDLE_KEYS = 1000;

/** Runs what has the same key in the order in which it comes, each piece after the one before. */
export class KeyedMutex {
  readonly #lines = new Map<string, { last: Promise<unknown>; size: number }>();

  /**
   * @param limit how many may wait for one key
   * @throws IonError `ION_OVERLOADED` where more would wait
   */
  async run<Result>(key: string, limit: number, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(key) ?? { last: Promise.resolve(), size: 0 };
    if (line.size > limit) {
      throw new IonError(
        'ION_OVERLOADED',
        `${limit} messages are already waiting for their turn: they are worked on one after the other. Send fewer.`,
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
      // Not each time: a map in which keys come and go all the time keeps V8's collector busy.
      if (line.size === 0 && this.#lines.size > MAX_IDLE_KEYS) this.#lines.delete(key);
    }
  }
}
