import { type IonError, toIonError } from '../client/errors.js';

interface Settings {
  job(): Promise<void>;
  /** Whether a run may begin now. If not, `run` has to be called again when it may. */
  canRun(): boolean;
  /** @returns ms before the next run; `undefined` if somebody else will call `run` */
  delayAfter(failures: number, error: IonError): number | undefined;
}

/** Runs a job when asked, once more if asked while it runs, and again after a failure. */
export class CoalescedRunner {
  readonly #settings: Settings;
  #isRequested = false;
  #running: Promise<void> | undefined;
  /** Failures in a row. */
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  run(): void {
    this.#isRequested = true;
    this.#begin();
  }

  /** The job made progress: the next failure counts as the first one. */
  resetFailures(): void {
    this.#failures = 0;
  }

  /** Resolves when the job has ended; it does not run again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await this.#running;
  }

  #begin(): void {
    if (this.#running || !this.#mayRun()) return;
    this.#running = this.#runAll().finally(() => {
      this.#running = undefined;
      this.#begin();
    });
  }

  #mayRun(): boolean {
    const isHeld = this.#isClosed || this.#retryTimer !== undefined;
    return this.#isRequested && !isHeld && this.#settings.canRun();
  }

  async #runAll(): Promise<void> {
    try {
      while (this.#mayRun()) {
        this.#isRequested = false;
        await this.#settings.job();
      }
      this.resetFailures();
    } catch (thrown) {
      this.#retryAfter(this.#settings.delayAfter(++this.#failures, toIonError(thrown)));
    }
  }

  #retryAfter(delay: number | undefined): void {
    if (delay === undefined || this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.run();
    }, delay);
  }
}
