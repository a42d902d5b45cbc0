import { closedError } from '../client/errors.js';
import { LinkedList } from '../client/support/linked-list.js';

/** Time for messages in progress when their node closes. */
const CLOSE_GRACE_MS = 2000;

export interface PendingMessage {
  readonly hasEnded: boolean;
  /** Only the first call counts. */
  end(error?: Error): void;
}

/** The messages that a node has received and not ended. */
export class PendingMessages {
  readonly #pending = new LinkedList<(error: Error) => void>();
  #onEmpty = (): void => {};

  get count(): number {
    return this.#pending.size;
  }

  /** @param onEnd called once */
  add(onEnd: (error?: Error) => void): PendingMessage {
    let hasEnded = false;
    const end = (error?: Error): void => {
      if (hasEnded) return;
      hasEnded = true;
      item.remove();
      onEnd(error);
      if (this.count === 0) this.#onEmpty();
    };
    const item = this.#pending.add(end);
    return {
      get hasEnded() {
        return hasEnded;
      },
      end,
    };
  }

  /** Calls back when all messages have ended; after a moment, it ends the others with `ION_CLOSED`. */
  close(onClosed: () => void): void {
    if (this.count === 0) {
      onClosed();
      return;
    }
    // A message that waits for work without a signal, such as a context store, would never end.
    const timer = setTimeout(() => {
      for (let end = this.#pending.shift(); end; end = this.#pending.shift()) end(closedError());
    }, CLOSE_GRACE_MS);
    this.#onEmpty = () => {
      clearTimeout(timer);
      onClosed();
    };
  }
}
