/**
 * Keys of the store. LevelDB sorts them as text, so the entries of a partition lie side by side, in
 * the order in which they were accepted. The letters are those of version 1.0.0.
 *   q!<order key>!<sequence>  pending
 *   u!<sequence>              pending, its order key has to be looked up first
 *   g!<sequence>              rejected
 *   l!<target>                the entry that holds the latest value of a target
 *   x!<time>!<sequence>       the key of a pending entry that expires at that time
 *   m                         next sequence, counts and sizes
 *
 * A partition is the queue of all pending entries with one order key, such as those of one run. In
 * the code it is named by the text that its keys begin with.
 */
export const META = 'm';
export const PENDING = 'q!';
export const UNRESOLVED = 'u!';
export const REJECTED = 'g!';
const LATEST = 'l!';
const EXPIRY = 'x!';
/** Sorts behind every key that begins with the text before it. */
export const END = '\u{10ffff}';
export const ALL_LATEST = { gt: LATEST, lt: LATEST + END };
export const ALL_EXPIRIES = { gt: EXPIRY, lt: EXPIRY + END };

const DIGITS = 15;
/** The largest number in a key: a larger one would not be sorted as a number. */
export const MAX_IN_KEY = 10 ** DIGITS - 1;
/** Order keys that need no encoding, such as the IDs of runs. */
const PLAIN = /^[\w-]+$/;

export function pendingKey(partition: string, sequence: number): string {
  return `${partition}${padded(sequence)}`;
}

export function partitionOf(orderKey: string): string {
  if (PLAIN.test(orderKey)) return `${PENDING}${orderKey}!`;
  // Through a Buffer, because half a character (a lone surrogate) cannot be encoded.
  const text = Buffer.from(orderKey).toString();
  return `${PENDING}${encodeURIComponent(text).replaceAll('!', '%21')}!`;
}

/** The order key of a partition, also of one with a damaged name. */
export function orderKeyOf(partition: string): string {
  const name = partition.slice(PENDING.length, -1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export function partitionOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('!') + 1);
}

export function unresolvedKey(sequence: number): string {
  return `${UNRESOLVED}${padded(sequence)}`;
}

export function rejectedKey(sequence: number): string {
  return `${REJECTED}${padded(sequence)}`;
}

export function latestKey(target: string): string {
  return `${LATEST}${target}`;
}

export function targetOfKey(key: string): string {
  return key.slice(LATEST.length);
}

/** @param time in ms since 1970 */
export function expiryKey(time: number, sequence: number): string {
  return `${EXPIRY}${padded(time)}!${padded(sequence)}`;
}

/** @returns ms since 1970; `undefined` if `expiryKey` did not make the key */
export function timeOfKey(key: string): number | undefined {
  const time = Number(key.slice(EXPIRY.length, EXPIRY.length + DIGITS));
  return key === expiryKey(time, sequenceOf(key)) ? time : undefined;
}

export function sequenceOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('!') + 1));
}

function padded(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}
