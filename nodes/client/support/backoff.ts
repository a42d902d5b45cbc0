const MAX_INTERVAL_DELAY_MS = 60_000;
/** Limit for the delay that a server asks for. */
const MAX_RETRY_AFTER_MS = 600_000;
/** A Node.js timer with a longer delay fires immediately. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export interface BackoffOptions {
  /** Delay after the first failure, in ms, before jitter. */
  firstMs: number;
  /** Limit for the delay, in ms. */
  maxMs: number;
  /** Number of failures in a row: 1 after the first one. */
  attempt: number;
  /** Share of the delay that is random, from 0 (none) to 1 (all of it). */
  jitter: number;
  /** Minimum that the server asked for, in ms; at most ten minutes of it are respected. */
  retryAfterMs?: number | undefined;
  /** @default Math.random */
  random?: (() => number) | undefined;
}

/** Exponential back-off: the delay before the next try, in ms. It doubles with each failure. */
export function backoff(options: BackoffOptions): number {
  const { firstMs, maxMs, attempt, jitter, retryAfterMs = 0, random = Math.random } = options;
  const delay = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  const randomized = delay * (1 - jitter + jitter * random());
  return Math.max(randomized, Math.min(MAX_RETRY_AFTER_MS, retryAfterMs));
}

/**
 * Back-off for work that is repeated at an interval without end, in ms: at least the interval, at
 * most a minute or ten intervals.
 * @param failures number of failures in a row, 1 or more
 */
export function delayAfterFailures(
  intervalMs: number,
  failures: number,
  random?: () => number,
): number {
  const maxMs = Math.min(MAX_TIMER_MS, Math.max(MAX_INTERVAL_DELAY_MS, 10 * intervalMs));
  const options = { firstMs: 2 * intervalMs, maxMs, attempt: failures, jitter: 0.5, random };
  return Math.max(intervalMs, backoff(options));
}
