/** The events that the nodes of a config node sent. */
export interface EventsSummary {
  count: number;
  /** Time of the last one, in ms since 1970. */
  lastAt: number;
  /** From the change in ION to the message, in ms, by two clocks; missing if ION named no time. */
  lagMs?: number;
}

/** Counts events. */
export class RecentEvents {
  #summary: EventsSummary | undefined;

  /** `undefined` before the first event. */
  get summary(): EventsSummary | undefined {
    return this.#summary;
  }

  /** @param changedAt time of the change in ION, in ms since 1970 */
  add(changedAt: number | undefined): void {
    const lastAt = Date.now();
    const count = (this.#summary?.count ?? 0) + 1;
    // The clocks of two machines differ.
    const lagMs = changedAt === undefined ? undefined : Math.max(0, lastAt - changedAt);
    this.#summary = { count, lastAt, ...(lagMs !== undefined && { lagMs }) };
  }
}
