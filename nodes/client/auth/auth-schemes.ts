import { closedError } from '../errors.js';
import { abortableDelay } from '../support/abort-listeners.js';

/** `Authorization: <token>` (raw) or `Authorization: Bearer <token>`. */
export type AuthScheme = 'raw' | 'bearer';

/** Limit for the wait for a trial. An auth layer refuses sooner, so the request is being executed. */
const MAX_TRIAL_WAIT_MS = 1000;

/** The form of the authorization header that one API accepts. */
export class AuthSchemes {
  readonly isAutomatic: boolean;
  #current: AuthScheme;
  /** Aborted at the end of the request that tries the other scheme. */
  #trial: AbortController | undefined;

  constructor(setting: AuthScheme | 'auto') {
    this.isAutomatic = setting === 'auto';
    this.#current = setting === 'bearer' ? 'bearer' : 'raw';
  }

  /** The scheme of the next request. */
  get current(): AuthScheme {
    return this.#current;
  }

  /** A request tries the other scheme at present. */
  get isTrying(): boolean {
    return this.#trial !== undefined;
  }

  /**
   * Waits for the request that tries the other scheme.
   * @returns false if it takes so long that it was probably accepted
   * @throws IonError `ION_CLOSED` when the signal aborts
   */
  async trialEnded(signal: AbortSignal): Promise<boolean> {
    const trial = this.#trial;
    if (!trial) return true;
    const signals = [signal, trial.signal];
    await abortableDelay(MAX_TRIAL_WAIT_MS, signals, closedError).catch(() => {});
    if (signal.aborted) throw closedError();
    return trial.signal.aborted;
  }

  /** Tries a scheme with one request, and keeps the scheme if the result shows that it works. */
  async try<Result>(
    scheme: AuthScheme,
    request: () => Promise<Result>,
    works: (result: Result) => boolean,
  ): Promise<Result> {
    const trial = new AbortController();
    this.#trial = trial;
    try {
      const result = await request();
      if (works(result)) this.#current = scheme;
      return result;
    } finally {
      if (this.#trial === trial) this.#trial = undefined;
      trial.abort();
    }
  }
}

export function otherScheme(scheme: AuthScheme): AuthScheme {
  return scheme === 'raw' ? 'bearer' : 'raw';
}

/** The value of the header `Authorization`. */
export function authorization(scheme: AuthScheme, token: string): string {
  return scheme === 'bearer' ? `Bearer ${token}` : token;
}
