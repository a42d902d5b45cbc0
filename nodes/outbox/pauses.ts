/** Partitions that wait for the next try of their first entry. */
export class Pauses {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onElapsed: (partition: string) => void;
  #isClosed = false;

  /** @param onElapsed called when a pause is over, unless it was ended */
  constructor(onElapsed: (partition: string) => void) {
    this.#onElapsed = onElapsed;
  }

  has(partition: string): boolean {
    return this.#timers.has(partition);
  }

  begin(partition: string, ms: number): void {
    if (this.#isClosed) return;
    this.end(partition);
    const elapsed = () => {
      this.#timers.delete(partition);
      this.#onElapsed(partition);
    };
    this.#timers.set(partition, setTimeout(elapsed, ms));
  }

  end(partition: string): void {
    clearTimeout(this.#timers.get(partition));
    this.#timers.delete(partition);
  }

  /** Ends all of them; no other begins. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
