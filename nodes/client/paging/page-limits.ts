// The largest page that each ION allows, which it states only when it refuses a larger one.

/** By client. */
const limits = new WeakMap<object, number>();

/** Rows that a page may have, as far as ION refused larger pages. */
export function pageLimitOf(client: object): number {
  return limits.get(client) ?? Number.POSITIVE_INFINITY;
}

/** Takes over a page size that ION accepted after it had refused a larger one. */
export function lowerPageLimit(client: object, rows: number): void {
  limits.set(client, Math.min(rows, pageLimitOf(client)));
}
