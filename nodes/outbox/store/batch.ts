import type { Counts } from './counters.js';
import type { RejectedEntry, Stored } from './entries.js';
import { latestKey, rejectedKey } from './keys.js';
import { encodeLatest, type IndexPart, isReplaceable, type Latest } from './latest-index.js';

export type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** An entry as it is written to the disk. */
export interface Encoded {
  key: string;
  value: Buffer;
  /** With its file. */
  bytes: number;
}

/**
 * The changes of one write to the disk. Each of them sees those before it, so the counts and the
 * index of latest values are right whichever changes share a write.
 */
export class Batch {
  readonly operations: Operation[] = [];
  readonly counts: Counts;
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
    if (older && this.#index.present.has(older.key)) this.#removePending(older);
    this.#putPending(entry, target);
    this.counts.pending++;
    this.counts.bytes += entry.bytes;
  }

  /** Moves a pending entry to another key, unless a newer one has taken its place. */
  move(stored: Stored, to: Encoded): void {
    if (this.#isReplaced(stored)) return;
    this.#index.present.delete(stored.key);
    this.#delete(stored.key);
    this.#putPending(to, stored.entry.replaces);
    this.counts.bytes += to.bytes - stored.bytes;
  }

  /**
   * Overwrites a pending entry in its place.
   * @returns false if a newer one has taken its place, which stays
   */
  update(stored: Stored, to: Encoded): boolean {
    if (this.#isReplaced(stored)) return false;
    this.#putPending(to, stored.entry.replaces);
    this.counts.bytes += to.bytes - stored.bytes;
    return true;
  }

  /**
   * Removes a pending entry.
   * @returns false if a newer one has taken its place, which stays
   */
  remove(stored: Stored): boolean {
    if (this.#isReplaced(stored)) return false;
    this.#removePending(stored);
    const { replaces } = stored.entry;
    if (replaces !== undefined && this.#index.latest.get(replaces)?.key === stored.key) {
      this.#index.latest.set(replaces, undefined);
      this.#delete(latestKey(replaces));
    }
    return true;
  }

  /**
   * Turns a pending entry into a rejected one.
   * @returns false if a newer one has taken its place; then the entry is not kept
   */
  reject(stored: Stored, value: Buffer): boolean {
    if (!this.remove(stored)) return false;
    this.put(rejectedKey(stored.sequence), value);
    this.counts.rejected++;
    this.counts.bytes += value.length + (stored.entry.fileSize ?? 0);
    return true;
  }

  /** Turns a rejected entry into a pending one. */
  restore(stored: Stored<RejectedEntry>, { key, value, bytes }: Encoded): void {
    this.discard(stored);
    this.put(key, value);
    this.counts.pending++;
    this.counts.bytes += bytes;
  }

  /** Removes a rejected entry. */
  discard(stored: Stored<RejectedEntry>): void {
    this.#delete(stored.key);
    this.counts.rejected--;
    this.counts.bytes -= stored.bytes;
  }

  #isReplaced(stored: Stored): boolean {
    return isReplaceable(stored) && !this.#index.present.has(stored.key);
  }

  #putPending({ key, value, bytes }: Encoded, target: string | undefined): void {
    this.#index.present.add(key);
    this.put(key, value);
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
