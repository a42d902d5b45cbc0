/** Counts the events that were sent into flows. */
export class EventMetrics {
  #total = 0;
  #lagSeconds: number | undefined;

  get total(): number {
    return this.#total;
  }

  /** From the change in ION to the last event for which its time is known. */
  get lagSeconds(): number | undefined {
    return this.#lagSeconds;
  }

  /**
   * @param changedAt by ION's clock, in ms since 1970; `undefined` if it is not known
   * @param now in ms since 1970
   */
  add(changedAt: number | undefined, now = Date.now()): void {
    this.#total++;
    if (changedAt === undefined) return;
    // The clocks of ION and this machine differ a little.
    this.#lagSeconds = Math.max(0, now - changedAt) / 1000;
  }
}
