import type { IonError } from '../client/errors.js';
import type { WriteResult } from '../client/steps/step-writer.js';
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
  delivered(entry: Entry, result: WriteResult<unknown>): void;
  /** The entry is no longer tried. */
  rejected(entry: Entry, error: IonError): void;
  /** One of the other methods threw this. */
  failed(thrown: unknown): void;
  /** The number of entries or the reachability of ION changed. */
  changed(state: OutboxState): void;
}

/** Calls the listeners of an outbox. A listener that throws must not stop the delivery. */
export class Listeners {
  readonly #listeners: ReadonlyMap<string, OutboxListener>;

  /** @param listeners by the ID of the sender; read at each report */
  constructor(listeners: ReadonlyMap<string, OutboxListener>) {
    this.#listeners = listeners;
  }

  delivered(entry: Entry, result: WriteResult<unknown>): void {
    report(this.#listeners.get(entry.sender), (listener) => listener.delivered(entry, result));
  }

  rejected(entry: Entry, error: IonError): void {
    report(this.#listeners.get(entry.sender), (listener) => listener.rejected(entry, error));
  }

  changed(state: OutboxState): void {
    for (const each of this.#listeners.values()) report(each, (to) => to.changed(state));
  }
}

function report(
  listener: OutboxListener | undefined,
  call: (listener: OutboxListener) => void,
): void {
  if (!listener) return;
  try {
    call(listener);
  } catch (thrown) {
    listener.failed(thrown);
  }
}
