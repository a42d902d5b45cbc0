// ION's cursors are offsets in base64, "arrayconnection:<n>", as graphql-relay's
// `connectionFromArray` makes them; the samples of ION's API manual decode to this form.

const PREFIX = 'arrayconnection:';

/** The cursor of the row at this offset; null, the position before the first row, for -1. */
export function cursorAt(offset: number): string | null {
  return offset < 0 ? null : Buffer.from(PREFIX + offset).toString('base64');
}

/** The offset in a cursor; `undefined` for a cursor of another form. */
export function offsetOf(cursor: unknown): number | undefined {
  if (typeof cursor !== 'string') return undefined;
  const text = Buffer.from(cursor, 'base64').toString('latin1');
  const digits = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
