import type { IonError } from './errors.js';

/** `mutation` stands for everything that must not be executed twice. */
export type OperationKind = 'query' | 'mutation';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * How long to wait before the next try, in ms; `undefined` where there must not be one.
 * Full-jitter exponential back-off; a `Retry-After` beyond 60 s is not waited for, because a
 * message that hangs for minutes helps a flow less than an error that says when to come back.
 * @param tries how many tries there were so far (1 or more)
 */
export function delayBeforeRetry(
  error: IonError,
  kind: OperationKind,
  tries: number,
  retries: number,
  random: () => number = Math.random,
): number | undefined {
  if (tries > retries || !error.transient) return undefined;
  if (kind === 'mutation' && error.mayHaveRun) return undefined;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= LONGEST_RETRY_AFTER_MS ? error.retryAfterMs : undefined;
  }
  return random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
}

/**
 * The header `Retry-After` (RFC 9110, 10.2.3: seconds or a date) in ms from now.
 */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
