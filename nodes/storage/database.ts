import { join } from 'node:path';
import { ENCODINGS, type Level, type LockWait, openLevel } from './open-level.js';
import type { Place } from './owner.js';
import { levelCode, storeError } from './store-error.js';

export type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

interface Settings {
  /** Named in errors. */
  place: Place;
  /** Folder of the database, in that of the place. */
  name: string;
  wait?: LockWait | undefined;
  /** Reads from the database after each opening, before anybody else does. */
  onOpened(level: Level, isRepaired: boolean): Promise<void>;
}

/** A LevelDB database: it is reopened after a failed write, and repaired if damaged. */
export class Database {
  readonly #settings: Settings;
  #level: Level;
  #isBroken = false;
  /** Damage shows only when something is read. */
  #isDamaged = false;
  #reopening: Promise<void> | undefined;

  private constructor(settings: Settings, level: Level) {
    this.#settings = settings;
    this.#level = level;
  }

  /** @throws IonError see `openLevel` and `storeError` */
  static async open(settings: Settings): Promise<Database> {
    const { place, wait } = settings;
    const { level, isRepaired } = await openLevel(place, locationOf(settings), false, wait);
    const database = new Database(settings, level);
    try {
      await database.#begin(isRepaired);
      return database;
    } catch (thrown) {
      // Or it would stay locked until the process ends.
      await database.#level.close();
      throw storeError(place, thrown);
    }
  }

  /** Whether the last write failed, or a read met damage. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** @throws IonError see `storeError` */
  async read<Result>(work: (level: Level) => Promise<Result>): Promise<Result> {
    try {
      if (this.#isBroken) await this.#reopen();
      return await work(this.#level);
    } catch (thrown) {
      this.#markDamaged(thrown);
      throw storeError(this.#settings.place, thrown);
    }
  }

  /**
   * @param prepare reads what the operations depend on
   * @param sync whether they are safe from a power loss when the promise resolves
   * @throws IonError see `storeError`
   */
  async write(prepare: (level: Level) => Promise<Operation[]>, sync: boolean): Promise<void> {
    try {
      if (this.#isBroken) await this.#reopen();
      const operations = await prepare(this.#level);
      await this.#level.batch(operations, { ...ENCODINGS, sync });
    } catch (thrown) {
      // Never append after a partial write; reopening repairs the log.
      this.#isBroken = true;
      this.#markDamaged(thrown);
      throw storeError(this.#settings.place, thrown);
    }
  }

  async close(): Promise<void> {
    await this.#reopening?.catch(() => {});
    await this.#level.close();
  }

  async #begin(isRepaired: boolean): Promise<void> {
    try {
      await this.#settings.onOpened(this.#level, isRepaired);
    } catch (thrown) {
      this.#markDamaged(thrown);
      if (!this.#isDamaged) throw thrown;
      await this.#reopen();
    }
  }

  #markDamaged(thrown: unknown): void {
    if (levelCode(thrown) !== 'LEVEL_CORRUPTION') return;
    this.#isBroken = true;
    this.#isDamaged = true;
  }

  #reopen(): Promise<void> {
    this.#reopening ??= this.#openAgain().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #openAgain(): Promise<void> {
    const { place, onOpened } = this.#settings;
    await this.#level.close();
    const { level, isRepaired } = await openLevel(
      place,
      locationOf(this.#settings),
      this.#isDamaged,
    );
    this.#level = level;
    await onOpened(level, isRepaired);
    this.#isDamaged = false;
    this.#isBroken = false;
  }
}

function locationOf({ place, name }: Settings): string {
  return join(place.folder, name);
}
