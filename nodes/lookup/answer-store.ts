import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Database, type Operation } from '../storage/database.js';
import { isFolderIn, makeFolders, refuseLinks } from '../storage/folder.js';
import { GroupCommit } from '../storage/group-commit.js';
import { loadLevel } from '../storage/load-level.js';
import type { Level, LockWait } from '../storage/open-level.js';
import type { Owner, Place } from '../storage/owner.js';
import { storeError } from '../storage/store-error.js';
import { AnswerIndex, type IdKind, type MemoryLimits } from './answer-index.js';
import { isQueryKey, queryKey } from './query-key.js';
import {
  type AnswerFacts,
  decodeAnswer,
  encodeAnswer,
  factsOf,
  type Remembered,
  readFacts,
} from './stored-answer.js';

/** The owner that errors of the disk name. */
export const MEMORY: Owner = {
  name: 'memory of look-ups',
  advice: 'It is tried again with a later look-up.',
};

const LIMITS: MemoryLimits = { answers: 10_000, bytes: 64 * 1024 * 1024 };
/** Name of the database in the folder. */
const DATABASE = 'answers';
/** Answers that are read from the disk at once, when it is opened. */
const CHUNK = 100;
const SWEEP_MS = 60 * 60 * 1000;

export interface AnswerFolder {
  folder: string;
  /** The folder above it, below which everything belongs to look-ups. */
  within: string;
}

export interface AnswerStoreOptions extends AnswerFolder {
  wait?: LockWait | undefined;
  /** @default 10,000 answers and 64 MiB, the oldest first out */
  limits?: MemoryLimits | undefined;
}

interface Change {
  key: string;
  /** Missing for a removal. */
  value?: Buffer;
  facts?: AnswerFacts;
}

/**
 * Remembered answers on the disk (LevelDB). A write is not synced, because a power loss may take answers
 * that ION gives again; but it reaches the system at once, so that it survives the end of the process.
 */
export class AnswerStore {
  readonly #index: AnswerIndex;
  readonly #limits: MemoryLimits;
  readonly #database: Database;
  readonly #commit: GroupCommit<Change>;
  /** The last change of each key that is not yet written. */
  readonly #pending = new Map<string, Change>();
  /** Answers that no longer serve, but may still be on the disk: the time for which they were kept. */
  readonly #forgotten: Map<string, number>;
  #sweptAt = 0;

  private constructor(
    index: AnswerIndex,
    forgotten: Map<string, number>,
    limits: MemoryLimits,
    database: Database,
  ) {
    this.#index = index;
    this.#forgotten = forgotten;
    this.#limits = limits;
    this.#database = database;
    this.#commit = new GroupCommit<Change>({
      write: (changes) => this.#write(changes),
      isBroken: () => database.isBroken,
    });
  }

  /**
   * Opens the memory in a folder, or makes it.
   * @throws IonError `ION_OVERLOADED` if another process has it open, or for another failure that may
   * pass; `ION_CONFIG` if it cannot be used, or if a link is in the place of a folder
   */
  static async open(options: AnswerStoreOptions): Promise<AnswerStore> {
    const { folder, within, wait, limits = LIMITS } = options;
    const place: Place = { folder, owner: MEMORY };
    // First, so that without LevelDB no empty folder is left.
    await loadLevel(MEMORY);
    try {
      await makeFolders(place, [DATABASE], within);
      await refuseLinks({ folder: join(folder, DATABASE), owner: MEMORY });
    } catch (cause) {
      throw storeError(place, cause);
    }
    const index = new AnswerIndex();
    const forgotten = new Map<string, number>();
    const onOpened = async (level: Level) => {
      await loadIndex(level, index, limits);
      // It is also opened again after a failure, and then holds what could not be removed.
      for (const key of forgotten.keys()) index.delete(key);
    };
    const database = await Database.open({ place, name: DATABASE, wait, onOpened });
    return new AnswerStore(index, forgotten, limits, database);
  }

  /**
   * Whether a folder holds a memory.
   * @throws IonError `ION_CONFIG` for anything else in its place
   */
  static isIn({ folder, within }: AnswerFolder): Promise<boolean> {
    const place: Place = { folder, owner: MEMORY };
    return isFolderIn(place, DATABASE, within).catch((thrown) => {
      throw storeError(place, thrown);
    });
  }

  /**
   * Deletes a memory that is closed, and its folders unless they hold something else.
   * @throws IonError as `open`
   */
  static async delete(at: AnswerFolder): Promise<void> {
    if (!(await AnswerStore.isIn(at))) return;
    const { folder } = at;
    const { ClassicLevel } = await loadLevel(MEMORY);
    const location = join(folder, DATABASE);
    await refuseLinks({ folder: location, owner: MEMORY });
    try {
      // Deletes the files of LevelDB alone.
      await ClassicLevel.destroy(location);
      for (const each of [location, folder, dirname(folder)]) await rmdir(each).catch(unlessUsed);
    } catch (thrown) {
      throw storeError({ folder, owner: MEMORY }, thrown);
    }
  }

  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  /** When somebody looked up a remembered answer last, in ms since 1970. */
  usedAt(key: string): number | undefined {
    return this.#index.get(key)?.usedAt;
  }

  /** The time for which an answer is kept, in ms. */
  keepMs(key: string): number | undefined {
    return this.#index.get(key)?.keepMs ?? this.#forgotten.get(key);
  }

  use(key: string): void {
    this.#index.use(key, Date.now());
  }

  /** Does not serve an answer any more. It is removed from the disk with the next change. */
  forget(key: string): void {
    if (this.#index.get(key)) this.#forget(key);
  }

  /** Does not serve any answer any more that is there now. */
  forgetAll(): void {
    for (const key of this.#index.keys) this.forget(key);
  }

  /** Keys of the answers with this step or run. */
  keysOf(kind: IdKind, id: string): string[] {
    return this.#index.keysOf(kind, id);
  }

  /**
   * A remembered answer, which may be old. One that cannot be read is removed.
   * @throws IonError of the disk
   */
  async get(key: string): Promise<Remembered | undefined> {
    const pending = this.#pending.get(key);
    if (!pending && !this.#index.get(key)) return undefined;
    const bytes = pending ? pending.value : await this.#database.read((level) => level.get(key));
    const remembered = bytes && decodeAnswer(bytes);
    if (remembered && queryKey(remembered.query) === key) return remembered;
    if (bytes) await this.remove(key);
    return undefined;
  }

  /**
   * Remembers the newest answer. One that is too large only removes the older one.
   * @throws IonError of the disk; then nothing is remembered for the query
   */
  async put(remembered: Remembered, keepMs: number): Promise<void> {
    const key = queryKey(remembered.query);
    const facts = factsOf(remembered, keepMs);
    const value = encodeAnswer(remembered, facts);
    await this.#change(value ? { key, value, facts } : { key });
  }

  /** @throws IonError of the disk */
  async remove(key: string): Promise<void> {
    if (this.#index.get(key) || this.#pending.has(key)) await this.#change({ key });
  }

  /** Resolves when all changes are written. */
  async close(): Promise<void> {
    const [forgotten] = this.#forgotten.keys();
    if (forgotten !== undefined) await this.#change({ key: forgotten }).catch(() => {});
    await this.#commit.close();
    await this.#database.close();
  }

  async #change(change: Change): Promise<void> {
    const { key } = change;
    this.#pending.set(key, change);
    this.#apply(change);
    try {
      await this.#commit.add(change, 'now');
    } catch (thrown) {
      if (this.#pending.get(key) === change) this.#forget(key);
      throw thrown;
    } finally {
      if (this.#pending.get(key) === change) this.#pending.delete(key);
    }
  }

  #apply({ key, value, facts }: Change): void {
    if (value && facts) this.#index.set(key, facts, value.length);
    else this.#index.delete(key);
  }

  /** The answer on the disk is outdated. */
  #forget(key: string): void {
    this.#forgotten.set(key, this.keepMs(key) ?? 0);
    this.#index.delete(key);
  }

  async #write(changes: readonly Change[]): Promise<void> {
    let forgotten: [string, number][] = [];
    const writing = this.#database.write(async () => {
      forgotten = [...this.#forgotten];
      this.#forgotten.clear();
      // The database may just have been opened again, and the index loaded from it.
      for (const change of changes) this.#apply(this.#pending.get(change.key) ?? change);
      const removed = [...this.#index.beyond(this.#limits), ...this.#expired()];
      for (const key of removed) this.#index.delete(key);
      const put = changes.map(({ key, value }) => operation(key, value));
      const remove = (key: string) => operation(key);
      const outdated = forgotten.map(([key]) => remove(key));
      return [...outdated, ...put, ...removed.map(remove)];
    }, false);
    await writing.catch((thrown) => {
      for (const [key, keepMs] of forgotten) this.#forgotten.set(key, keepMs);
      throw thrown;
    });
  }

  #expired(): string[] {
    const now = Date.now();
    if (Math.abs(now - this.#sweptAt) < SWEEP_MS) return [];
    this.#sweptAt = now;
    return this.#index.expired(now);
  }
}

/** Reads which answers there are, and removes those beyond the limits and anything else. */
async function loadIndex(level: Level, index: AnswerIndex, limits: MemoryLimits): Promise<void> {
  let answers: [string, AnswerFacts, number][] = [];
  const removed: string[] = [];
  const keepNewest = () => {
    index.load(answers);
    const beyond = new Set(index.beyond(limits));
    removed.push(...beyond);
    answers = answers.filter(([key]) => !beyond.has(key));
  };
  const iterator = level.iterator();
  try {
    for (;;) {
      const found = await iterator.nextv(CHUNK);
      if (found.length === 0) break;
      for (const [key, value] of found) {
        const facts = isQueryKey(key) ? readFacts(value) : undefined;
        if (facts) answers.push([key, facts, value.length]);
        else removed.push(key);
      }
      if (answers.length > 2 * limits.answers) keepNewest();
    }
  } finally {
    await iterator.close();
  }
  keepNewest();
  index.load(answers);
  await level.batch(
    removed.map((key) => ({ type: 'del', key })),
    { keyEncoding: 'utf8', valueEncoding: 'buffer' },
  );
}

function operation(key: string, value?: Buffer): Operation {
  return value ? { type: 'put', key, value } : { type: 'del', key };
}

function unlessUsed(thrown: NodeJS.ErrnoException): void {
  if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(thrown.code ?? '')) throw thrown;
}
