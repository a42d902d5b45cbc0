import { closedError, IonError } from '../client/errors.js';
import { isOperationRejected } from '../client/failures/classify-failure.js';
import type { FailingDecision, FailingWrites } from './failing-writes.js';
import type { Listeners, OutboxState } from './listeners.js';
import type { RejectionCounts } from './rejection-counts.js';
import type { RejectedEntry, Stored } from './store/entries.js';
import type { OutboxStore } from './store/store.js';

interface Settings {
  store: Pick<OutboxStore, 'reject' | 'drop' | 'has'>;
  failing: FailingWrites;
  counts: RejectionCounts;
  listeners: Listeners;
  onChange(): void;
  /** Called for an entry that cannot be read, because its sender is not known. */
  onUnreadable?: ((error: IonError) => void) | undefined;
}

/** Rejects or removes entries, and reports it to their senders. */
export class Rejections {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Its part of the outbox's state. */
  get state(): Pick<OutboxState, 'delivered' | 'rejections' | 'failing'> {
    const { counts, failing } = this.#settings;
    const { deliveredCount: delivered, shown } = failing;
    return { delivered, rejections: counts.bySender, failing: shown };
  }

  /** The entry is no longer rejected. */
  forget(stored: Stored<RejectedEntry>): void {
    this.#settings.counts.remove(stored);
  }

  /** A newer value, possibly in another partition, has replaced a failing write: nobody tries it. */
  async forgetReplaced(partition: string): Promise<void> {
    const { store, failing, onChange } = this.#settings;
    const stored = failing.in(partition);
    if (stored?.entry.replaces === undefined) return;
    const exists = await store.has(stored).catch(() => true);
    if (exists || !failing.of(partition, stored)) return;
    failing.forget(partition);
    onChange();
  }

  /**
   * Keeps an entry that ION rejected until somebody decides on it.
   * @returns false if it was gone, such as for a newer value
   */
  async reject(stored: Stored, error: IonError): Promise<boolean> {
    const { listeners, onChange } = this.#settings;
    const existed = await this.#reject(stored, error);
    onChange();
    if (existed) listeners.rejected(stored.entry, error);
    return existed;
  }

  /** Rejects an entry that cannot be read. */
  async rejectUnreadable(stored: Stored): Promise<void> {
    const { message } = (stored.entry as RejectedEntry).error;
    const error = new IonError('ION_CONFIG', message);
    if (await this.reject(stored, error)) this.#settings.onUnreadable?.(error);
  }

  /**
   * Takes the failing write of a partition out of it.
   * @param reason the last failure by default
   */
  async end(
    partition: string,
    stored: Stored,
    decision: FailingDecision,
    reason = this.#settings.failing.of(partition, stored)?.error ?? closedError(),
  ): Promise<void> {
    const { store, failing, listeners, onChange } = this.#settings;
    const existed = await (decision === 'skip' ? this.#reject(stored, reason) : store.drop(stored));
    failing.forget(partition);
    // A newer value may have taken its place.
    if (existed) listeners.rejected(stored.entry, reason);
    onChange();
  }

  async #reject(stored: Stored, error: IonError): Promise<boolean> {
    const existed = await this.#settings.store.reject(stored, error, Date.now());
    // The dialog explains at length why an entry cannot be read.
    if (existed) this.#settings.counts.add(stored, stored.unreadable ? undefined : error);
    return existed;
  }
}

/** Whether ION rejected the write; of several fields, one that may still be written is enough. */
export function isWriteRejected(error: IonError): boolean {
  return isOperationRejected(error) && (error.parts?.every(isOperationRejected) ?? true);
}
