import { type Entry, LinkedList } from '../support/linked-list.js';

interface Expiry {
  /** On the monotonic clock, in ms. */
  at: number;
  onExpired(): void;
}

/** It ends with `remove()`. */
export type Deadline = Entry<Expiry>;

/** Deadlines with the same time limit. They share a timer, because Node.js needs longer to start one. */
export class Deadlines {
  readonly #limitMs: number;
  /** The first one expires first. */
  readonly #deadlines = new LinkedList<Expiry>();
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs the time limit, in ms */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Calls back after the time limit, unless the deadline ends before. */
  begin(onExpired: () => void): Deadline {
    this.#timer ??= this.#start(this.#limitMs);
    return this.#deadlines.add({ at: performance.now() + this.#limitMs, onExpired });
  }

  /** A deadline with the whole time limit in place of another one. */
  renew(deadline: Deadline): Deadline {
    deadline.remove();
    return this.begin(deadline.item.onExpired);
  }

  /** Ends the timer, for which there is no deadline any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** It outlasts the last request, so that it must not keep the process alive. */
  #start(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    const now = performance.now();
    let { first } = this.#deadlines;
    for (; first && first.at <= now; { first } = this.#deadlines) {
      this.#deadlines.shift();
      first.onExpired();
    }
    this.#timer = first && this.#start(Math.ceil(first.at - now));
  }
}
