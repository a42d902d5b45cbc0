import { closedError, IonError, toIonError } from '../client/errors.js';
import { addAbortListener } from '../client/support/abort-listeners.js';
import type { Outbox } from '../outbox/outbox.js';
import type { LockWait } from '../storage/open-level.js';

interface Settings {
  open(wait: LockWait): Promise<Outbox>;
  /** The number of messages that may wait while another process uses the outbox. */
  queueLimit(): number;
  /** Called when another process uses the outbox, and with `undefined` when that ends. */
  onHeld(error: IonError | undefined): void;
}

/**
 * Opens an outbox once for all callers. They wait while another process uses it, such as the previous
 * Node-RED.
 */
export class OutboxOpening {
  readonly #settings: Settings;
  readonly #closing = new AbortController();
  /** Callbacks of the waiting callers. */
  readonly #waiting = new Set<(held: IonError) => void>();
  #opening: Promise<Outbox> | undefined;
  #opened: Outbox | undefined;
  #held: IonError | undefined;
  /** Why the last attempt failed. */
  #failure: IonError | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get opened(): Outbox | undefined {
    return this.#opened;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Why it is not open: another process uses it, or the last attempt failed. */
  get problem(): IonError | undefined {
    return this.#held ?? this.#failure;
  }

  /**
   * @param patienceMs how long to wait while another process uses the outbox; a caller with `Infinity`
   * does not count as waiting
   * @throws IonError `ION_OVERLOADED` after that time, or if too many callers wait; `ION_CLOSED` if the
   * signal aborts or the outbox closes; otherwise the reason why it cannot be opened
   */
  async outbox(patienceMs: number, signal?: AbortSignal): Promise<Outbox> {
    if (this.#opened) return this.#opened;
    if (this.#closing.signal.aborted || signal?.aborted) throw closedError();
    const count = this.#waiting.size;
    if (this.#held && patienceMs > 0 && count >= this.#settings.queueLimit()) {
      throw stillHeldError(this.#held, `${count} messages are already queued for it.`);
    }
    this.#opening ??= this.#open();
    return this.#waitFor(this.#opening, patienceMs, signal);
  }

  /** Ends all waiting. */
  async close(): Promise<Outbox | undefined> {
    this.#closing.abort();
    return this.#opening?.catch(() => undefined);
  }

  #open(): Promise<Outbox> {
    const opening = this.#settings.open({
      signal: this.#closing.signal,
      onHeld: (held) => {
        this.#held = held;
        for (const notify of this.#waiting) notify(held);
        this.#settings.onHeld(held);
      },
    });
    const end = (opened?: Outbox) => {
      this.#opened = opened;
      if (opened) this.#failure = undefined;
      // The next message opens it again.
      if (!opened) this.#opening = undefined;
      if (!this.#held) return;
      this.#held = undefined;
      this.#settings.onHeld(undefined);
    };
    opening.then(end, (thrown) => {
      this.#failure = toIonError(thrown);
      end();
    });
    return opening;
  }

  #waitFor(opening: Promise<Outbox>, patienceMs: number, signal?: AbortSignal): Promise<Outbox> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const fail = (error: unknown) => {
        leave();
        reject(error);
      };
      const notify = (held: IonError) => {
        if (patienceMs === 0) {
          fail(held);
          return;
        }
        const text = `This message waited ${patienceMs / 1000} s for it.`;
        timer = setTimeout(() => fail(stillHeldError(held, text)), patienceMs);
      };
      const stopListening = signal && addAbortListener(signal, () => fail(closedError()));
      const leave = () => {
        clearTimeout(timer);
        stopListening?.();
        this.#waiting.delete(notify);
      };
      opening.then((outbox) => {
        leave();
        resolve(outbox);
      }, fail);
      if (!Number.isFinite(patienceMs)) return;
      this.#waiting.add(notify);
      if (this.#held) notify(this.#held);
    });
  }
}

function stillHeldError({ code, message, cause }: IonError, why: string): IonError {
  const text = `${message} ${why} Send it again later.`;
  return new IonError(code, text, { cause, transient: true });
}
