// Arithmetic on ION's timestamps. Python writes them: up to six digits after the second, none for a
// whole second; a time without an offset is UTC.

/**
 * Time within which a change becomes visible after its `_updated`, in ms: a database stamps a row
 * when its transaction begins, and shows the row when the transaction ends.
 */
export const OVERLAP_MS = 5000;

/** A longer text is not a timestamp. */
const MAX_TIMESTAMP_LENGTH = 100;

/** A timestamp in ms since 1970, with a fraction; NaN for another text. */
export function toMs(timestamp: string): number {
  if (timestamp.length > MAX_TIMESTAMP_LENGTH) return Number.NaN;
  const [, seconds = '', fraction = '', offset = ''] =
    /^(.*?)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp) ?? [];
  return Date.parse(seconds + (offset || 'Z')) + Number(fraction) * 1000;
}

/** @param ms since 1970; a fraction is dropped */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The time before which no change can become visible any more after one with this timestamp. */
export function beforeOverlap(timestamp: string): string {
  return toTimestamp(toMs(timestamp) - OVERLAP_MS);
}

/** The later one; null is earlier than any time. */
export function latest(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return toMs(other) > toMs(one) ? other : one;
}

/** The `_updated` of a row; null if it is not a timestamp, so that no checkpoint is made of it. */
export function updatedOf(row: Record<string, unknown> | null | undefined): string | null {
  const updated = row?._updated;
  return typeof updated === 'string' && !Number.isNaN(toMs(updated)) ? updated : null;
}
