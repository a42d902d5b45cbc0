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
    const { store, kinds, breaker, rejections, signal } = this.#settings;
    const startedAt = performance.now();
    try {
      const found = await orderKey;
      breaker.responded();
      await store.resolve(stored, partitionOf(found));
      this.#failures = 0;
      this.#scan.resetFailures();
    } catch (thrown) {
      const error = toIonError(thrown);
      // The node that gets the reports is closing as well: the next start looks it up again.
      if (signal.aborted) throw error;
      if (isWriteRejected(error)) {
        breaker.responded();
        await rejections.reject(stored, error);
        return;
      }
      await this.#countFailure(error, startedAt);
      // ION responds to other requests, but this look-up fails: the other entries no longer wait for it.
      const { entry } = stored;
      await store.resolve(stored, partitionOf(kinds.of(entry).unknownOrderKey(entry)));
      this.#failures = 0;
    }
  }

  /** @throws the error, unless the look-up has failed too often */
  async #countFailure(error: IonError, startedAt: number): Promise<void> {
    const { breaker } = this.#settings;
    // An outage says nothing about the entry.
    this.#failures = (await breaker.isResponding(startedAt)) ? this.#failures + 1 : 0;
    if (this.#failures === 0) breaker.open(error);
    if (this.#failures < MAX_FAILURES) throw error;
  }
}
