// ION's cursors are Relay's offsets in base64, "arrayconnection:<n>" (graphene).

const PREFIX = 'arrayconnection:';

/** The cursor of the row at this offset; null stands before the first row. */
export function cursorAt(offset: number): string | null {
  return offset < 0 ? null : Buffer.from(PREFIX + offset).toString('base64');
}

/** The offset that a cursor names, or `undefined` where it is of another kind. */
export function offsetOf(cursor: unknown): number | undefined {
  if (typeof cursor !== 'string') return undefined;
  const text = Buffer.from(cursor, 'base64').toString('latin1');
  const digits = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
