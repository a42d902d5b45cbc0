import type { Operation } from '../../storage/database.js';
import { ENCODINGS, type Level } from '../../storage/open-level.js';
import type { KnownCounts } from './counters.js';
import type { EntryReader } from './entry-reader.js';
import { expiryRecord } from './expiry-index.js';
import {
  ALL_EXPIRIES,
  ALL_LATEST,
  latestKey,
  PENDING,
  REJECTED,
  sequenceOf,
  UNRESOLVED,
} from './keys.js';
import { encodeLatest, type Latest } from './latest-index.js';

/** After damage: counts all entries, and rebuilds the indexes of latest values and of times. */
export async function recount(level: Level, reader: EntryReader): Promise<KnownCounts> {
  const counts: KnownCounts = { sequence: 1, pending: 0, rejected: 0, bytes: 0 };
  const operations: Operation[] = [];
  const latest = new Map<string, Latest>();
  for (const range of [ALL_LATEST, ALL_EXPIRIES]) {
    for await (const key of level.keys(range)) operations.push({ type: 'del', key });
  }
  for await (const [key, value] of level.iterator()) {
    const isRejected = key.startsWith(REJECTED);
    if (!isRejected && !key.startsWith(PENDING) && !key.startsWith(UNRESOLVED)) continue;
    counts[isRejected ? 'rejected' : 'pending']++;
    const { bytes, sequence, entry } = await reader.toStored(level, key, value);
    counts.bytes += bytes;
    counts.sequence = Math.max(counts.sequence, sequence + 1);
    if (isRejected) continue;
    operations.push(...expiryRecord(key, entry));
    if (entry.replaces === undefined) continue;
    const other = latest.get(entry.replaces);
    if (!other || sequenceOf(other.key) < sequence) latest.set(entry.replaces, { key, bytes });
  }
  for (const [target, value] of latest) {
    operations.push({ type: 'put', key: latestKey(target), value: encodeLatest(value) });
  }
  await level.batch(operations, { ...ENCODINGS, sync: true });
  return counts;
}
