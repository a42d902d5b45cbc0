const SECOND_MS = 1000;

/** A limit of calls per second, in windows of one second (fixed window). */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** @param now a monotonic clock in ms */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Counts one call; false if it exceeds the limit. */
  take(): boolean {
    const now = this.#now();
    if (now - this.#windowStart >= SECOND_MS) {
      this.#windowStart = now;
      this.#count = 0;
    }
    if (this.#count >= this.#perSecond) return false;
    this.#count++;
    return true;
  }
}
