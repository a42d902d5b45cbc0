import { type IonError, toIonError } from '../client/errors.js';
import { CoalescedRunner } from './coalesced-runner.js';
import type { RetryDelay } from './retry-delay.js';
import { END } from './store/keys.js';
import type { PartitionHead } from './store/store.js';

interface Settings {
  /** The first partition after another one that holds an entry. */
  partitionAfter(partition: string): Promise<PartitionHead | undefined>;
  /** Whether nothing may be delivered from a partition now. */
  isBlocked(head: PartitionHead): boolean;
  /** Partitions that may be delivered from at once; 0 for none now. */
  maxBusy(): number;
  /** Delivers some entries of a partition. */
  deliverFrom(partition: string): Promise<void>;
  /** The work in a partition failed, such as by the disk. */
  onFailure(partition: string, error: IonError): void;
  /** The work in a partition ended. */
  onIdle(): void;
  /** Before the next search, if the disk failed. */
  delayMs: RetryDelay;
}

/** Decides which partition is delivered from next: one after the other, several at once. */
export class Scheduler {
  readonly #settings: Settings;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #search: CoalescedRunner;
  /** The partition that had its turn last. */
  #cursor = '';

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#search = new CoalescedRunner({
      job: () => this.#startNext(),
      canRun: () => this.#hasRoom(),
      delayAfter: settings.delayMs,
    });
  }

  /** Starts work in further partitions, as many as may be busy. */
  run(): void {
    this.#search.run();
  }

  /** Delivers from a partition at once, even if others have to wait, unless it is busy. */
  start(partition: string): void {
    if (this.#busy.has(partition)) return;
    void this.occupy(partition, () => this.#settings.deliverFrom(partition));
  }

  /** Resolves when the present work in a partition has ended; `undefined` if there is none. */
  busy(partition: string): Promise<void> | undefined {
    return this.#busy.get(partition);
  }

  /** Does other work in a partition that is not busy. A failure goes to `onFailure`. */
  occupy(partition: string, work: () => Promise<void>): Promise<void> {
    const working = work()
      .catch((thrown) => this.#settings.onFailure(partition, toIonError(thrown)))
      .finally(() => {
        this.#busy.delete(partition);
        this.#settings.onIdle();
        this.run();
      });
    this.#busy.set(partition, working);
    return working;
  }

  /** Starts nothing more, and resolves when all work has ended. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#search.close(), ...this.#busy.values()]);
  }

  #hasRoom(): boolean {
    return this.#busy.size < this.#settings.maxBusy();
  }

  async #startNext(): Promise<void> {
    while (this.#hasRoom()) {
      const partition = await this.#next();
      if (partition === undefined || !this.#hasRoom()) return;
      this.#cursor = partition;
      this.start(partition);
    }
  }

  /** The next partition in the round that is neither busy nor blocked. */
  async #next(): Promise<string | undefined> {
    const { partitionAfter, isBlocked } = this.#settings;
    const begin = this.#cursor;
    const rounds = [
      { after: begin, upTo: END },
      { after: '', upTo: begin },
    ];
    for (const { after, upTo } of rounds) {
      let head = await partitionAfter(after);
      while (head && head.partition <= upTo) {
        if (!this.#busy.has(head.partition) && !isBlocked(head)) return head.partition;
        head = await partitionAfter(head.partition);
      }
    }
    return undefined;
  }
}
