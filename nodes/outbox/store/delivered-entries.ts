import type { Stored } from './entries.js';
import { partitionOfKey } from './keys.js';

/** Entries that are delivered, but not yet removed from the disk: readers do not see them. */
export class DeliveredEntries {
  readonly #byPartition = new Map<string, { count: number; upTo: number }>();
  readonly #keys = new Set<string>();

  get count(): number {
    return this.#keys.size;
  }

  /** Number of the last delivered entry of a partition; 0 for none. */
  upTo(partition: string): number {
    return this.#byPartition.get(partition)?.upTo ?? 0;
  }

  /** Entries of a partition are delivered in their order. */
  add({ key, sequence }: Stored): void {
    const partition = partitionOfKey(key);
    const delivered = this.#byPartition.get(partition) ?? { count: 0, upTo: 0 };
    this.#byPartition.set(partition, delivered);
    delivered.count++;
    delivered.upTo = sequence;
    this.#keys.add(key);
  }

  /** The entry with this key, if it is one of them, is no longer on the disk. */
  delete(key: string): void {
    if (!this.#keys.delete(key)) return;
    const partition = partitionOfKey(key);
    const delivered = this.#byPartition.get(partition);
    if (delivered && --delivered.count === 0) this.#byPartition.delete(partition);
  }
}
