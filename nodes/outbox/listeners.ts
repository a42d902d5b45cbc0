import type { IonError } from '../client/errors.js';
import type { DeliveryResult } from './entry-kind.js';
import type { FailingWrite } from './failing-writes.js';
import type { Entry } from './store/entries.js';

/** The rejected entries of one sender. */
export interface SenderRejections {
  count: number;
  /** Why the newest of them was rejected; unknown after a restart. */
  reason: IonError | undefined;
}

export interface OutboxState {
  /** Number of pending entries. */
  pending: number;
  /** Number of entries that were delivered since the outbox was opened. */
  delivered: number;
  /** Number of rejected entries. */
  rejected: number;
  /** Rejected entries of each sender, by its ID. */
  rejections: ReadonlyMap<string, SenderRejections>;
  /** Since when ION cannot be reached, in ms since 1970. */
  unreachableSince: number | undefined;
  /** Time of the next try during an outage, in ms since 1970; `undefined` while one is under way. */
  nextTryAt: number | undefined;
  /** Why it cannot be reached. */
  reason: IonError | undefined;
  /** Writes that fail again and again although ION responds. */
  failing: readonly FailingWrite[];
}

/** Whether the writes wait because nothing answers, rather than because a server refuses them. */
export function isOutage({ reason }: OutboxState): boolean {
  return reason?.code === 'ION_NETWORK' || reason?.code === 'ION_TIMEOUT';
}

/** Gets the results of a sender's entries, and the state of the outbox. */
export interface OutboxListener {
  delivered(entry: Entry, result: DeliveryResult): void;
  /** The entry is no longer tried. */
  rejected(entry: Entry, error: IonError): void;
  /** One of the other methods threw this. */
  failed(thrown: unknown): void;
  /** The number of entries or the reachability of ION changed. */
  changed(state: OutboxState): void;
}

/**
 * Called for a sender that does not listen.
 * @param report reports the outcome to a listener, and never throws
 */
export type OnAbsent = (sender: string, report: (listener: OutboxListener) => void) => void;

/** Calls the listeners of an outbox. A listener that throws must not stop the delivery. */
export class Listeners {
  readonly #listeners: ReadonlyMap<string, OutboxListener>;
  readonly #onAbsent: OnAbsent;

  /** @param listeners by the ID of the sender; read at each report */
  constructor(listeners: ReadonlyMap<string, OutboxListener>, onAbsent: OnAbsent = () => {}) {
    this.#listeners = listeners;
    this.#onAbsent = onAbsent;
  }

  delivered(entry: Entry, result: DeliveryResult): void {
    this.#report(entry, (listener) => listener.delivered(entry, result));
  }

  rejected(entry: Entry, error: IonError): void {
    this.#report(entry, (listener) => listener.rejected(entry, error));
  }

  changed(state: OutboxState): void {
    for (const each of this.#listeners.values()) report(each, (to) => to.changed(state));
  }

  #report({ sender }: Entry, call: (listener: OutboxListener) => void): void {
    const listener = this.#listeners.get(sender);
    if (listener) report(listener, call);
    else this.#onAbsent(sender, (later) => report(later, call));
  }
}

function report(listener: OutboxListener, call: (listener: OutboxListener) => void): void {
  try {
    call(listener);
  } catch (thrown) {
    listener.failed(thrown);
  }
}
