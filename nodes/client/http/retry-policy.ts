import type { IonError } from '../errors.js';
import { type HttpResponse, headerOf } from './transport.js';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
const MAX_RETRY_AFTER_MS = 60_000;
/** In characters. */
const MAX_DATE = 40;

/**
 * How long to wait before the next try, in ms; `undefined` where there must not be one.
 * Full-jitter exponential back-off; a `Retry-After` beyond 60 s is not waited for, because a
 * message that hangs for minutes helps a flow less than an error that says when to come back.
 * @param isSafe whether the operation may be executed twice
 * @param tries how many tries there were so far (1 or more)
 */
export function delayBeforeRetry(
  error: IonError,
  isSafe: boolean,
  tries: number,
  retries: number,
  random: () => number = Math.random,
): number | undefined {
  if (tries > retries || !error.transient) return undefined;
  if (!isSafe && !error.notRun) return undefined;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= MAX_RETRY_AFTER_MS ? error.retryAfterMs : undefined;
  }
  return random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
}

/**
 * The header `Retry-After` (RFC 9110, 10.2.3: seconds or a date) in ms from now. A date is compared
 * with the answer's own `date`, so that it means the same where this machine's clock is wrong.
 */
export function parseRetryAfter(
  headers: HttpResponse['headers'],
  now = Date.now(),
): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = parseDate(text);
  const answeredAt = parseDate(headerOf(headers, 'date') ?? '');
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, date - (Number.isNaN(answeredAt) ? now : answeredAt));
}

/**
 * A date in one of the three forms of RFC 9110, 5.6.7, in ms since 1970; NaN for anything else,
 * because `Date.parse` makes dates of texts such as "-5" and "soon 3".
 */
function parseDate(text: string): number {
  if (text.length > MAX_DATE || !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
