import type { Operation } from '../../storage/database.js';
import type { Counts } from './counters.js';
import type { RejectedEntry, Stored } from './entries.js';
import { expiryRecord } from './expiry-index.js';
import { expiryKey, latestKey, rejectedKey } from './keys.js';
import { encodeLatest, type IndexPart, type Latest, mayBeGone } from './latest-index.js';

/** An entry as it is written to the disk. */
export interface Encoded {
  key: string;
  value: Buffer;
  /** With its file. */
  bytes: number;
  /** When it expires, in ms since 1970. */
  keepUntil: number | undefined;
}

/**
 * The changes of one write to the disk. Each of them sees those before it, so the counts and the
 * index of latest values are right whichever changes share a write.
 */
export class Batch {
  readonly operations: Operation[] = [];
  readonly counts: Counts;
  /** Keys of the entries whose place a newer one took. */
  readonly replaced: string[] = [];
  readonly #index: IndexPart;

  constructor(counts: Readonly<Counts>, index: IndexPart) {
    this.counts = { ...counts };
    this.#index = index;
  }

  /** Writes any value. */
  put(key: string, value: Buffer): void {
    this.operations.push({ type: 'put', key, value });
  }

  /** Adds a pending entry, which takes the place of an older one for the same target. */
  add(entry: Encoded, target: string | undefined): void {
    const older = target === undefined ? undefined : this.#index.latest.get(target);
    if (older && this.#index.present.has(older.key)) {
      this.#removePending(older);
      this.replaced.push(older.key);
    }
    this.#putPending(entry, target);
    this.counts.pending++;
    this.counts.bytes += entry.bytes;
  }

  /** Moves a pending entry to another key, unless it is gone. */
  move(stored: Stored, to: Encoded): void {
    if (this.#isGone(stored)) return;
    this.#index.present.delete(stored.key);
    this.#delete(stored.key);
    this.#putPending(to, stored.entry.replaces);
    this.counts.bytes += to.bytes - stored.bytes;
  }

  /**
   * Overwrites a pending entry in its place.
   * @returns false if it is gone, such as for a newer one, which stays
   */
  update(stored: Stored, to: Encoded): boolean {
    if (this.#isGone(stored)) return false;
    this.#putPending(to, stored.entry.replaces);
    this.counts.bytes += to.bytes - stored.bytes;
    return true;
  }

  /**
   * Removes a pending entry.
   * @returns false if it is gone, such as for a newer one, which stays
   */
  remove(stored: Stored): boolean {
    if (this.#isGone(stored)) return false;
    this.#removePending(stored);
    const { replaces, keepUntil } = stored.entry;
    if (keepUntil !== undefined) this.#delete(expiryKey(keepUntil, stored.sequence));
    if (replaces !== undefined && this.#index.latest.get(replaces)?.key === stored.key) {
      this.#index.latest.set(replaces, undefined);
      this.#delete(latestKey(replaces));
    }
    return true;
  }

  /**
   * Turns a pending entry into a rejected one.
   * @returns false if it is gone, such as for a newer one; then the entry is not kept
   */
  reject(stored: Stored, value: Buffer): boolean {
    if (!this.remove(stored)) return false;
    this.put(rejectedKey(stored.sequence), value);
    this.counts.rejected++;
    this.counts.bytes += value.length + (stored.entry.fileSize ?? 0);
    return true;
  }

  /** Turns a rejected entry into a pending one. */
  restore(stored: Stored<RejectedEntry>, pending: Encoded): void {
    this.discard(stored);
    this.#putPending(pending, undefined);
    this.counts.pending++;
    this.counts.bytes += pending.bytes;
  }

  /** Removes a rejected entry. */
  discard(stored: Stored<RejectedEntry>): void {
    this.#delete(stored.key);
    this.counts.rejected--;
    this.counts.bytes -= stored.bytes;
  }

  /** Removes records of times whose entries are gone. */
  forgetExpiries(records: readonly string[]): void {
    for (const record of records) this.#delete(record);
  }

  #isGone(stored: Stored): boolean {
    return mayBeGone(stored) && !this.#index.present.has(stored.key);
  }

  #putPending({ key, value, bytes, keepUntil }: Encoded, target: string | undefined): void {
    this.#index.present.add(key);
    this.put(key, value);
    this.operations.push(...expiryRecord(key, { keepUntil }));
    if (target === undefined) return;
    const latest: Latest = { key, bytes };
    this.#index.latest.set(target, latest);
    this.put(latestKey(target), encodeLatest(latest));
  }

  #removePending({ key, bytes }: Latest): void {
    this.#index.present.delete(key);
    this.#delete(key);
    this.counts.pending--;
    this.counts.bytes -= bytes;
  }

  #delete(key: string): void {
    this.operations.push({ type: 'del', key });
  }
}
