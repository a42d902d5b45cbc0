import { type IonError, toIonError } from '../client/errors.js';
import type { LockWait } from '../storage/open-level.js';
import type { IdKind } from './answer-index.js';
import type { AnswerStore } from './answer-store.js';
import type { Remembered } from './stored-answer.js';

/** After a failure of the disk, or while another process has the memory. */
const REST_MS = 60_000;
const MAX_WAIT_MS = 5000;
/** Outdated answers that are known while the memory is not open. Beyond, all of it is outdated. */
const MAX_OUTDATED = 10_000;
/** Ten years. */
const MAX_KEEP_MS = 10 * 365 * 24 * 60 * 60 * 1000;

export interface MemorySettings {
  /** @throws IonError see `AnswerStore.open` */
  open(wait: LockWait): Promise<AnswerStore>;
  /** Whether an earlier process left a memory. */
  isPresent(): Promise<boolean>;
  /** The memory does not work: called once for each reason. */
  onFailure(error: IonError): void;
  /** The pause after a failure; a minute by default. */
  restMs?: number | undefined;
  /** The waiting while another process, such as the previous Node-RED, has it open; 5 s by default. */
  maxWaitMs?: number | undefined;
}

/** The remembered answers, opened on first use. Look-ups also work without them, so it never throws. */
export class AnswerMemory {
  readonly #settings: MemorySettings;
  /** Ends the waiting for another process. */
  readonly #waiting = new AbortController();
  #isHeld = false;
  #isClosed = false;
  readonly #work = new Set<Promise<unknown>>();
  #opening: Promise<AnswerStore | undefined> | undefined;
  #opened: AnswerStore | undefined;
  /** On the monotonic clock, in ms. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #reported = '';
  /** Looks once for the memory of an earlier process. */
  #search: Promise<AnswerStore | undefined> | undefined;
  #isMissing = false;
  /** Keys of answers of an earlier process that must not serve, until the memory is open. */
  #outdated: Set<string> | 'all' = new Set();

  constructor(settings: MemorySettings) {
    this.#settings = settings;
  }

  /** A remembered answer, if there is one that is young enough. */
  async get(key: string, maxAgeMs: number): Promise<Remembered | undefined> {
    const remembered = await this.read(key);
    if (!remembered || Date.now() - remembered.readAt > maxAgeMs) return undefined;
    this.#opened?.use(key);
    return remembered;
  }

  /** A remembered answer of any age. */
  async read(key: string): Promise<Remembered | undefined> {
    if (!this.#opened && this.#isResting()) return undefined;
    return this.#try((store) => store.get(key));
  }

  /**
   * Remembers an answer in the background.
   * @param keepMs the time for which a node wants to remember it; 0 only replaces an older answer
   */
  put(key: string, remembered: Remembered, keepMs: number): void {
    const wanted = Math.max(0, Math.min(MAX_KEEP_MS, Math.ceil(keepMs)));
    this.#change(key, wanted, async (store) => {
      const kept = Math.max(wanted, store.keepMs(key) ?? 0);
      if (kept > 0) await store.put(remembered, kept);
    });
  }

  /** Forgets an answer in the background. */
  remove(key: string, keepMs: number): void {
    this.#change(key, keepMs, (store) => store.remove(key));
  }

  usedAt(key: string): number | undefined {
    return this.#opened?.usedAt(key);
  }

  /**
   * Keys of the answers with a step or a run.
   * @returns a promise until it is known whether an earlier process left a memory
   */
  keysOf(kind: IdKind, id: string): string[] | Promise<string[]> {
    const keysIn = (store: AnswerStore | undefined) => store?.keysOf(kind, id) ?? [];
    if (this.#opened || (this.#isMissing && !this.#opening)) return keysIn(this.#opened);
    // Like the answers that wait for the opening, so that these are known by then.
    if (this.#opening) return this.#try(async (store) => store).then(keysIn);
    return this.#present().then(keysIn);
  }

  /** Resolves when all answers are written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isHeld) this.#waiting.abort();
    await Promise.all([...this.#work, this.#search]);
    const store = await this.#opening;
    await store?.close().catch((thrown) => this.#failed(thrown));
  }

  #isResting(): boolean {
    return performance.now() < this.#restsUntil;
  }

  /** @param keepMs 0 only changes an answer that is remembered */
  #change(key: string, keepMs: number, work: (store: AnswerStore) => Promise<void>): void {
    if (!this.#opened) this.#outdate(key);
    else if (this.#isResting()) this.#opened.forget(key);
    if (this.#isResting()) return;
    const open = keepMs > 0 || this.#opening ? () => this.#store() : () => this.#present();
    const working = this.#try(work, open).finally(() => this.#work.delete(working));
    this.#work.add(working);
  }

  #outdate(key: string): void {
    if (this.#outdated === 'all' || this.#outdated.size >= MAX_OUTDATED) this.#outdated = 'all';
    else this.#outdated.add(key);
  }

  async #try<Result>(
    work: (store: AnswerStore) => Promise<Result>,
    open = () => this.#store(),
  ): Promise<Result | undefined> {
    try {
      const store = await open();
      return store && (await work(store));
    } catch (thrown) {
      this.#failed(thrown);
      return undefined;
    }
  }

  async #store(): Promise<AnswerStore | undefined> {
    if (this.#opening || this.#isClosed) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    return opening;
  }

  async #open(): Promise<AnswerStore | undefined> {
    const { open, maxWaitMs = MAX_WAIT_MS } = this.#settings;
    const onHeld = () => {
      this.#isHeld = true;
      if (this.#isClosed) this.#waiting.abort();
    };
    try {
      const opened = await open({ signal: this.#waiting.signal, maxMs: maxWaitMs, onHeld });
      if (this.#outdated === 'all') opened.forgetAll();
      else for (const key of this.#outdated) opened.forget(key);
      this.#outdated = new Set();
      this.#opened = opened;
    } catch (thrown) {
      this.#failed(thrown);
      // A later look-up opens it.
      queueMicrotask(() => {
        this.#opening = undefined;
      });
    }
    return this.#opened;
  }

  /** The memory, if an earlier process left one. */
  #present(): Promise<AnswerStore | undefined> {
    this.#search ??= this.#openIfPresent();
    return this.#search;
  }

  async #openIfPresent(): Promise<AnswerStore | undefined> {
    try {
      // Also while it closes, because an answer waits that replaces one of an earlier process.
      if (await this.#settings.isPresent()) {
        this.#opening ??= this.#open();
        return await this.#opening;
      }
      this.#isMissing = true;
    } catch (thrown) {
      this.#failed(thrown);
    }
    return undefined;
  }

  #failed(thrown: unknown): void {
    if (this.#isClosed) return;
    const { restMs = REST_MS } = this.#settings;
    this.#restsUntil = performance.now() + restMs;
    const error = toIonError(thrown, 'ION_CONFIG');
    if (error.message === this.#reported) return;
    this.#reported = error.message;
    this.#settings.onFailure(error);
  }
}
