import { type IonError, toIonError } from '../client/errors.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import { CoalescedRunner } from './coalesced-runner.js';
import type { EntryKinds } from './entry-kind.js';
import type { OrderBarrier } from './order-barrier.js';
import { isWriteRejected, type Rejections } from './rejections.js';
import type { RetryDelay } from './retry-delay.js';
import type { Stored } from './store/entries.js';
import { partitionOf } from './store/keys.js';
import type { OutboxStore } from './store/store.js';

interface Settings {
  store: Pick<OutboxStore, 'firstUnresolved' | 'resolve'>;
  kinds: EntryKinds;
  barrier: OrderBarrier;
  breaker: CircuitBreaker;
  rejections: Rejections;
  /** Ends all look-ups. */
  signal: AbortSignal;
  canRun(): boolean;
  /** Before the next look-up, after a failure while ION responds. */
  delayMs: RetryDelay;
  /** Entries have their partitions now, so later entries may follow. */
  onResolved(): void;
}

const MAX_CONCURRENT = 100;
/** Failed look-ups of one entry, while ION responds, before other entries no longer wait for it. */
const MAX_FAILURES = 5;
/** The same for a guess. An outage that ends after a look-up began fails that one, not the next. */
const MAX_FAILURES_OF_GUESS = 2;

/** Looks up the partitions of entries that were accepted without one, in their order. */
export class PartitionResolver {
  readonly #settings: Settings;
  readonly #scan: CoalescedRunner;
  /** Failures in a row of the first unresolved entry, while ION responds. */
  #failures = 0;
  /** Number of that entry. */
  #failing = 0;

  constructor(settings: Settings) {
    const { breaker, canRun, delayMs } = settings;
    this.#settings = settings;
    this.#scan = new CoalescedRunner({
      job: () => this.#resolveFirst(),
      canRun,
      // After an outage, the circuit breaker starts the next look-up.
      delayAfter: (failures, error) =>
        breaker.state === 'open' ? undefined : delayMs(failures, error),
    });
  }

  run(): void {
    this.#scan.run();
  }

  /** Resolves when the present look-ups have ended. */
  close(): Promise<void> {
    return this.#scan.close();
  }

  async #resolveFirst(): Promise<void> {
    const { store, barrier, breaker, rejections, onResolved } = this.#settings;
    const limit = breaker.state === 'closed' ? MAX_CONCURRENT : 1;
    barrier.beginScan();
    const entries = await store.firstUnresolved(limit);
    const orderKeys = entries.map((stored) => this.#findOrderKey(stored));
    try {
      for (const [index, stored] of entries.entries()) {
        barrier.scanned(stored.sequence);
        if (this.#failing !== stored.sequence) this.#failures = 0;
        this.#failing = stored.sequence;
        const orderKey = orderKeys[index];
        if (orderKey) await this.#resolve(stored, orderKey);
        else await rejections.rejectUnreadable(stored);
      }
      if (entries.length === 0) barrier.scanned();
      else this.run();
    } finally {
      // If a look-up failed, the entries before it may follow.
      onResolved();
    }
  }

  #findOrderKey({ entry, unreadable }: Stored): Promise<string> | undefined {
    if (unreadable) return undefined;
    const { kinds, signal } = this.#settings;
    const orderKey = kinds.of(entry).findOrderKey(entry, signal);
    // Failures are handled in the order of the entries.
    orderKey.catch(() => {});
    return orderKey;
  }

  async #resolve(stored: Stored, orderKey: Promise<string>): Promise<void> {
    const { store, breaker } = this.#settings;
    let found: string;
    try {
      found = await orderKey;
    } catch (thrown) {
      await this.#failed(stored, toIonError(thrown));
      return;
    }
    breaker.responded();
    // A failure of the disk says nothing about the look-up: the entry is looked up again.
    await store.resolve(stored, partitionOf(found));
    this.#scan.resetFailures();
  }

  async #failed(stored: Stored, error: IonError): Promise<void> {
    const { store, kinds, breaker, rejections, signal } = this.#settings;
    // The node that gets the reports is closing as well: the next start looks it up again.
    if (signal.aborted) throw error;
    if (isWriteRejected(error)) {
      breaker.responded();
      await rejections.reject(stored, error);
      return;
    }
    const { entry } = stored;
    const kind = kinds.of(entry);
    const isGuessed = kind.isGuessed?.(entry) === true;
    await this.#countFailure(error, isGuessed ? MAX_FAILURES_OF_GUESS : MAX_FAILURES);
    // ION responds to other requests, but this look-up fails: the other entries no longer wait for it.
    await store.resolve(stored, partitionOf(kind.unknownOrderKey(entry)));
    // The next entry that fails does not wait longer because of this one.
    this.#scan.resetFailures();
  }

  /** @throws the error, unless the look-up has failed too often */
  async #countFailure(error: IonError, maxFailures: number): Promise<void> {
    const { breaker } = this.#settings;
    // An outage says nothing about the entry, and it may have begun after a response during the look-up.
    const isResponding = await breaker.isResponding(performance.now());
    this.#failures = isResponding ? this.#failures + 1 : 0;
    if (this.#failures === 0) breaker.open(error);
    if (this.#failures < maxFailures) throw error;
  }
}
