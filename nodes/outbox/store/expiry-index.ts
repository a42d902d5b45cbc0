import type { Level } from '../../storage/open-level.js';
import type { Entry, Stored } from './entries.js';
import type { EntryReader } from './entry-reader.js';
import {
  ALL_EXPIRIES,
  expiryKey,
  MAX_IN_KEY,
  PENDING,
  sequenceOf,
  timeOfKey,
  UNRESOLVED,
} from './keys.js';

/** Entries that are read at once. */
const MAX_BYTES_READ = 8 * 1024 * 1024;

interface Expired {
  entries: Stored[];
  /** Records that belong to no entry. */
  wrong: string[];
}

/**
 * Reads the entries that have expired.
 * @param now in ms since 1970
 * @param isDelivered entries for which it returns true are left out
 */
export async function readExpired(
  level: Level,
  reader: EntryReader,
  { now, limit }: { now: number; limit: number },
  isDelivered: (key: string) => boolean,
): Promise<Expired> {
  const found: Expired = { entries: [], wrong: [] };
  const upTo = expiryKey(Math.min(now + 1, MAX_IN_KEY), 0);
  let bytesRead = 0;
  for await (const [record, keyBytes] of level.iterator({ ...ALL_EXPIRIES, lt: upTo })) {
    const key = keyBytes.toString();
    const stored = await readOwner(level, reader, record, key);
    if (!stored) found.wrong.push(record);
    else if (!isDelivered(key)) {
      found.entries.push(stored);
      bytesRead += stored.bytes - (stored.entry.fileSize ?? 0);
      if (found.entries.length >= limit || bytesRead >= MAX_BYTES_READ) break;
    }
  }
  return found;
}

/** The time at which the next entry expires, in ms since 1970. */
export async function readNextExpiry(level: Level): Promise<number | undefined> {
  for await (const record of level.keys(ALL_EXPIRIES)) {
    const time = timeOfKey(record);
    if (time !== undefined) return time;
  }
  return undefined;
}

interface Put {
  type: 'put';
  key: string;
  value: Buffer;
}

/** The record of an entry, if it expires. */
export function expiryRecord(key: string, { keepUntil }: Pick<Entry, 'keepUntil'>): Put[] {
  if (keepUntil === undefined) return [];
  return [{ type: 'put', key: expiryKey(keepUntil, sequenceOf(key)), value: Buffer.from(key) }];
}

/** The pending entry that a record belongs to. An entry that cannot be read has its number only. */
async function readOwner(
  level: Level,
  reader: EntryReader,
  record: string,
  key: string,
): Promise<Stored | undefined> {
  const time = timeOfKey(record);
  const isPending = key.startsWith(PENDING) || key.startsWith(UNRESOLVED);
  if (time === undefined || !isPending || sequenceOf(key) !== sequenceOf(record)) return undefined;
  const value = await level.get(key);
  if (!value) return undefined;
  const stored = await reader.toStored(level, key, value);
  return stored.unreadable || stored.entry.keepUntil === time ? stored : undefined;
}
