const DAY_MS = 24 * 60 * 60 * 1000;

/** A time zone, with the daylight saving rules of this Node.js. */
export class TimeZone {
  /** The name that was passed to the constructor. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /**
   * @param name from the IANA database, such as `Europe/Berlin` or `UTC`
   * @throws RangeError for an unknown time zone
   */
  constructor(name: string) {
    this.name = name;
    if (!isTimeZone(name)) throw new RangeError(`Unknown time zone: ${name}`);
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /**
   * The instants at which clocks in this zone show a time: none if they skip it, two if they are
   * set back over it.
   * @param wallTime in ms since 1970, as if the zone were UTC
   * @returns ms since 1970, the earliest first
   */
  instantsOf(wallTime: number): number[] {
    // The offsets before and after a possible change of the clocks.
    const offsets = [wallTime - DAY_MS, wallTime + DAY_MS].map((ms) => this.#offsetAt(ms));
    const instants = [...new Set(offsets)].map((offset) => wallTime - offset);
    return instants
      .filter((instant) => instant + this.#offsetAt(instant) === wallTime)
      .sort((one, other) => one - other);
  }

  /** Difference to UTC, in ms. */
  #offsetAt(instant: number): number {
    const shown = new Map<string, number>();
    for (const { type, value } of this.#format.formatToParts(instant)) {
      shown.set(type, Number(value));
    }
    const part = (name: string) => shown.get(name) ?? 0;
    const date = [part('year'), part('month'), part('day')] as const;
    const wallTime = utcTime(...date, part('hour'), part('minute'), part('second'));
    return wallTime - Math.floor(instant / 1000) * 1000;
  }
}

/** Whether the name is a time zone. An offset such as `+02:00` is not, without daylight saving. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return /^[a-z]/i.test(name);
  } catch {
    return false;
  }
}

/** Like `Date.UTC`, in ms since 1970, but the years 0 to 99 are not moved to 1900. */
export function utcTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, 0);
}
