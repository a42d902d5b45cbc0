const MAX_DELAY_MS = 60_000;
/** A timer of Node.js that is to wait longer ends at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * How long to wait before the next try of what is tried for ever, in ms: twice as long after each
 * failure, to a minute or ten intervals, and not at the same time as all others.
 * @param failures how many tries in a row failed so far (1 or more)
 */
export function delayAfterFailures(
  intervalMs: number,
  failures: number,
  random: () => number = Math.random,
): number {
  const longest = Math.min(MAX_TIMER_MS, Math.max(MAX_DELAY_MS, 10 * intervalMs));
  const delay = Math.min(longest, intervalMs * 2 ** failures);
  return Math.max(intervalMs, delay * (0.5 + random() / 2));
}
