import { type IonError, toIonError } from '../client/errors.js';
import { isOperationRejected } from '../client/failures/classify-failure.js';
import type { RetryDelay } from './retry-delay.js';

interface Settings {
  /** @throws IonError if ION cannot be reached, or rejects the request */
  check(): Promise<void>;
  delayMs: RetryDelay;
  /** The state or its reason changed. */
  onChange(): void;
  /** A try may begin: the circuit is half-open or closed. */
  onReady(): void;
}

/**
 * - `closed`: ION responds
 * - `open`: ION cannot be reached, nothing is tried
 * - `half-open`: one try at a time finds out whether ION is back
 */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Stops all tries while ION cannot be reached, and lets one probe at a time through. */
export class CircuitBreaker {
  readonly #settings: Settings;
  /** Time of the last response, on the monotonic clock. */
  #respondedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<boolean> | undefined;
  #openSince: number | undefined;
  #reason: IonError | undefined;
  #probes = 0;
  #nextProbeAt: number | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get state(): CircuitState {
    if (this.#openSince === undefined) return 'closed';
    return this.#probeTimer ? 'open' : 'half-open';
  }

  /** Since when ION cannot be reached, in ms since 1970. */
  get openSince(): number | undefined {
    return this.#openSince;
  }

  /** Why ION cannot be reached. */
  get reason(): IonError | undefined {
    return this.#reason;
  }

  /** Time of the next probe, in ms since 1970; `undefined` while it is under way. */
  get nextProbeAt(): number | undefined {
    return this.#probeTimer && this.#nextProbeAt;
  }

  /** ION responded, if only with a rejection: closes the circuit. */
  responded(): void {
    this.#respondedAt = performance.now();
    if (this.#openSince === undefined) return;
    this.#openSince = undefined;
    this.#reason = undefined;
    this.#probes = 0;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#settings.onChange();
    this.#settings.onReady();
  }

  /**
   * Whether ION has responded since a time, or responds now.
   * @param since on the monotonic clock
   */
  async isResponding(since: number): Promise<boolean> {
    if (this.#respondedAt >= since) return true;
    this.#checking ??= this.#settings
      .check()
      .then(
        () => true,
        // A rejection is a response as well.
        (thrown) => isOperationRejected(toIonError(thrown)),
      )
      .finally(() => {
        this.#checking = undefined;
      });
    const isResponding = await this.#checking;
    if (isResponding) this.responded();
    return isResponding;
  }

  /** Finds out whether ION is back if no write is there to be tried. */
  async probe(): Promise<void> {
    const error = this.#reason;
    if (error && !(await this.isResponding(performance.now()))) this.open(error);
  }

  /** ION cannot be reached: opens the circuit until the next probe. */
  open(error: IonError): void {
    if (this.#isStopped) return;
    this.#openSince ??= Date.now();
    this.#reason = error;
    if (!this.#probeTimer) {
      const delayMs = this.#settings.delayMs(++this.#probes, error);
      this.#nextProbeAt = Date.now() + delayMs;
      this.#probeTimer = setTimeout(() => {
        this.#probeTimer = undefined;
        this.#settings.onReady();
      }, delayMs);
    }
    this.#settings.onChange();
  }

  /** Ends the waiting for the next probe, permanently. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#probeTimer);
  }
}
