import { types } from 'node:util';
import { type TimeZone, utcTime } from '../support/time-zone.js';

/** An instant in the form that ION accepts, or the form that was expected. */
export type Instant = { text: string } | { expected: string; advice: string };

/** The parts of a date and time in a text. */
interface DateParts {
  year: number;
  month: number;
  day: number;
  /** 0, as minute and second, if the text has no time. */
  hour: number;
  minute: number;
  second: number;
  /** Digits after the second. */
  fraction: string;
  /** In ms; `undefined` if the text has no zone. */
  offset: number | undefined;
}

/** ISO 8601, with `T` or a blank before the time, and with up to nine digits after the second. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;
/** The form of mails (RFC 5322) and HTTP headers: `Wed, 01 Jul 2026 08:00:00 +0200`. */
const MAIL =
  /^(?:([a-z]{3}), )?(\d\d?) ([a-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? (Z|UTC?|GMT|[+-]\d{4})$/i;
/** The form that every parser of ISO 8601 accepts. */
const EXPLICIT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Ambiguous dates such as `01.07.2026` and `7/1/26`. */
const DAY_OR_MONTH = /^\d{1,2}([./-])\d{1,2}\1\d{2,4}/;
/** Ms since 1970 between 2001 and 2286; no other form of a date has 13 digits. */
const MS_TEXT = /^\d{13}$/;
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
const WEEKDAYS = 'sunmontuewedthufrisat';
/** A smaller number, which would be a time before 1973, is more likely in seconds. */
const MIN_MS = 1e11;
/** A larger number is more likely in microseconds. */
const MAX_MS = 1e13;
const MINUTE_MS = 60_000;

/**
 * Converts a date into the form that ION accepts: ISO 8601 with a zone. Ambiguous dates are rejected,
 * and so are dates that do not exist, such as February 30.
 * @param value a Date, a number of ms since 1970, or text
 * @param timeZone of texts without a zone; without it, such texts are rejected
 */
export function toInstant(value: unknown, timeZone: TimeZone | undefined): Instant {
  if (types.isDate(value)) return ofMs(Number(value));
  if (typeof value === 'number') return ofNumber(value);
  if (typeof value !== 'string') return notADate();
  const text = value.trim();
  if (MS_TEXT.test(text)) return ofNumber(Number(text));
  const parts = isoDate(text) ?? mailDate(text);
  if (!parts) {
    return notADate(
      DAY_OR_MONTH.test(text) ? 'Write year, month and day, such as "2026-07-01".' : '',
    );
  }
  if (!exists(parts)) return wrong('a date and time that exist');
  // Unchanged, because ION stores microseconds.
  if (EXPLICIT.test(text)) return { text };
  const { offset, fraction } = parts;
  const wallTime = wallTimeOf(parts);
  if (offset !== undefined) return ofMs(wallTime - offset, fraction);
  if (!timeZone) {
    return wrong(
      'a time with an offset, such as "2026-01-31T08:00:00Z" or "2026-01-31T08:00:00+01:00"',
      'Add the offset, or set the time zone of all such values in the ION config node (Advanced).',
    );
  }
  const [instant, later] = timeZone.instantsOf(wallTime);
  if (instant === undefined) {
    return wrong(
      `a time that exists in the time zone ${timeZone.name}`,
      'The clocks there skip that time.',
    );
  }
  if (later !== undefined) {
    return wrong(
      `a time that occurs only once in the time zone ${timeZone.name}`,
      `That time occurs twice there: add ${offsetText(wallTime, instant)} or ${offsetText(wallTime, later)} to it.`,
    );
  }
  return ofMs(instant, fraction);
}

function ofNumber(ms: number): Instant {
  return ms >= MIN_MS && ms <= MAX_MS ? ofMs(ms) : notADate();
}

/** @param fraction digits after the second, which may be more than a number of ms can hold */
function ofMs(ms: number, fraction = ''): Instant {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return notADate();
  const text = date.toISOString();
  return { text: fraction === '' ? text : text.replace(/\.\d+Z$/, `.${fraction}Z`) };
}

function isoDate(text: string): DateParts | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', zone] = ISO.exec(text) ?? [];
  // In "2026-07-01-05", "-05" is more likely an hour than a zone.
  if (!day || (!hour && /^[+-]\d+$/.test(zone ?? ''))) return undefined;
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  return { ...date, ...timeOf(hour, minute, second), fraction, offset: offsetOf(zone) };
}

function mailDate(text: string): DateParts | undefined {
  const [, weekday, day, monthName = '', year, hour, minute, second, zone] = MAIL.exec(text) ?? [];
  const month = indexOf(MONTHS, monthName) + 1;
  if (!day || month === 0) return undefined;
  const date = { year: Number(year), month, day: Number(day) };
  const time = utcTime(date.year, date.month, date.day, 0, 0, 0);
  const isOther = weekday && indexOf(WEEKDAYS, weekday) !== new Date(time).getUTCDay();
  if (isOther) return undefined;
  return { ...date, ...timeOf(hour, minute, second), fraction: '', offset: offsetOf(zone) };
}

function timeOf(hour = '0', minute = '0', second = '0') {
  return { hour: Number(hour), minute: Number(minute), second: Number(second) };
}

/** Index of a name in joined names of three letters; -1 if it is not one of them. */
function indexOf(names: string, name: string): number {
  const at = names.indexOf(name.toLowerCase());
  return at % 3 === 0 ? at / 3 : -1;
}

/** The offset of a zone in ms; NaN if no zone can have it. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (!hours) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return Number.NaN;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === '-' ? -offset : offset;
}

function exists({ year, month, day, hour, minute, second, offset }: DateParts): boolean {
  const date = new Date(utcTime(year, month, day, 0, 0, 0));
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDay && year > 0 && hour < 24 && minute < 60 && second < 60 && !Number.isNaN(offset);
}

function wallTimeOf({ year, month, day, hour, minute, second }: DateParts): number {
  return utcTime(year, month, day, hour, minute, second);
}

/** The offset of a zone as text, such as `+02:00`. */
function offsetText(wallTime: number, instant: number): string {
  const minutes = Math.round((wallTime - instant) / MINUTE_MS);
  const twoDigits = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${twoDigits(size / 60)}:${twoDigits(size % 60)}`;
}

function notADate(advice = ''): Instant {
  return wrong('a date such as "2026-01-31T08:00:00Z", or milliseconds since 1970', advice);
}

function wrong(expected: string, advice = ''): Instant {
  return { expected, advice };
}
