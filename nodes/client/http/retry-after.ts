import { type HttpResponse, headerOf } from './transport.js';

/** Limit for a date, in characters. */
const MAX_DATE = 40;

/**
 * The header `Retry-After` (RFC 9110, 10.2.3: seconds or a date) as ms from now. A date is compared
 * with the response's own `date`, so that it is right even if this machine's clock is not.
 * @returns `undefined` without the header, or for any other text
 */
export function parseRetryAfter(
  headers: HttpResponse['headers'],
  now = Date.now(),
): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = parseDate(text);
  const respondedAt = parseDate(headerOf(headers, 'date') ?? '');
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, date - (Number.isNaN(respondedAt) ? now : respondedAt));
}

/**
 * A date in one of the three forms of RFC 9110, 5.6.7, as ms since 1970. NaN for any other text,
 * although `Date.parse` reads dates into texts such as "-5" and "soon 3".
 */
function parseDate(text: string): number {
  if (text.length > MAX_DATE || !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
