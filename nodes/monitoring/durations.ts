/** Each bucket is 19 % wider than the one before it. */
const PER_DOUBLING = 4;
/** The upper end of the first bucket, in ms. */
const FIRST_MS = 0.25;
/** Up to 12 minutes. */
const BUCKETS = 88;

/** A histogram of durations with buckets on a logarithmic scale, so that a percentile is off by 10 %. */
export class Durations {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log2(ms / FIRST_MS) * PER_DOUBLING);
    const index = bucket > 0 ? Math.min(bucket, BUCKETS - 1) : 0;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total++;
  }

  addAll(other: Durations): void {
    for (const [index, count] of other.#counts.entries()) {
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
    }
    this.#total += other.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /**
   * @param share 0.99 for the duration that one in a hundred exceeds
   * @returns ms with two significant digits; `undefined` without durations
   */
  percentile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    let left = Math.max(1, Math.ceil(this.#total * share));
    const index = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    // The middle of the bucket.
    const ms = FIRST_MS * 2 ** ((index - 0.5) / PER_DOUBLING);
    return Number(ms.toPrecision(2));
  }
}
