const SECOND_MS = 1000;

/** Lets so many through in each second. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  #beganAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** @param now a clock in ms that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Whether one more is let through now. */
  take(): boolean {
    const now = this.#now();
    if (now - this.#beganAt >= SECOND_MS) {
      this.#beganAt = now;
      this.#count = 0;
    }
    if (this.#count >= this.#perSecond) return false;
    this.#count++;
    return true;
  }
}
