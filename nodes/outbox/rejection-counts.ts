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

  /** Counts the entries that an earlier process rejected, the oldest ones if there are too many. */
  static async read(store: Pick<OutboxStore, 'firstRejected'>): Promise<RejectionCounts> {
    const counts = new RejectionCounts();
    let after = 0;
    for (let left = MAX_INHERITED; left > 0; left -= MAX_READ) {
      const chunk = await store.firstRejected(MAX_READ, after);
      for (const { entry } of chunk) counts.#of(entry.sender).count++;
      if (chunk.length < MAX_READ) break;
      after = chunk.at(-1)?.sequence ?? after;
    }
    return counts;
  }

  get bySender(): ReadonlyMap<string, SenderRejections> {
    return this.#bySender;
  }

  /** @param reason `undefined` for an entry that cannot be read */
  add({ entry, sequence }: Stored, reason: IonError | undefined): void {
    const counted = this.#of(entry.sender);
    counted.count++;
    counted.reason = reason;
    counted.newest = sequence;
  }

  /** The entry is no longer rejected. */
  remove({ entry, sequence }: Stored<RejectedEntry>): void {
    const counted = this.#of(entry.sender);
    counted.count--;
    if (counted.newest === sequence) counted.reason = undefined;
    if (counted.count <= 0) this.#bySender.delete(entry.sender);
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
