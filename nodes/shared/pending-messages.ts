import { closedError } from '../client/errors.js';
import { LinkedList } from '../client/support/linked-list.js';

/** Time for messages in progress when their node closes. */
const CLOSE_GRACE_MS = 2000;

/** A class: an object literal with a getter would get a hidden class of its own for each message. */
export class PendingMessage {
  #onEnd: ((error?: Error) => void) | undefined;

  /** @param onEnd called once */
  constructor(onEnd: (error?: Error) => void) {
    this.#onEnd = onEnd;
  }

  get hasEnded(): boolean {
    return !this.#onEnd;
  }

  /** Only the first call counts. */
  end(error?: Error): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.(error);
  }
}

/** The messages that a node has received and not ended. */
export class PendingMessages {
  readonly #pending = new LinkedList<PendingMessage>();
  #onEmpty = (): void => {};

  get count(): number {
    return this.#pending.size;
  }

  /** @param onEnd called once */
  add(onEnd: (error?: Error) => void): PendingMessage {
    const message = new PendingMessage((error) => {
      entry.remove();
      onEnd(error);
      if (this.count === 0) this.#onEmpty();
    });
    const entry = this.#pending.add(message);
    return message;
  }

  /** Calls back when all messages have ended; after a moment, it ends the others with `ION_CLOSED`. */
  close(onClosed: () => void): void {
    if (this.count === 0) {
      onClosed();
      return;
    }
    // A message that waits for work without a signal, such as a context store, would never end.
    const timer = setTimeout(() => {
      for (let each = this.#pending.shift(); each; each = this.#pending.shift()) {
        each.end(closedError());
      }
    }, CLOSE_GRACE_MS);
    this.#onEmpty = () => {
      clearTimeout(timer);
      onClosed();
    };
  }
}
