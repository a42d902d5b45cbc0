const SECONDS = 60;

/** Counts what happened in the last minute, with constant work for each. */
export class MinuteCounter {
  readonly #now: () => number;
  readonly #counts = new Uint32Array(SECONDS);
  /** The second of the newest count. */
  #second = 0;

  /** @param now a clock in ms that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get count(): number {
    this.#advance();
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  add(): void {
    this.#advance();
    const index = this.#second % SECONDS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** Forgets the seconds that are a minute ago. */
  #advance(): void {
    const second = Math.floor(this.#now() / 1000);
    if (second - this.#second >= SECONDS) this.#counts.fill(0);
    else for (let each = this.#second + 1; each <= second; each++) this.#counts[each % SECONDS] = 0;
    this.#second = second;
  }
}
