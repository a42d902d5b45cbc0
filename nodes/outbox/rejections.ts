import { closedError, IonError } from '../client/errors.js';
import { isOperationRejected } from '../client/failures/classify-failure.js';
import type { FailingDecision, FailingWrites } from './failing-writes.js';
import type { Listeners } from './listeners.js';
import type { RejectedEntry, Stored } from './store/entries.js';
import type { OutboxStore } from './store/store.js';

interface Settings {
  store: Pick<OutboxStore, 'reject' | 'drop'>;
  failing: FailingWrites;
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

  /** Keeps an entry that ION rejected until somebody decides on it. */
  async reject(stored: Stored, error: IonError): Promise<void> {
    const { store, listeners, onChange } = this.#settings;
    await store.reject(stored, error, Date.now());
    onChange();
    listeners.rejected(stored.entry, error);
  }

  /** Rejects an entry that cannot be read. */
  async rejectUnreadable(stored: Stored): Promise<void> {
    const { message } = (stored.entry as RejectedEntry).error;
    const error = new IonError('ION_CONFIG', message);
    await this.reject(stored, error);
    this.#settings.onUnreadable?.(error);
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
    const existed = await (decision === 'skip'
      ? store.reject(stored, reason, Date.now())
      : store.drop(stored));
    failing.forget(partition);
    onChange();
    // A newer value may have taken its place.
    if (existed) listeners.rejected(stored.entry, reason);
  }
}

/** Whether ION rejected the write; of several fields, one that may still be written is enough. */
export function isWriteRejected(error: IonError): boolean {
  return isOperationRejected(error) && (error.parts?.every(isOperationRejected) ?? true);
}
