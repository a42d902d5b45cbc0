import { setMaxListeners } from 'node:events';
import type { IonError } from '../client/errors.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { type Decision, Decisions } from './decisions.js';
import { Delivery } from './delivery.js';
import { type EntryEdit, type EntryKind, EntryKinds, type EntrySummary } from './entry-kind.js';
import { Expiry } from './expiry.js';
import { FailingWrites, type RejectionRule } from './failing-writes.js';
import { Listeners, type OnAbsent, type OutboxListener, type OutboxState } from './listeners.js';
import { OrderBarrier } from './order-barrier.js';
import { PartitionResolver } from './partition-resolver.js';
import { Pauses } from './pauses.js';
import { RejectionCounts } from './rejection-counts.js';
import { Rejections } from './rejections.js';
import { retryDelay } from './retry-delay.js';
import { Scheduler } from './scheduler.js';
import type { OutboxLimits } from './store/counters.js';
import type { Entry, NewEntry, RejectedEntry, Stored } from './store/entries.js';
import { partitionOf, partitionOfKey } from './store/keys.js';
import { OutboxStore, type StoreOptions } from './store/store.js';

export interface OutboxOptions extends StoreOptions {
  folder: string;
  limits: OutboxLimits;
  /** The kinds of entries that it delivers. */
  kinds: readonly EntryKind[];
  /** Sends ION a request, to find out whether it responds. */
  check: StepWriter['check'];
  /** Concurrent requests of the client. */
  concurrency: number;
  /** The number of writes that one request can hold at the moment; 1 by default. */
  requestSize?: () => number;
  /** By the ID of the sender; read at each report. */
  listeners: ReadonlyMap<string, OutboxListener>;
  /** Called for the outcome of an entry whose sender does not listen. */
  onAbsent?: OnAbsent;
  /** Delay after the first failure of all deliveries, in ms; 1000 by default. */
  pauseMs?: number;
  /** `Math.random` by default. */
  random?: () => number;
  /** When a write is rejected that fails although ION responds to others; see `FailingWrites`. */
  rejectAfter?: RejectionRule;
  /** Called with each delay, in ms. */
  onPause?: (ms: number) => void;
  /** Called for an entry that cannot be read, because its sender is not known. */
  onUnreadable?: (error: IonError) => void;
}

const FIRST_PAUSE_MS = 1000;
/** A single failure passes soon: a partition waits a tenth of the time of an outage. */
const PARTITION_SHARE = 0.1;
/** While one partition reads the disk, another one has its request under way. */
const PARTITIONS_PER_REQUEST = 2;
/** Entries of one partition that are delivered before others get their turn. */
const MAX_PER_TURN = 50;
const MIN_PER_TURN = 5;
/** Entries of all partitions that are in memory. */
const MAX_READ = 1000;

/**
 * Stores writes on the disk and delivers them to ION at least once: in order for each order key,
 * with several keys at the same time. A rejected write waits for somebody's decision.
 */
export class Outbox {
  readonly #store: OutboxStore;
  readonly #kinds: EntryKinds;
  readonly #listeners: Listeners;
  readonly #rejections: Rejections;
  readonly #barrier: OrderBarrier;
  readonly #breaker: CircuitBreaker;
  readonly #pauses: Pauses;
  readonly #scheduler: Scheduler;
  readonly #resolver: PartitionResolver;
  readonly #decisions: Decisions;
  readonly #expiry: Expiry;
  readonly #delivery: Delivery;
  readonly #counts: RejectionCounts;
  readonly #closing = new AbortController();
  #isStarted = false;

  private constructor(
    {
      check,
      concurrency,
      requestSize = () => 1,
      rejectAfter,
      onUnreadable,
      ...options
    }: OutboxOptions,
    kinds: EntryKinds,
    store: OutboxStore,
    barrier: OrderBarrier,
    counts: RejectionCounts,
  ) {
    const { signal } = this.#closing;
    setMaxListeners(0, signal);
    const { pauseMs: firstMs = FIRST_PAUSE_MS, random, onPause: onDelay } = options;
    const delayMs = retryDelay({ firstMs: PARTITION_SHARE * firstMs, random, onDelay });
    const onChange = () => this.#changed();
    const listeners = new Listeners(options.listeners, options.onAbsent);
    const failing = new FailingWrites(rejectAfter);
    const pauses = new Pauses((partition) => this.#pauseElapsed(partition));
    const breaker = new CircuitBreaker({
      check: () => check({ signal, isNew: false }),
      delayMs: retryDelay({ firstMs, random, onDelay }),
      onChange,
      onReady: () => {
        if (store.pending === 0) void breaker.probe();
        this.#run();
      },
    });
    const rejections = new Rejections({
      ...{ store, failing, counts, listeners },
      ...{ onChange, onUnreadable },
    });
    const shared = { store, kinds, barrier, breaker, failing, pauses, rejections, signal, delayMs };
    const mostBusy = () => concurrency * PARTITIONS_PER_REQUEST * requestSize();
    const entriesPerTurn = () =>
      Math.max(MIN_PER_TURN, Math.min(Math.floor(MAX_READ / mostBusy()), MAX_PER_TURN));
    const delivery = new Delivery({ ...shared, listeners, entriesPerTurn, onChange });
    const maxBusy = (): number => {
      if (!this.#mayRun() || breaker.state === 'open') return 0;
      return breaker.state === 'half-open' ? 1 : mostBusy();
    };
    const scheduler = new Scheduler({
      partitionAfter: (partition) => store.partitionAfter(partition),
      isBlocked: ({ partition, sequence }) =>
        pauses.has(partition) || barrier.blocks(partition, sequence),
      maxBusy,
      deliverFrom: (partition) => delivery.deliverFrom(partition),
      onFailure: (partition, error) => pauses.begin(partition, delayMs(1, error)),
      onIdle: onChange,
      delayMs,
    });
    const resolver = new PartitionResolver({
      ...shared,
      canRun: () => this.#mayRun() && breaker.state !== 'open',
      onResolved: () => scheduler.run(),
    });
    this.#expiry = new Expiry({
      store,
      rejectExpired: (stored) => this.#rejectExpired(stored, delivery),
      canRun: () => this.#mayRun(),
      delayMs,
    });
    this.#store = store;
    this.#delivery = delivery;
    this.#counts = counts;
    this.#kinds = kinds;
    this.#listeners = listeners;
    this.#rejections = rejections;
    this.#barrier = barrier;
    this.#breaker = breaker;
    this.#pauses = pauses;
    this.#scheduler = scheduler;
    this.#resolver = resolver;
    this.#decisions = new Decisions({
      ...{ ...shared, scheduler, resolver, delivery },
      ...{ expiry: this.#expiry, onChange },
    });
  }

  /** @throws IonError see `OutboxStore.open` */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const { folder, limits } = options;
    const kinds = new EntryKinds(options.kinds);
    const store = await OutboxStore.open(folder, limits, options, (entry) => kinds.isKnown(entry));
    try {
      // Damage that shows at the first read is repaired before the second one.
      const [first] = await store.firstUnresolved(1).catch(() => store.firstUnresolved(1));
      const counts = await RejectionCounts.read(store).catch(() => RejectionCounts.read(store));
      return new Outbox(options, kinds, store, new OrderBarrier(first?.sequence), counts);
    } catch (thrown) {
      // Or it would stay locked until the process ends.
      await store.close();
      throw thrown;
    }
  }

  get state(): OutboxState {
    return {
      pending: this.#store.pending,
      rejected: this.#store.rejected,
      unreachableSince: this.#breaker.openSince,
      nextTryAt: this.#breaker.nextProbeAt,
      reason: this.#breaker.reason,
      ...this.#rejections.state,
    };
  }

  /** Writes that were delivered in the last minute. */
  get deliveredPerMinute(): number {
    return this.#delivery.recent.count;
  }

  /** Differs after each change of the rejected writes. */
  get rejectionsVersion(): number {
    return this.#counts.version;
  }

  /** Begins to deliver, also the entries that an earlier process accepted. */
  start(): void {
    this.#isStarted = true;
    this.#run();
    this.#expiry.run();
  }

  /**
   * Accepts a write. When it resolves, the write is on the disk and will be delivered.
   * @param sender ID of the listener that gets the result
   * @param context returned to the sender with the result
   * @param onNumbered called when its place in the order is fixed, before it is on the disk
   * @throws NotStorableError for a value that cannot be stored, such as a function; IonError
   * `ION_OVERLOADED` at the limits or if the disk is full
   */
  async add(
    sender: string,
    { own, content }: NewEntry,
    context: unknown,
    onNumbered?: () => void,
  ): Promise<void> {
    // V8 is a third slower for the whole write if the spread comes first.
    const entry: Entry = { sender, context, acceptedAt: Date.now(), ...own };
    const { acceptedAt, keepForMs } = entry;
    if (keepForMs !== undefined) entry.keepUntil = acceptedAt + keepForMs;
    const orderKey = this.#kinds.of(entry).orderKey(entry);
    const partition = orderKey === undefined ? undefined : partitionOf(orderKey);
    try {
      await this.#barrier.arrive(partition, (begin) => {
        const onSequence = (sequence: number) => {
          begin(sequence);
          onNumbered?.();
        };
        return this.#store.add(entry, partition, { content, onSequence });
      });
      if (entry.keepUntil !== undefined) this.#expiry.expect(entry.keepUntil);
      this.#changed();
    } finally {
      if (partition === undefined) this.#resolver.run();
      this.#scheduler.run();
    }
  }

  /** When the oldest pending entry was accepted, in ms since 1970; `undefined` without one. */
  oldestAcceptedAt(): Promise<number | undefined> {
    return this.#store.oldest.acceptedAt();
  }

  /** Rejected entries, the oldest first. */
  rejected(limit: number): Promise<Stored<RejectedEntry>[]> {
    return this.#store.firstRejected(limit);
  }

  /** An entry as the dialog shows it. */
  summaryOf(stored: Stored): EntrySummary {
    return this.#kinds.summaryOf(stored);
  }

  /**
   * Delivers rejected entries again, or removes them. Failing ones are tried at once, rejected
   * (`skip`) or removed, so that the entries behind them can follow.
   * @param sequences `undefined` for all rejected ones
   */
  decide(decision: Decision, sequences?: readonly number[]): Promise<void> {
    return this.#decisions.decide(decision, sequences);
  }

  /** See `Decisions.editOf`. */
  editOf(sequence: number): Promise<EntryEdit> {
    return this.#decisions.editOf(sequence);
  }

  /** See `Decisions.retryWith`. */
  retryWith(sequence: number, value: unknown): Promise<void> {
    return this.#decisions.retryWith(sequence, value);
  }

  /** Ends deliveries and closes the store, which keeps the pending entries. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#breaker.stop();
    this.#pauses.close();
    await Promise.all([
      this.#scheduler.close(),
      this.#resolver.close(),
      this.#decisions.close(),
      this.#expiry.close(),
    ]);
    await this.#store.close();
  }

  #mayRun(): boolean {
    return this.#isStarted && !this.#closing.signal.aborted;
  }

  #run(): void {
    this.#resolver.run();
    this.#scheduler.run();
  }

  /** @returns whether the entry is no longer pending */
  async #rejectExpired(stored: Stored, delivery: Delivery): Promise<boolean> {
    const partition = partitionOfKey(stored.key);
    // The try under way may still succeed.
    for (let work = this.#scheduler.busy(partition); work; work = this.#scheduler.busy(partition)) {
      await work;
    }
    let isPending = true;
    if (this.#mayRun()) {
      await this.#scheduler.occupy(partition, async () => {
        if (await this.#store.has(stored)) await delivery.rejectExpired(partition, stored);
        isPending = false;
      });
    }
    return !isPending;
  }

  #pauseElapsed(partition: string): void {
    this.#scheduler.run();
    void this.#rejections.forgetReplaced(partition);
  }

  #changed(): void {
    if (!this.#closing.signal.aborted) this.#listeners.changed(this.state);
  }
}
