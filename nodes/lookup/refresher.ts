import { setTimeout as sleep } from 'node:timers/promises';

/** Remembered answers that are read again at once, and the pause before the next ones. */
const AT_ONCE = 4;
const PAUSE_MS = 500;

interface Settings {
  /** Reads an answer again; never rejects. */
  read(key: string): Promise<void>;
  /** When somebody looked it up last, in ms since 1970. */
  usedAt(key: string): number | undefined;
  /** Whether ION is out of reach, so that nothing is read until `resume`. */
  isPaused(): boolean;
  /** @default 500 ms */
  pauseMs?: number | undefined;
}

/**
 * Reads remembered answers again that may have changed: those first that somebody used last, each only
 * once for all changes of the meantime, and only some at a time, so that messages do not wait for it.
 */
export class Refresher {
  readonly #settings: Settings;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.#waiting.add(key);
    this.resume();
  }

  resume(): void {
    if (this.#waiting.size === 0 || this.#settings.isPaused()) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.resume();
    });
  }

  /** Drops what is still to be read. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { read, isPaused, pauseMs = PAUSE_MS } = this.#settings;
    const { signal } = this.#closing;
    while (this.#waiting.size > 0 && !isPaused()) {
      const next = this.#newest();
      for (const key of next) this.#waiting.delete(key);
      await Promise.all(next.map(read));
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  #newest(): string[] {
    const { usedAt } = this.#settings;
    const times = Array.from(this.#waiting, (key) => [key, usedAt(key) ?? 0] as const);
    times.sort(([, one], [, other]) => other - one);
    return times.slice(0, AT_ONCE).map(([key]) => key);
  }
}
