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
    const { store, barrier, breaker, onResolved } = this.#settings;
    const limit = breaker.state === 'closed' ? MAX_CONCURRENT : 1;
    barrier.beginScan();
    const entries = await store.firstUnresolved(limit);
    barrier.scanned(entries[0]?.sequence);
    const orderKeys = entries.map((stored) => this.#findOrderKey(stored));
    // Moves that begin together share a write to the disk.
    const moves: Promise<void>[] = [];
    try {
      for (const [index, stored] of entries.entries()) {
        const orderKey = await orderKeys[index];
        const next = entries[index + 1];
        if (typeof orderKey === 'string') {
          moves.push(this.#move(stored, orderKey, { earlier: moves.at(-1), next }));
        } else {
          await moves.at(-1);
          await this.#notFound(stored, orderKey);
          if (next) barrier.scanned(next.sequence);
        }
      }
      await moves.at(-1);
      if (entries.length > 0) this.run();
    } finally {
      // The next scan would read an entry that is still in flight, and move it twice.
      await Promise.allSettled(moves);
      // If a look-up failed, the entries before it may follow.
      onResolved();
    }
  }

  /** @returns why the look-up failed, or nothing for an entry that cannot be read */
  async #findOrderKey({ entry, unreadable }: Stored): Promise<string | IonError | undefined> {
    if (unreadable) return undefined;
    const { kinds, signal } = this.#settings;
    try {
      return await kinds.of(entry).findOrderKey(entry, signal);
    } catch (thrown) {
      return toIonError(thrown);
    }
  }

  /**
   * Moves an entry to its partition.
   * @param earlier resolves when all entries before it are moved
   * @param next the entry that then has to be waited for
   * @returns resolves when this entry and those before it are moved
   */
  #move(
    stored: Stored,
    orderKey: string,
    { earlier, next }: { earlier: Promise<void> | undefined; next: Stored | undefined },
  ): Promise<void> {
    const { store, barrier, breaker } = this.#settings;
    breaker.responded();
    const moved = (async () => {
      // A failure of the disk says nothing about the look-up: the entry is looked up again.
      await store.resolve(stored, partitionOf(orderKey));
      await earlier;
      this.#scan.resetFailures();
      if (next) barrier.scanned(next.sequence);
    })();
    // It can fail while the scan still waits for another look-up.
    moved.catch(() => {});
    return moved;
  }

  /** Rejects an entry, tries its look-up again (by an exception), or moves it to a partition of its own. */
  async #notFound(stored: Stored, error: IonError | undefined): Promise<void> {
    if (error) await this.#failed(stored, error);
    else await this.#settings.rejections.rejectUnreadable(stored);
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
    await this.#countFailure(stored, error, isGuessed ? MAX_FAILURES_OF_GUESS : MAX_FAILURES);
    // ION responds to other requests, but this look-up fails: the other entries no longer wait for it.
    await store.resolve(stored, partitionOf(kind.unknownOrderKey(entry)));
    // The next entry that fails does not wait longer because of this one.
    this.#scan.resetFailures();
  }

  /** @throws the error, unless the look-up has failed too often */
  async #countFailure({ sequence }: Stored, error: IonError, maxFailures: number): Promise<void> {
    const { breaker } = this.#settings;
    if (this.#failing !== sequence) this.#failures = 0;
    this.#failing = sequence;
    // An outage says nothing about the entry, and it may have begun after a response during the look-up.
    const isResponding = await breaker.isResponding(performance.now());
    this.#failures = isResponding ? this.#failures + 1 : 0;
    if (this.#failures === 0) breaker.open(error);
    if (this.#failures < maxFailures) throw error;
  }
}
