import type { IonErrorCode } from '../client/errors.js';
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
  /** Time of the first and the last failure without a success since then, in ms since 1970. */
  since: number;
  lastAt: number;
}

/** Knows from the outcomes of operations since when ION cannot be used. */
export class Reachability {
  #outage: Outage | undefined;

  /** `undefined` if the last request succeeded, or was rejected by ION itself. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** @param now in ms since 1970 */
  add({ code }: Pick<OperationOutcome, 'code'>, now: () => number = Date.now): void {
    if (code === undefined) {
      this.#outage = undefined;
    } else if (OUTAGES.has(code)) {
      const at = now();
      this.#outage = { code, since: this.#outage?.since ?? at, lastAt: at };
    } else if (!LOCAL.has(code)) {
      this.#outage = undefined;
    }
  }
}
