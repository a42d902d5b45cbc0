import { type Entry, LinkedList } from '../support/linked-list.js';

/** An item of a list of deadlines, such as an exchange. */
export interface Expiring {
  /** On the monotonic clock, in ms; set by its deadlines. */
  expiresAt: number;
  expire(): void;
}

/** Deadlines with the same time limit. They share a timer, because Node.js needs longer to start one. */
export class Deadlines<Item extends Expiring> {
  readonly #limitMs: number;
  /** The first one expires first. */
  readonly #items = new LinkedList<Item>();
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs the time limit, in ms */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /**
   * Lets an item expire after the time limit.
   * @returns its `remove()` ends the deadline
   */
  begin(item: Item): Entry<Item> {
    this.#timer ??= this.#start(this.#limitMs);
    item.expiresAt = performance.now() + this.#limitMs;
    return this.#items.add(item);
  }

  /** A deadline with the whole time limit in place of another one. */
  renew(deadline: Entry<Item>): Entry<Item> {
    deadline.remove();
    return this.begin(deadline.item);
  }

  /** Ends all deadlines, and calls back for each of them. */
  close(onClosed: (item: Item) => void): void {
    clearTimeout(this.#timer);
    for (let item = this.#items.shift(); item; item = this.#items.shift()) onClosed(item);
  }

  /** It outlasts the last request, so that it must not keep the process alive. */
  #start(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    const now = performance.now();
    let { first } = this.#items;
    for (; first && first.expiresAt <= now; { first } = this.#items) {
      this.#items.shift();
      first.expire();
    }
    this.#timer = first && this.#start(Math.ceil(first.expiresAt - now));
  }
}
