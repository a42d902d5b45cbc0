import type { IonError, IonErrorCode } from '../client/errors.js';
import type { OperationOutcome } from '../client/operation-outcomes.js';

/** Failures after which nobody knows of a working way to ION. */
const OUTAGES: ReadonlySet<IonErrorCode> = new Set([
  'ION_AUTH',
  'ION_NETWORK',
  'ION_RATE_LIMITED',
  'ION_RESPONSE',
  'ION_SERVER',
  'ION_TIMEOUT',
]);
/** Failures of this machine, which say nothing about ION. */
const LOCAL: ReadonlySet<IonErrorCode> = new Set([
  'ION_CLOSED',
  'ION_CONFIG',
  'ION_OVERLOADED',
  'ION_QUERY',
  'ION_VARIABLES',
]);

/** An outage of ION. */
export interface Outage {
  /** The code of the last failure. */
  code: IonErrorCode;
  /** Age of the first and of the last failure without a success since then, in ms. */
  ageMs: number;
  lastAgeMs: number;
}

/** Knows from the outcomes of operations since when ION cannot be used. */
export class Reachability {
  readonly #now: () => number;
  #failed: { code: IonErrorCode; firstAt: number; lastAt: number } | undefined;

  /** @param now a clock in ms that never goes back: that of a machine may be set after its start */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `undefined` if the last request succeeded, or was rejected by ION itself. */
  get outage(): Outage | undefined {
    if (!this.#failed) return undefined;
    const { code, firstAt, lastAt } = this.#failed;
    const now = this.#now();
    return { code, ageMs: now - firstAt, lastAgeMs: now - lastAt };
  }

  add({ error, attempts }: Pick<OperationOutcome, 'error' | 'attempts'>): void {
    if (error && isOutage(error)) {
      const at = this.#now();
      this.#failed = { code: error.code, firstAt: this.#failed?.firstAt ?? at, lastAt: at };
      return;
    }
    // A dry run answers mutations itself.
    if (attempts === 0 || (error && LOCAL.has(error.code))) return;
    this.#failed = undefined;
  }
}

function isOutage({ code, origin, status = 0 }: IonError): boolean {
  // ION responded, but with more than this package reads.
  const isUnread = code === 'ION_RESPONSE' && origin === 'local' && status >= 200 && status < 300;
  return OUTAGES.has(code) && !isUnread;
}
