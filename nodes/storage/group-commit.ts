import { closedError } from '../client/errors.js';

/**
 * - `synced`: written at once, and safe from a power loss when the promise resolves
 * - `now`: written at once; a power loss may undo it
 * - `later`: written with the next other change; nobody waits for it
 */
export type Urgency = 'synced' | 'now' | 'later';

interface Queued<Change> {
  change: Change;
  urgency: Urgency;
  resolve(): void;
  reject(error: unknown): void;
}

interface Settings<Change> {
  /** Writes changes in their order, all of them or none. */
  write(changes: readonly Change[], isSynced: boolean): Promise<void>;
  /** Whether the disk failed at the last write. */
  isBroken(): boolean;
}

/** Changes that share one write to the disk. */
const MAX_BATCH = 1000;
/** Wait for more changes that nobody waits for; a crash in between undoes them. */
const LATER_DELAY_MS = 20;
/** Before the next write to a disk that failed. */
const BROKEN_DELAY_MS = 1000;

/** Writes changes in their order, one write at a time; all that arrive during one share the next. */
export class GroupCommit<Change> {
  readonly #settings: Settings<Change>;
  #queue: Queued<Change>[] = [];
  /** Changes in the queue that somebody waits for. */
  #urgent = 0;
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> | undefined;
  #isClosed = false;

  constructor(settings: Settings<Change>) {
    this.#settings = settings;
  }

  /**
   * Resolves when the change is written. If the disk fails, a change that nobody waits for is kept
   * and tried again.
   * @throws the error of `write`; IonError `ION_CLOSED` after `close`
   */
  add(change: Change, urgency: Urgency): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closedError();
      this.#queue.push({ change, urgency, resolve, reject });
      if (urgency !== 'later') this.#urgent++;
      if (this.#isDue()) this.#commit();
      else this.#commitLater();
    });
  }

  /** Writes the rest, or rejects it if the disk fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#commit();
    await this.#committing;
    clearTimeout(this.#timer);
  }

  #commit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#committing ??= this.#commitAll().finally(() => {
      this.#committing = undefined;
      if (this.#queue.length > 0) this.#commitLater();
    });
  }

  #commitLater(): void {
    const delay = this.#settings.isBroken() ? BROKEN_DELAY_MS : LATER_DELAY_MS;
    this.#timer ??= setTimeout(() => this.#commit(), delay);
  }

  #isDue(): boolean {
    const { length } = this.#queue;
    return this.#urgent > 0 || length >= MAX_BATCH || (this.#isClosed && length > 0);
  }

  async #commitAll(): Promise<void> {
    // All changes of this turn of the event loop share a write.
    await new Promise(setImmediate);
    do {
      await this.#commitBatch(this.#queue.splice(0, MAX_BATCH));
      // After a failure, changes that nobody waits for have time until the next try.
    } while (this.#urgent > 0 || (this.#isDue() && !this.#settings.isBroken()));
  }

  async #commitBatch(batch: readonly Queued<Change>[]): Promise<void> {
    this.#urgent -= batch.filter(({ urgency }) => urgency !== 'later').length;
    try {
      const changes = batch.map(({ change }) => change);
      const isSynced = batch.some(({ urgency }) => urgency === 'synced');
      await this.#settings.write(changes, isSynced);
      for (const { resolve } of batch) resolve();
    } catch (thrown) {
      const isKept = ({ urgency }: Queued<Change>) => urgency === 'later' && !this.#isClosed;
      for (const queued of batch) if (!isKept(queued)) queued.reject(thrown);
      // In their order: after a crash, a gap in it would be delivered again.
      this.#queue.unshift(...batch.filter(isKept));
    }
  }
}
