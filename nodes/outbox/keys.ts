/**
 * Keys of the store. LevelDB sorts them as text, so that the entries of a run lie side by side, in
 * the order in which they came.
 *   q!<run>!<sequence>  waits for its delivery
 *   u!<sequence>        waits, its run has to be looked up first
 *   g!<sequence>        given up
 *   l!<what>            the entry that holds the latest value of something
 *   m                   sequence, counts and sizes
 */
export const META = 'm';
export const WAITING = 'q!';
export const UNROUTED = 'u!';
export const GIVEN_UP = 'g!';
/** Behind every key that begins with the text before it. */
export const END = '\u{10ffff}';

const DIGITS = 15;

export function waitingKey(run: string, sequence: number): string {
  return keyIn(laneOf(run), sequence);
}

export function keyIn(lane: string, sequence: number): string {
  return `${lane}${padded(sequence)}`;
}

/** What the keys of all entries of a run begin with. */
export function laneOf(run: string): string {
  // Through a Buffer, because half a character (a lone surrogate) cannot be encoded.
  const text = Buffer.from(run).toString();
  return `${WAITING}${encodeURIComponent(text).replaceAll('!', '%21')}!`;
}

export function laneOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('!') + 1);
}

export function unroutedKey(sequence: number): string {
  return `${UNROUTED}${padded(sequence)}`;
}

export function givenUpKey(sequence: number): string {
  return `${GIVEN_UP}${padded(sequence)}`;
}

export function latestKey(what: string): string {
  return `l!${what}`;
}

export function sequenceOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('!') + 1));
}

function padded(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}
