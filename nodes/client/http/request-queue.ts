import { closedError, IonError } from '../errors.js';
import { addAbortListener } from '../support/abort-listeners.js';
import { LinkedList } from '../support/linked-list.js';

/** `new` messages respect the queue limit; work in progress exceeds it, and retries go first. */
export type Priority = 'new' | 'continued' | 'retry';

interface Waiter {
  proceed(): void;
  fail(error: IonError): void;
}

/** Limits the number of concurrent requests. The others wait in order. */
export class RequestQueue {
  readonly #concurrency: number;
  readonly #limit: number;
  readonly #retries = new LinkedList<Waiter>();
  readonly #waiting = new LinkedList<Waiter>();
  #running = 0;
  /** Requests that wait for the delay before their next try. */
  #backingOff = 0;

  /**
   * @param concurrency maximum number of concurrent requests
   * @param limit maximum number of queued messages
   */
  constructor(concurrency: number, limit: number) {
    this.#concurrency = concurrency;
    this.#limit = limit;
  }

  /** Requests that run. */
  get running(): number {
    return this.#running;
  }

  /** Requests that wait for their turn, or for their next try. */
  get waiting(): number {
    return this.#waiting.size + this.#retries.size + this.#backingOff;
  }

  /**
   * Starts a request, which has to call `leave()` when it is done.
   * @returns `undefined` if it may run at once
   * @throws IonError `ION_OVERLOADED`, or `ION_CLOSED` if the signal aborts first
   */
  enter(signal: AbortSignal, priority: Priority, onWait?: () => void): Promise<void> | undefined {
    if (signal.aborted) throw closedError();
    const isFree = this.#running < this.#concurrency;
    const queued = this.waiting;
    if (priority === 'new' && queued >= this.#limit && (queued > 0 || !isFree)) {
      throw new IonError(
        'ION_OVERLOADED',
        `${queued} messages are already queued for ION. Send fewer, or raise the queue limit or the number of concurrent requests in the ION config node.`,
      );
    }
    if (isFree) {
      this.#running++;
      return undefined;
    }
    onWait?.();
    const line = priority === 'retry' ? this.#retries : this.#waiting;
    return new Promise((resolve, reject) => {
      const entry = line.add({
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
        entry.remove();
        reject(closedError());
      });
    });
  }

  /** Ends a request and starts the next one. */
  leave(): void {
    const next = this.#retries.shift() ?? this.#waiting.shift();
    if (next) next.proceed();
    else this.#running--;
  }

  /** Counts a request as queued during its delay before the next try. */
  async whileBackingOff(delay: () => Promise<void>): Promise<void> {
    this.#backingOff++;
    try {
      await delay();
    } finally {
      this.#backingOff--;
    }
  }

  /** Fails all queued requests with `ION_CLOSED`. */
  close(): void {
    for (const line of [this.#retries, this.#waiting]) {
      for (let next = line.shift(); next; next = line.shift()) next.fail(closedError());
    }
  }
}
