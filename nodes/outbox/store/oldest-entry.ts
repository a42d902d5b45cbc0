import type { Stored } from './entries.js';

/** Partitions whose first entries are compared; in an outage of more, the result is a little late. */
const MAX_PARTITIONS = 500;

type Place = Pick<Stored, 'key' | 'sequence'>;

/** The part of the store that finds pending entries. */
interface PendingEntries {
  partitionAfter(partition: string): Promise<{ partition: string; sequence: number } | undefined>;
  first(partition: string, limit: number): Promise<Stored[]>;
  firstUnresolved(limit: number): Promise<Stored[]>;
  has(stored: Place): Promise<boolean>;
}

/** Finds the pending entry with the lowest number, for monitoring. */
export class OldestEntry {
  readonly #store: PendingEntries;
  /** Later entries have higher numbers, so it stays the oldest one while it is pending. */
  #known: (Place & { acceptedAt: number }) | undefined;

  constructor(store: PendingEntries) {
    this.#store = store;
  }

  /** When it was accepted, in ms since 1970; `undefined` if no entry is pending. */
  async acceptedAt(): Promise<number | undefined> {
    if (this.#known && (await this.#store.has(this.#known))) return this.#known.acceptedAt;
    const oldest = await this.#find();
    // An entry can be large.
    this.#known = oldest && {
      key: oldest.key,
      sequence: oldest.sequence,
      acceptedAt: oldest.entry.acceptedAt,
    };
    return this.#known?.acceptedAt;
  }

  async #find(): Promise<Stored | undefined> {
    const [unresolved] = await this.#store.firstUnresolved(1);
    let oldest = await this.#store.partitionAfter('');
    let head = oldest;
    for (let count = 1; head && count < MAX_PARTITIONS; count++) {
      head = await this.#store.partitionAfter(head.partition);
      if (head && oldest && head.sequence < oldest.sequence) oldest = head;
    }
    const [resolved] = oldest ? await this.#store.first(oldest.partition, 1) : [];
    if (!unresolved || !resolved) return unresolved ?? resolved;
    return unresolved.sequence < resolved.sequence ? unresolved : resolved;
  }
}
