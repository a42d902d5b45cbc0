import { closedError, IonError } from '../errors.js';
import { addAbortListener } from '../support/abort-listeners.js';
import { LinkedList } from '../support/linked-list.js';

/** `new` messages queue up to the limit; what was begun once is let in beyond it, retries first. */
export type Priority = 'new' | 'continued' | 'retry';

interface Waiter {
  proceed(): void;
  fail(error: IonError): void;
}

/** A limit on requests in flight: `size` run at once, the rest wait in order. */
export class RequestQueue {
  readonly #size: number;
  readonly #limit: number;
  readonly #retries = new LinkedList<Waiter>();
  readonly #waiting = new LinkedList<Waiter>();
  #running = 0;
  /** Those that left their place only until their next try. */
  #backingOff = 0;

  /** @param limit how many may wait before `ION_OVERLOADED` */
  constructor(size: number, limit: number) {
    this.#size = size;
    this.#limit = limit;
  }

  /**
   * Takes a place, which the caller gives back with `leave()`; `undefined` where one was free.
   * @throws IonError `ION_OVERLOADED`, or `ION_CLOSED` when the signal aborts first
   */
  enter(signal: AbortSignal, turn: Priority, onWait?: () => void): Promise<void> | undefined {
    if (signal.aborted) throw closedError();
    const isFree = this.#running < this.#size;
    const ahead = this.#waiting.size + this.#retries.size + this.#backingOff;
    if (turn === 'new' && ahead >= this.#limit && (ahead > 0 || !isFree)) {
      throw new IonError(
        'ION_OVERLOADED',
        `${ahead} messages are already waiting for ION. Send fewer, or raise the queue limit or the concurrency in the ION config node.`,
      );
    }
    if (isFree) {
      this.#running++;
      return undefined;
    }
    onWait?.();
    const line = turn === 'retry' ? this.#retries : this.#waiting;
    return new Promise((resolve, reject) => {
      const place = line.add({
        proceed() {
          stopListening();
          resolve();
        },
        fail(error) {
          stopListening();
          reject(error);
        },
      });
      const stopListening = addAbortListener(signal, () => {
        place.remove();
        reject(closedError());
      });
    });
  }

  /** Gives the place to the next in line. */
  leave(): void {
    const next = this.#retries.shift() ?? this.#waiting.shift();
    if (next) next.proceed();
    else this.#running--;
  }

  /** Counts as waiting while the work, a pause before the next try, goes on. */
  async whileBackingOff(work: () => Promise<void>): Promise<void> {
    this.#backingOff++;
    try {
      await work();
    } finally {
      this.#backingOff--;
    }
  }

  /** Fails all who wait, with `ION_CLOSED`. */
  close(): void {
    for (const line of [this.#retries, this.#waiting]) {
      for (let next = line.shift(); next; next = line.shift()) next.fail(closedError());
    }
  }
}
