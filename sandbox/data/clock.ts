/** A point in time as ION writes it: `2026-11-25T03:04:05.123456+00:00`. */
export type Timestamp = string;

const FRACTION = /\.(\d+)/;
const OFFSET = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** Formats microseconds since 1970. */
export function formatMicros(micros: number): Timestamp {
  const millis = Math.floor(micros / 1000);
  const rest = String(micros - millis * 1000).padStart(3, '0');
  return `${new Date(millis).toISOString().slice(0, -1)}${rest}+00:00`;
}

/** Reads any ISO 8601 text; without an offset it is UTC. `undefined` for any other text. */
export function parseMicros(text: string): number | undefined {
  const zoned = OFFSET.test(text) || !text.includes('T') ? text : `${text}Z`;
  const millis = Date.parse(zoned.replace(FRACTION, (_, digits) => `.${digits.slice(0, 3)}`));
  if (Number.isNaN(millis)) return undefined;
  const digits = FRACTION.exec(text)?.[1] ?? '';
  return millis * 1000 + Number(digits.padEnd(6, '0').slice(3, 6));
}

/** The same instant in ION's form, so that stored timestamps can be compared as strings. */
export function normalizeTimestamp(text: string): Timestamp {
  const micros = parseMicros(text);
  if (micros === undefined) throw new TypeError(`"${text}" is not an ISO 8601 date and time`);
  return formatMicros(micros);
}

/** The forms of a time in responses, each with its zone and fraction. */
export const TIME_FORMS = {
  /** `2026-11-25T03:04:05.123456+00:00`, as it is stored. */
  microseconds: (timestamp: Timestamp) => timestamp,
  /** `2026-11-25T03:04:05.123Z` */
  milliseconds: (timestamp: Timestamp) => `${timestamp.slice(0, 23)}Z`,
  /** `2026-11-25T03:04:05.123+00:00` */
  offset: (timestamp: Timestamp) => `${timestamp.slice(0, 23)}+00:00`,
  /** `2026-11-25T03:04:05.123456` */
  'no-zone': (timestamp: Timestamp) => timestamp.slice(0, 26),
};

export type TimeForm = keyof typeof TIME_FORMS;

/** A clock that never shows the same microsecond twice, so that `_updated` orders all writes. */
export class Clock {
  #last = 0;

  now(): Timestamp {
    this.#last = Math.max(Date.now() * 1000, this.#last + 1);
    return formatMicros(this.#last);
  }
}
