const DAY_MS = 24 * 60 * 60 * 1000;

/** A time zone, with the rules of summer time that this Node.js knows. */
export class TimeZone {
  /** As it was given. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /**
   * @param name of the IANA database, such as `Europe/Berlin` or `UTC`
   * @throws RangeError for one that is not known
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
   * When the clocks of this zone show a time: never where they skip it, twice where they are put
   * back over it.
   * @param wallTime in ms since 1970, as if the zone were UTC
   * @returns the instants in ms since 1970, the earliest first
   */
  instantsOf(wallTime: number): number[] {
    // The offsets before and after a change of the clocks close by.
    const offsets = [wallTime - DAY_MS, wallTime + DAY_MS].map((ms) => this.#offsetAt(ms));
    const instants = [...new Set(offsets)].map((offset) => wallTime - offset);
    return instants
      .filter((instant) => instant + this.#offsetAt(instant) === wallTime)
      .sort((one, other) => one - other);
  }

  /** What the clocks are ahead of UTC, in ms. */
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

/** Whether it is the name of a time zone; an offset such as `+02:00` knows no summer time. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return /^[a-z]/i.test(name);
  } catch {
    return false;
  }
}

/** In ms since 1970. Unlike `Date.UTC`, the years before 100 are those years. */
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
