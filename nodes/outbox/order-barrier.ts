/** The entry gets its number, before it is written. */
type OnSequence = (sequence: number) => void;

const NONE = Number.POSITIVE_INFINITY;

/**
 * Knows up to which entry a partition may be delivered: an earlier entry of it may still be on its
 * way into the store, or be one whose partition is not known yet.
 */
export class OrderBarrier {
  /** Numbers of arriving entries in their order, by partition; `undefined` for unresolved ones. */
  readonly #arriving = new Map<string | undefined, Set<number>>();
  /** No unresolved entry in the store has a lower number. */
  #unresolvedFrom: number;
  /** The first unresolved entry that arrived since the last scan of the store began. */
  #arrivedSinceScan = NONE;

  /** @param unresolvedFrom number of the first unresolved entry in the store */
  constructor(unresolvedFrom = NONE) {
    this.#unresolvedFrom = unresolvedFrom;
  }

  /** Whether an entry has to wait for an earlier one. */
  blocks(partition: string, sequence: number): boolean {
    return sequence > this.limitOf(partition);
  }

  /** Number of the last entry of a partition that does not have to wait. */
  limitOf(partition: string): number {
    const first = Math.min(this.#firstArriving(undefined), this.#firstArriving(partition));
    return Math.min(first, this.#unresolvedFrom);
  }

  /**
   * Adds an entry to the store. From the moment it has its number, later entries wait for it.
   * @param partition `undefined` if it has to be looked up
   */
  async arrive<Result>(
    partition: string | undefined,
    add: (onSequence: OnSequence) => Promise<Result>,
  ): Promise<Result> {
    let arriving: number | undefined;
    try {
      return await add((sequence) => {
        arriving = sequence;
        this.#begin(partition, sequence);
      });
    } finally {
      if (arriving !== undefined) this.#end(partition, arriving);
    }
  }

  /** The store is about to be read: unresolved entries that arrive from now on are not seen. */
  beginScan(): void {
    this.#arrivedSinceScan = NONE;
  }

  /** The first unresolved entry that was seen has this number; none without it. */
  scanned(first = NONE): void {
    this.#unresolvedFrom = Math.min(first, this.#arrivedSinceScan);
  }

  #begin(partition: string | undefined, sequence: number): void {
    const arriving = this.#arriving.get(partition) ?? new Set();
    this.#arriving.set(partition, arriving.add(sequence));
  }

  #end(partition: string | undefined, sequence: number): void {
    const arriving = this.#arriving.get(partition);
    arriving?.delete(sequence);
    if (arriving?.size === 0) this.#arriving.delete(partition);
    if (partition !== undefined) return;
    // Also after a failure: a failed write may have reached the disk.
    this.#unresolvedFrom = Math.min(this.#unresolvedFrom, sequence);
    this.#arrivedSinceScan = Math.min(this.#arrivedSinceScan, sequence);
  }

  /** Numbers are given out in ascending order, and a set keeps the order of insertion. */
  #firstArriving(partition: string | undefined): number {
    const [first = NONE] = this.#arriving.get(partition) ?? [];
    return first;
  }
}
