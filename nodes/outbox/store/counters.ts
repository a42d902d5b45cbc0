import { IonError } from '../../client/errors.js';
import { parseObject } from '../../storage/parse-object.js';

export interface OutboxLimits {
  /** Pending and rejected entries. */
  entries: number;
  /** In the store and in files, in bytes. */
  bytes: number;
}

export interface Counts {
  pending: number;
  rejected: number;
  /** In the store and in files. */
  bytes: number;
}

/** Counts as they were read from the disk, with the number of the next entry. */
export interface KnownCounts extends Counts {
  sequence: number;
}

/** On disk, under the names of version 1.0.0. */
interface StoredCounts {
  sequence: number;
  waiting: number;
  givenUp: number;
  bytes: number;
}

const MIB = 1024 * 1024;

/** Counts and numbers the entries of a store, and rejects new ones beyond its limits. */
export class Counters {
  readonly #limits: OutboxLimits;
  #counts: Counts = { pending: 0, rejected: 0, bytes: 0 };
  #sequence = 1;
  /** Entries that are being stored. */
  #arriving = { entries: 0, bytes: 0 };

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  get lastSequence(): number {
    return this.#sequence - 1;
  }

  /** Numbers are given out synchronously, so the order is that in which entries were accepted. */
  nextSequence(): number {
    return this.#sequence++;
  }

  /**
   * Reserves room for an entry that is being stored, until `release`.
   * @throws IonError `ION_OVERLOADED` at the limits
   */
  reserve(bytes: number): void {
    this.#checkLimits(bytes);
    this.#arriving.entries++;
    this.#arriving.bytes += bytes;
  }

  /** The entry is counted as stored, or was not stored. */
  release(bytes: number): void {
    this.#arriving.entries--;
    this.#arriving.bytes -= bytes;
  }

  /** The counts to be stored with a change. */
  encoded({ pending: waiting, rejected: givenUp, bytes }: Counts): Buffer {
    const stored: StoredCounts = { sequence: this.#sequence, waiting, givenUp, bytes };
    return Buffer.from(JSON.stringify(stored));
  }

  /** The change is on the disk. */
  commit({ pending, rejected, bytes }: Counts): void {
    this.#counts = { pending, rejected, bytes };
  }

  /** Replaces the counts after opening; a number that was given out is never given out again. */
  load({ sequence, ...counts }: KnownCounts): void {
    this.commit(counts);
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  #checkLimits(bytes: number): void {
    const { pending, rejected, bytes: stored } = this.#counts;
    const entries = pending + rejected + this.#arriving.entries;
    const advice = 'raise the limit in the ION config node, or check it for rejected writes.';
    if (entries >= this.#limits.entries) {
      throw new IonError(
        'ION_OVERLOADED',
        `The outbox holds ${entries} writes, which is its limit. Send fewer, ${advice}`,
      );
    }
    if (stored + this.#arriving.bytes + bytes > this.#limits.bytes) {
      const megabytes = Math.round(this.#limits.bytes / MIB);
      throw new IonError(
        'ION_OVERLOADED',
        `The outbox is full (${megabytes} MiB). Send less, ${advice}`,
      );
    }
  }
}

/** @returns `undefined` if the counts are missing or damaged */
export function parseCounts(bytes: Buffer | undefined): KnownCounts | undefined {
  const { sequence, waiting, givenUp, bytes: size } = parseObject<StoredCounts>(bytes);
  const areIntegers = [sequence, waiting, givenUp, size].every(Number.isSafeInteger);
  if (!areIntegers) return undefined;
  return { sequence, pending: waiting, rejected: givenUp, bytes: size } as KnownCounts;
}

/** Number of pending and rejected entries. */
export function sumOf({ pending, rejected }: Counts): number {
  return pending + rejected;
}
