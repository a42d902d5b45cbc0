import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedError, type IonError, toIonError } from '../errors.js';
import { delayBeforeRetry } from '../http/retry-policy.js';
import { abandonable } from '../support/abort-listeners.js';
import { backoff } from '../support/backoff.js';
import { TokenEndpoint } from './token-endpoint.js';
import type { GrantedToken, TokenGrant, TokenRequestOptions } from './token-request.js';

/** Minimum time before the end of a token at which it is refreshed, if its lifetime allows it. */
const REFRESH_AHEAD_MS = 30_000;
const FIRST_DELAY_MS = 1000;
/** Limit for the back-off after a refused API key, which a person has to correct. */
const MAX_DELAY_MS = 60_000;
/** Limit for the back-off after an outage of the auth server. */
const MAX_OUTAGE_DELAY_MS = 10_000;

export interface AccessTokensOptions extends TokenRequestOptions {
  /** Maximum number of retries of a token request. */
  retries: number;
  /**
   * A monotonic clock, in ms.
   * @default performance.now
   */
  now?: () => number;
}

/** The API's verdict on a token so far. A token that was accepted once stays `accepted`. */
export type Acceptance = 'unknown' | 'accepted' | 'refusedInBothForms';

interface AccessToken extends GrantedToken {
  /** On the monotonic clock, in ms. */
  refreshAt: number;
  expiresAt: number;
  acceptance: Acceptance;
  /** The API has refused it as not valid yet. */
  wasNotYetValid: boolean;
}

/** A new token, which replaces the current one when the API has accepted it. */
interface NextToken extends AccessToken {
  refusals: number;
  /** When another request may try it, on the monotonic clock. */
  tryAt: number;
}

/** The next step of a request whose token the API refused. */
export type AfterRefusal =
  /** Send it again with another token. */
  | 'again'
  /** Send the same token a little later, because the API's clock is behind. */
  | 'later'
  | 'fail';

/**
 * The access token of one API key. It is requested on first use, kept in memory and refreshed
 * before it expires. All callers share one token request. A new token replaces a valid one only
 * after the API has accepted it.
 */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #endpoint: TokenEndpoint;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #current: AccessToken | undefined;
  /** Tried by one request at a time while the current token is valid. */
  #next: NextToken | undefined;
  #pending: Promise<string> | undefined;
  #failure: IonError | undefined;
  #failures = 0;
  /** No token is requested until then, on the monotonic clock. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
    this.#endpoint = new TokenEndpoint(options);
    this.#now = options.now ?? (() => performance.now());
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * A valid token, or a promise if it has to be requested.
   * @throws IonError `ION_AUTH` for a refused API key, or another error of the token request. The
   * same error is thrown without another request for at least a second.
   */
  get(signal: AbortSignal): string | Promise<string> {
    const now = this.#now();
    const token = this.#validToken(now);
    if (token) {
      const next = this.#next;
      if (next && now >= next.tryAt) {
        // The caller reports the outcome by `accept` or `refuse`, if there is one.
        next.tryAt = now + FIRST_DELAY_MS;
        return next.value;
      }
      if (now >= token.refreshAt && !next && !this.#pending && !this.#isPaused()) {
        // A failed refresh is reported when the token has expired.
        this.#refresh().catch(() => {});
      }
      return token.value;
    }
    if (signal.aborted) throw closedError();
    if (!this.#pending && this.#failure && this.#isPaused()) throw this.#failure;
    return abandonable(this.#pending ?? this.#refresh(), signal, closedError);
  }

  /** Reports that the API accepted a token. */
  accept(value: string): void {
    if (this.#next?.value === value) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    const token = this.#current;
    if (!token || token.acceptance === 'accepted' || token.value !== value) return;
    token.acceptance = 'accepted';
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /**
   * Reports that the API refused a token, which is then forgotten. A newer token stays, and so does
   * one that is not valid yet.
   * @param isNotYetValid whether the API refused it as not valid yet
   * @returns `fail` if a token that was never accepted has replaced another one recently. Otherwise
   * a key of another environment would request a token for each message.
   */
  refuse(value: string, isNotYetValid = false): AfterRefusal {
    const next = this.#next;
    if (next?.value === value) {
      const options = { firstMs: FIRST_DELAY_MS, maxMs: MAX_DELAY_MS, jitter: 0 };
      next.tryAt = this.#now() + backoff({ ...options, attempt: ++next.refusals });
      return 'again';
    }
    const token = this.#current;
    if (!token || token.value !== value) return 'again';
    if (isNotYetValid) {
      // A newer token would be valid even later.
      token.wasNotYetValid = true;
      return 'later';
    }
    if (next) {
      this.#current = next;
      this.#next = undefined;
      return 'again';
    }
    if (token.acceptance !== 'accepted') {
      if (this.#isPaused()) return 'fail';
      this.#pause(MAX_DELAY_MS);
    }
    this.#current = undefined;
    return 'again';
  }

  /** `undefined` for a token that is no longer used. */
  acceptanceOf(value: string): Acceptance | undefined {
    return this.#find(value)?.acceptance;
  }

  /** Reports that the API refused a token in both forms of the authorization header. */
  refuseBothForms(value: string): void {
    const token = this.#find(value);
    if (token?.acceptance === 'unknown') token.acceptance = 'refusedInBothForms';
  }

  /** The source of the current token; `undefined` without a token. */
  get grant(): TokenGrant | undefined {
    const { url, lifetimeMs } = this.#current ?? this.#next ?? {};
    return url === undefined || lifetimeMs === undefined ? undefined : { url, lifetimeMs };
  }

  /** Remaining lifetime of the current token, in ms; `undefined` without a valid one. */
  get expiresInMs(): number | undefined {
    const now = this.#now();
    const token = this.#validToken(now);
    return token && token.expiresAt - now;
  }

  /** The client secret and the tokens, which must not appear in any text. */
  secrets(): string[] {
    const tokens = [this.#current, this.#next].flatMap((token) => (token ? [token.value] : []));
    return [this.#options.key.clientSecret, ...tokens];
  }

  /** Ends the token request with `ION_CLOSED` and forgets the tokens. */
  close(): void {
    this.#closing.abort();
    this.#current = undefined;
    this.#next = undefined;
  }

  #find(value: string): AccessToken | undefined {
    return [this.#current, this.#next].find((token) => token?.value === value);
  }

  /** The current token, or the next one if the current one has expired. */
  #validToken(now: number): AccessToken | undefined {
    if (this.#current && now >= this.#current.expiresAt) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    if (this.#next && now >= this.#next.expiresAt) this.#next = undefined;
    return this.#current && now < this.#current.expiresAt ? this.#current : undefined;
  }

  #isPaused(): boolean {
    return this.#now() < this.#pausedUntil;
  }

  #pause(maxMs: number, retryAfterMs?: number): void {
    const attempt = ++this.#failures;
    const options = { firstMs: FIRST_DELAY_MS, maxMs, attempt, jitter: 0, retryAfterMs };
    this.#pausedUntil = this.#now() + backoff(options);
  }

  #refresh(): Promise<string> {
    this.#pending = this.#requestWithRetries()
      .then(
        (token) => {
          const now = this.#now();
          const known = this.#validToken(now);
          // A token that is not valid yet becomes valid sooner than a newer one.
          if (known?.acceptance === 'accepted' || known?.wasNotYetValid) {
            this.#next = { ...token, refusals: 0, tryAt: now };
          } else {
            this.#current = token;
          }
          this.#failure = undefined;
          return token.value;
        },
        (error: IonError) => {
          // Fails all queued requests at once, and prevents a refresh with every message.
          this.#failure = error;
          const isRefused = error.code === 'ION_AUTH';
          this.#pause(isRefused ? MAX_DELAY_MS : MAX_OUTAGE_DELAY_MS, error.retryAfterMs);
          throw error;
        },
      )
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  async #requestWithRetries(): Promise<AccessToken> {
    const { signal } = this.#closing;
    for (let tries = 1; ; tries++) {
      try {
        const requestedAt = this.#now();
        const granted = await this.#endpoint.request(signal);
        const { lifetimeMs } = granted;
        const aheadMs = Math.max(lifetimeMs / 5, Math.min(REFRESH_AHEAD_MS, lifetimeMs / 2));
        const expiresAt = requestedAt + lifetimeMs;
        const refreshAt = expiresAt - aheadMs;
        return { ...granted, refreshAt, expiresAt, acceptance: 'unknown', wasNotYetValid: false };
      } catch (thrown) {
        const error = toIonError(thrown);
        // A token request may be repeated like a query.
        const delayMs = delayBeforeRetry(error, true, tries, this.#options.retries);
        // A failed token request says nothing about the operation.
        if (delayMs === undefined) throw error.with({ mayHaveRun: false });
        await sleep(delayMs, undefined, { signal }).catch(() => {
          throw closedError();
        });
      }
    }
  }
}
