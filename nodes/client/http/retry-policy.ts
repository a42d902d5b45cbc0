import type { IonError } from '../errors.js';
import { backoff } from '../support/backoff.js';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * The delay before the next try, in ms; `undefined` if the request must not be repeated.
 * Exponential back-off with full jitter. A `Retry-After` of more than 60 s ends the retries,
 * because an error that names the delay helps a flow more than a message that hangs for minutes.
 * @param isSafe whether the operation may be executed twice
 * @param tries number of tries so far, 1 or more
 * @param retries maximum number of retries
 */
export function delayBeforeRetry(
  error: IonError,
  isSafe: boolean,
  tries: number,
  retries: number,
  random?: () => number,
): number | undefined {
  if (tries > retries || !error.transient) return undefined;
  if (!isSafe && !error.notRun) return undefined;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= MAX_RETRY_AFTER_MS ? error.retryAfterMs : undefined;
  }
  const options = { firstMs: FIRST_DELAY_MS, maxMs: MAX_DELAY_MS, attempt: tries };
  return backoff({ ...options, jitter: 1, random });
}
