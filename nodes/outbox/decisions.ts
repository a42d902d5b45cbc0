import { closedError, IonError } from '../client/errors.js';
import type { Delivery } from './delivery.js';
import type { EntryEdit, EntryKinds } from './entry-kind.js';
import type { Expiry } from './expiry.js';
import type { FailingDecision, FailingWrites } from './failing-writes.js';
import type { OrderBarrier } from './order-barrier.js';
import type { PartitionResolver } from './partition-resolver.js';
import type { Pauses } from './pauses.js';
import type { Rejections } from './rejections.js';
import type { Scheduler } from './scheduler.js';
import type { Entry, RejectedEntry, Stored } from './store/entries.js';
import { partitionOf } from './store/keys.js';
import type { OutboxStore } from './store/store.js';

/** Deliver it again, remove it, or (only a failing write) reject it. */
export type Decision = 'retry' | FailingDecision;

interface Settings {
  store: Pick<OutboxStore, 'firstRejected' | 'restore' | 'discard' | 'lastSequence'>;
  kinds: EntryKinds;
  barrier: OrderBarrier;
  failing: FailingWrites;
  pauses: Pauses;
  scheduler: Scheduler;
  resolver: PartitionResolver;
  delivery: Pick<Delivery, 'abortTry'>;
  rejections: Rejections;
  expiry: Expiry;
  /** Ends all decisions. */
  signal: AbortSignal;
  onChange(): void;
}

/** Rejected entries that are read at once. */
const MAX_READ = 100;

/** Carries out what people decide on failing and on rejected writes. */
export class Decisions {
  readonly #settings: Settings;
  #deciding: Promise<void> = Promise.resolve();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** One after the other: two people may decide at the same time. */
  decide(decision: Decision, sequences?: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      await Promise.all((sequences ?? []).map((each) => this.#decideFailing(decision, each)));
      if (decision !== 'skip') await this.#decideRejected(decision, sequences);
    });
  }

  /**
   * The part of a rejected entry that people can correct.
   * @throws IonError `ION_NOT_FOUND` if it is not rejected, or no longer; `ION_CONFIG` if it has
   * nothing to correct
   */
  async editOf(sequence: number): Promise<EntryEdit> {
    return this.#requireEdit(await this.#requireRejected(sequence));
  }

  /**
   * Delivers a rejected entry again with another value. It is either still rejected as it was, or
   * pending with the new value, also if the process ends.
   * @throws IonError as `editOf`; `ION_VARIABLES` for a value that cannot be accepted
   */
  retryWith(sequence: number, value: unknown): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#settings.signal.aborted) throw closedError();
      const stored = await this.#requireRejected(sequence);
      const entry = this.#requireEdit(stored).replace(value) as RejectedEntry;
      await this.#carryOut('retry', { ...stored, entry });
    });
  }

  /** Resolves when the present decisions have ended. */
  async close(): Promise<void> {
    await this.#deciding.catch(() => {});
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#deciding = this.#deciding.then(work, work);
    return this.#deciding;
  }

  async #requireRejected(sequence: number): Promise<Stored<RejectedEntry>> {
    const [stored] = await this.#settings.store.firstRejected(1, sequence - 1);
    if (stored?.sequence === sequence) return stored;
    throw new IonError(
      'ION_NOT_FOUND',
      'This write is no longer rejected: it was retried or discarded. Nothing was changed.',
    );
  }

  #requireEdit(stored: Stored<RejectedEntry>): EntryEdit {
    const edit = this.#settings.kinds.editOf(stored);
    if (edit) return edit;
    throw new IonError('ION_CONFIG', 'This write has nothing to correct. Retry or discard it.');
  }

  async #decideFailing(decision: Decision, sequence: number): Promise<void> {
    const { failing, pauses, scheduler, delivery, rejections, signal } = this.#settings;
    const partition = failing.partitionOf(sequence);
    if (partition === undefined || signal.aborted) return;
    const stored = failing.decide(partition, decision);
    pauses.end(partition);
    if (decision === 'retry') {
      scheduler.start(partition);
      return;
    }
    // Nobody waits for the result of a try any more.
    delivery.abortTry(partition);
    const isUndecided = () => failing.partitionOf(sequence) === partition && !signal.aborted;
    let work = scheduler.busy(partition);
    while (work && isUndecided()) {
      // The work may end without carrying out the decision, such as by an outage.
      await Promise.race([failing.ended(partition), work]);
      work = scheduler.busy(partition);
    }
    if (!stored || !isUndecided()) return;
    pauses.end(partition);
    await scheduler.occupy(partition, () => rejections.end(partition, stored, decision));
  }

  async #decideRejected(
    decision: 'retry' | 'discard',
    sequences?: readonly number[],
  ): Promise<void> {
    const { store, signal } = this.#settings;
    const chosen = sequences && new Set(sequences);
    // An entry that is rejected again has a new number.
    const last = store.lastSequence;
    let chunk = await store.firstRejected(MAX_READ);
    while (chunk.length > 0) {
      for (const stored of chunk) {
        if (stored.sequence > last || signal.aborted) return;
        if (!chosen || chosen.has(stored.sequence)) await this.#carryOut(decision, stored);
      }
      chunk = await store.firstRejected(MAX_READ, chunk.at(-1)?.sequence);
    }
  }

  async #carryOut(decision: 'retry' | 'discard', stored: Stored<RejectedEntry>): Promise<void> {
    const { store, rejections, onChange } = this.#settings;
    if (decision === 'retry' && stored.unreadable) return;
    if (decision === 'discard') await store.discard(stored);
    else await this.#restore(stored);
    rejections.forget(stored);
    onChange();
  }

  async #restore(stored: Stored<RejectedEntry>): Promise<void> {
    const { store, kinds, barrier, resolver, scheduler, expiry } = this.#settings;
    const { error, givenUpAt, replaces, keepUntil, ...rest } = stored.entry;
    const { retries = 0, keepForMs } = rest;
    const kind = kinds.of(rest);
    const entry: Entry = { ...kind.restored(rest), retries: retries + 1 };
    // It is kept as long as a new one.
    if (keepForMs !== undefined) entry.keepUntil = Date.now() + keepForMs;
    const orderKey = kind.orderKey(entry);
    const partition = orderKey === undefined ? undefined : partitionOf(orderKey);
    try {
      await barrier.arrive(partition, (onSequence) =>
        store.restore(stored, entry, partition, onSequence),
      );
      if (entry.keepUntil !== undefined) expiry.expect(entry.keepUntil);
    } finally {
      if (partition === undefined) resolver.run();
      scheduler.run();
    }
  }
}
