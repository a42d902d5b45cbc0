import type { IonError } from '../client/errors.js';
import type { SenderRejections } from './listeners.js';
import type { RejectedEntry, Stored } from './store/entries.js';
import type { OutboxStore } from './store/store.js';

/** Rejected entries of an earlier process whose senders are read: a message can be large. */
const MAX_INHERITED = 1000;
const MAX_READ = 100;

interface Counted extends SenderRejections {
  /** The newest one of this process. */
  newest: number | undefined;
}

/** Counts the rejected entries of each sender, so that no sender reports those of another one. */
export class RejectionCounts {
  readonly #bySender = new Map<string, Counted>();
  /** Between these numbers, entries of an earlier process are not counted. */
  #uncounted = { after: 0, upTo: 0 };
  /** The entries between them that this process has rejected, so that they are counted. */
  readonly #countedBetween = new Set<number>();
  #version = 0;

  /** Counts the entries that an earlier process rejected, the oldest ones if there are too many. */
  static async read(
    store: Pick<OutboxStore, 'firstRejected' | 'lastSequence'>,
  ): Promise<RejectionCounts> {
    const counts = new RejectionCounts();
    let after = 0;
    let left = MAX_INHERITED;
    while (left > 0) {
      // Large entries come in smaller chunks.
      const chunk = await store.firstRejected(Math.min(MAX_READ, left), after);
      if (chunk.length === 0) return counts;
      for (const { entry } of chunk) counts.#of(entry.sender).count++;
      left -= chunk.length;
      after = chunk.at(-1)?.sequence ?? after;
    }
    counts.#uncounted = { after, upTo: store.lastSequence };
    return counts;
  }

  /** Differs after each change. */
  get version(): number {
    return this.#version;
  }

  get bySender(): ReadonlyMap<string, SenderRejections> {
    return this.#bySender;
  }

  /** @param reason `undefined` for an entry that cannot be read */
  add({ entry, sequence }: Stored, reason: IonError | undefined): void {
    this.#version++;
    const counted = this.#of(entry.sender);
    counted.count++;
    counted.reason = reason;
    counted.newest = sequence;
    if (this.#mayBeUncounted(sequence)) this.#countedBetween.add(sequence);
  }

  /** The entry is no longer rejected. */
  remove({ entry, sequence }: Stored<RejectedEntry>): void {
    this.#version++;
    if (this.#mayBeUncounted(sequence) && !this.#countedBetween.delete(sequence)) return;
    const counted = this.#of(entry.sender);
    counted.count--;
    if (counted.newest === sequence) counted.reason = undefined;
    if (counted.count <= 0) this.#bySender.delete(entry.sender);
  }

  #mayBeUncounted(sequence: number): boolean {
    return sequence > this.#uncounted.after && sequence <= this.#uncounted.upTo;
  }

  #of(sender: string): Counted {
    let counted = this.#bySender.get(sender);
    if (!counted) {
      counted = { count: 0, reason: undefined, newest: undefined };
      this.#bySender.set(sender, counted);
    }
    return counted;
  }
}
