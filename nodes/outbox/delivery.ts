import { type IonError, toIonError, withSentence } from '../client/errors.js';
import { addAbortListener } from '../client/support/abort-listeners.js';
import { MinuteCounter } from '../client/support/minute-counter.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { DeliveryResult, DeliveryTry, EntryKinds } from './entry-kind.js';
import { expiredError, isExpired } from './expiry.js';
import type { FailingWrites } from './failing-writes.js';
import type { Listeners } from './listeners.js';
import type { OrderBarrier } from './order-barrier.js';
import type { Pauses } from './pauses.js';
import { isWriteRejected, type Rejections } from './rejections.js';
import type { RetryDelay } from './retry-delay.js';
import type { Stored } from './store/entries.js';
import { orderKeyOf } from './store/keys.js';
import type { OutboxStore } from './store/store.js';
import { storedTrace } from './stored-trace.js';

interface Settings {
  store: Pick<OutboxStore, 'first' | 'update' | 'remove' | 'filePathOf' | 'lastSequence'>;
  kinds: EntryKinds;
  barrier: OrderBarrier;
  breaker: CircuitBreaker;
  failing: FailingWrites;
  pauses: Pauses;
  rejections: Rejections;
  listeners: Listeners;
  /** Ends all deliveries. */
  signal: AbortSignal;
  /** Entries of a partition that are delivered before others get their turn. */
  entriesPerTurn(): number;
  /** Before the next try of a partition. */
  delayMs: RetryDelay;
  onChange(): void;
}

/** Delivers the entries of a partition in their order. */
export class Delivery {
  /** Deliveries of the last minute. */
  readonly recent = new MinuteCounter();
  readonly #settings: Settings;
  /** Number of the last entry that an earlier process may have tried. */
  readonly #lastInherited: number;
  /** Number of the entry whose try failed last, by partition. */
  readonly #tried = new Map<string, number>();
  /** Tries of failing writes, which a decision aborts, by partition. */
  readonly #tries = new Map<string, AbortController>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#lastInherited = settings.store.lastSequence;
  }

  /** Delivers the first entries of a partition, until one has to wait or fails. */
  async deliverFrom(partition: string): Promise<void> {
    const { store, barrier, signal, entriesPerTurn } = this.#settings;
    // Before the entries are read: one that arrives during the read is not among them.
    const limit = barrier.limitOf(partition);
    for (const stored of await store.first(partition, entriesPerTurn())) {
      if (signal.aborted || stored.sequence > limit) return;
      if (!(await this.#deliver(partition, stored))) return;
    }
  }

  /** Aborts the present try of the failing write of a partition. */
  abortTry(partition: string): void {
    this.#tries.get(partition)?.abort();
  }

  /** Rejects an expired entry of a partition that is not being delivered from. */
  async rejectExpired(partition: string, stored: Stored): Promise<void> {
    const { failing, pauses, rejections } = this.#settings;
    const error = expiredError(stored.entry);
    if (stored.unreadable) await rejections.rejectUnreadable(stored);
    else if (failing.of(partition, stored)) {
      pauses.end(partition);
      await rejections.end(partition, stored, 'skip', error);
    } else await rejections.reject(stored, error);
  }

  /** @returns whether the next entry of the partition may follow */
  async #deliver(partition: string, stored: Stored): Promise<boolean> {
    const { failing, rejections } = this.#settings;
    if (stored.unreadable) {
      await rejections.rejectUnreadable(stored);
      return true;
    }
    const failed = failing.of(partition, stored);
    if (!failed) failing.forget(partition);
    else if (failed.decision) {
      await rejections.end(partition, stored, failed.decision);
      return true;
    }
    if (isExpired(stored.entry)) {
      await this.rejectExpired(partition, stored);
      return true;
    }
    failing.setNextTry(partition, undefined);
    const startedAt = performance.now();
    let result: DeliveryResult;
    try {
      result = await this.#try(partition, stored, failed !== undefined);
    } catch (thrown) {
      return this.#failed(partition, stored, toIonError(thrown), startedAt);
    }
    this.#delivered(partition, stored, result);
    return true;
  }

  async #try(partition: string, stored: Stored, hasFailed: boolean): Promise<DeliveryResult> {
    const { signal } = this.#settings;
    if (!hasFailed) return this.#send(partition, stored, { signal, sharesDocument: true });
    const controller = new AbortController();
    this.#tries.set(partition, controller);
    const stopListening = addAbortListener(signal, () => controller.abort());
    try {
      // A document that failed is asked for part by part.
      const own = { signal: controller.signal, sharesDocument: false };
      return await this.#send(partition, stored, own);
    } finally {
      stopListening();
      this.#tries.delete(partition);
    }
  }

  #send(
    partition: string,
    stored: Stored,
    options: Pick<DeliveryTry, 'signal' | 'sharesDocument'>,
  ): Promise<DeliveryResult> {
    const { store, kinds } = this.#settings;
    const { sequence, entry } = stored;
    const wasTried = this.#tried.get(partition) === sequence;
    return kinds.of(entry).deliver(entry, {
      ...options,
      isRepeated: wasTried || sequence <= this.#lastInherited,
      partition,
      trace: storedTrace(entry),
      origin: { node: entry.sender, orderKey: orderKeyOf(partition) },
      filePath: store.filePathOf(sequence),
      save: (urgency) => store.update(stored, urgency),
    });
  }

  #delivered(partition: string, stored: Stored, result: DeliveryResult): void {
    const { store, breaker, failing, listeners } = this.#settings;
    this.#tried.delete(partition);
    this.recent.add();
    failing.delivered(partition);
    breaker.responded();
    // Only a store that closes rejects it.
    store.remove(stored).catch(() => {});
    listeners.delivered(stored.entry, result);
  }

  /** @returns whether the next entry of the partition may follow */
  async #failed(
    partition: string,
    stored: Stored,
    error: IonError,
    startedAt: number,
  ): Promise<boolean> {
    const { breaker, failing, rejections, signal } = this.#settings;
    // The node that gets the reports is closing as well: the next start tries the write again.
    if (signal.aborted) return false;
    const decision = failing.of(partition, stored)?.decision;
    if (decision) {
      await rejections.end(partition, stored, decision);
      return true;
    }
    if (isWriteRejected(error)) {
      this.#tried.delete(partition);
      failing.forget(partition);
      breaker.responded();
      await rejections.reject(stored, error);
      return true;
    }
    this.#tried.set(partition, stored.sequence);
    const isResponding = await breaker.isResponding(startedAt);
    if (signal.aborted) return false;
    if (!isResponding) {
      breaker.open(error);
      return false;
    }
    return this.#failedAlone(partition, stored, error);
  }

  /**
   * A write failed although ION responds: only its partition waits.
   * @returns whether the next entry of the partition may follow
   */
  async #failedAlone(partition: string, stored: Stored, error: IonError): Promise<boolean> {
    const { failing, pauses, rejections, delayMs, onChange } = this.#settings;
    const { tries, minutes, mustReject } = failing.failed(partition, stored, error);
    const decision = failing.of(partition, stored)?.decision;
    if (decision || mustReject) {
      const end = `The outbox stopped trying after ${tries} attempts in ${minutes} min.`;
      const reason = error.with({ message: withSentence(error.message, end) });
      await rejections.end(partition, stored, decision ?? 'skip', decision ? error : reason);
      return true;
    }
    const delay = delayMs(tries, error);
    pauses.begin(partition, delay);
    failing.setNextTry(partition, delay);
    onChange();
    return false;
  }
}
