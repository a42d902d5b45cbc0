import { join } from 'node:path';
import { Database } from '../../storage/database.js';
import { makeFolders, refuseLinks } from '../../storage/folder.js';
import { GroupCommit, type Urgency } from '../../storage/group-commit.js';
import { loadLevel } from '../../storage/load-level.js';
import type { Level, LockWait } from '../../storage/open-level.js';
import type { Place } from '../../storage/owner.js';
import { storeError } from '../../storage/store-error.js';
import { Batch, type Encoded } from './batch.js';
import { Counters, type Counts, type OutboxLimits, parseCounts, sumOf } from './counters.js';
import { DeliveredEntries } from './delivered-entries.js';
import type { Entry, RejectedEntry, Stored } from './entries.js';
import { encode } from './entry-codec.js';
import { EntryFiles, FILES } from './entry-files.js';
import { EntryReader, type IsKnown } from './entry-reader.js';
import { readExpired, readNextExpiry } from './expiry-index.js';
import {
  END,
  META,
  PENDING,
  partitionOfKey,
  pendingKey,
  REJECTED,
  rejectedKey,
  sequenceOf,
  UNRESOLVED,
  unresolvedKey,
} from './keys.js';
import { type IndexQuery, mayBeGone, readIndex } from './latest-index.js';
import { OldestEntry } from './oldest-entry.js';
import { OUTBOX } from './outbox-folder.js';
import { recount } from './recount.js';

/** Name of the database in the folder of an outbox. */
const DATABASE = 'entries';

export interface StoreOptions {
  /** Called after a repair with the number of entries that were lost. */
  onRepaired?: ((lost: number) => void) | undefined;
  /** A folder above it, below which all belongs to outboxes; by default only the folder itself does. */
  within?: string | undefined;
  /** The waiting while another process has it open; by default for 5 s. */
  wait?: LockWait | undefined;
}

/** A partition with the number of its first entry that is not delivered. */
export interface PartitionHead {
  partition: string;
  sequence: number;
}

interface Arrival {
  /** The bytes of the file of the entry. */
  content?: AsyncIterable<Uint8Array> | undefined;
  /** Gets the number of the entry, synchronously. */
  onSequence?: (sequence: number) => void;
}

interface Change extends IndexQuery {
  apply(batch: Batch): void;
}

/** Entries on the disk (LevelDB): an entry that was accepted is there after a power loss. */
export class OutboxStore {
  readonly #files: EntryFiles;
  readonly #counters: Counters;
  readonly #reader: EntryReader;
  readonly #database: Database;
  readonly #commit: GroupCommit<Change>;
  readonly #delivered = new DeliveredEntries();
  /** For monitoring. */
  readonly oldest = new OldestEntry(this);

  private constructor(
    files: EntryFiles,
    counters: Counters,
    reader: EntryReader,
    database: Database,
  ) {
    this.#files = files;
    this.#counters = counters;
    this.#reader = reader;
    this.#database = database;
    this.#commit = new GroupCommit<Change>({
      write: (changes, isSynced) => this.#write(changes, isSynced),
      isBroken: () => database.isBroken,
    });
  }

  /**
   * Opens the outbox in a folder, or makes it.
   * @param isKnown entries for which it returns false are handled as unreadable
   * @throws IonError `ION_OVERLOADED` if another process has it open, or for another failure that
   * may pass; `ION_CONFIG` if it cannot be used, or if a link is in the place of a folder
   */
  static async open(
    folder: string,
    limits: OutboxLimits,
    { onRepaired = () => {}, within, wait }: StoreOptions = {},
    isKnown: IsKnown = () => true,
  ): Promise<OutboxStore> {
    const place: Place = { folder, owner: OUTBOX };
    // First, so that without LevelDB no empty folder is left.
    await loadLevel(OUTBOX);
    try {
      await makeFolders(place, [FILES, DATABASE], within);
      await refuseLinks({ folder: join(folder, DATABASE), owner: OUTBOX });
    } catch (cause) {
      throw storeError(place, cause);
    }
    const files = new EntryFiles(folder);
    const counters = new Counters(limits);
    const reader = new EntryReader(files, isKnown);
    const onOpened = async (level: Level, isRepaired: boolean) => {
      const found = await level.get(META);
      const stored = parseCounts(found);
      if (stored && !isRepaired) {
        counters.load(stored);
        return;
      }
      const counted = await recount(level, reader);
      const known = stored ?? { ...counters.counts, sequence: 1 };
      const lost = sumOf(known) - sumOf(counted);
      counters.load({ ...counted, sequence: Math.max(counted.sequence, known.sequence) });
      if (found || isRepaired) onRepaired(Math.max(0, lost));
    };
    const database = await Database.open({ place, name: DATABASE, wait, onOpened });
    const removeLost = () => database.read((level) => files.removeLost(() => level.keys()));
    try {
      // Damage that shows at the first read is repaired before the second one.
      await removeLost().catch((thrown) => {
        if (!database.isBroken) throw thrown;
        return removeLost();
      });
      return new OutboxStore(files, counters, reader, database);
    } catch (thrown) {
      // Or it would stay locked until the process ends.
      await database.close();
      throw thrown;
    }
  }

  /** Number of pending entries. */
  get pending(): number {
    return Math.max(0, this.#counters.counts.pending - this.#delivered.count);
  }

  /** Number of rejected entries. */
  get rejected(): number {
    return this.#counters.counts.rejected;
  }

  get lastSequence(): number {
    return this.#counters.lastSequence;
  }

  /** Path of the file that belongs to an entry. */
  filePathOf(sequence: number): string {
    return this.#files.pathOf(sequence);
  }

  /**
   * Adds a pending entry. When it resolves, the entry is safe from a power loss.
   * @param partition `undefined` if it has to be looked up before the entry can be delivered
   * @throws NotStorableError; IonError `ION_OVERLOADED` at the limits or if the disk is full
   */
  async add(
    entry: Entry,
    partition: string | undefined,
    { content, onSequence }: Arrival = {},
  ): Promise<Stored> {
    const value = encode(entry);
    const bytes = value.length + (entry.fileSize ?? 0);
    this.#counters.reserve(bytes);
    const sequence = this.#counters.nextSequence();
    onSequence?.(sequence);
    const key = keyOf(partition, sequence);
    const { replaces, keepUntil } = entry;
    try {
      if (content) await this.#files.write(sequence, content);
      const apply = (batch: Batch) => batch.add({ key, value, bytes, keepUntil }, replaces);
      await this.#commit.add({ target: replaces, apply }, 'synced');
    } finally {
      this.#counters.release(bytes);
    }
    return { key, sequence, entry, bytes };
  }

  /** The first partition after another one that holds an entry; they come in no special order. */
  partitionAfter(partition: string): Promise<PartitionHead | undefined> {
    const range = { gt: partition === '' ? PENDING : partition + END, lt: PENDING + END };
    return this.#database.read(async (level) => {
      for await (const key of level.keys(range)) {
        if (this.#isDelivered(key)) continue;
        return { partition: partitionOfKey(key), sequence: sequenceOf(key) };
      }
      return undefined;
    });
  }

  /** The first entries of a partition. */
  first(partition: string, limit: number): Promise<Stored[]> {
    return this.#database.read((level) => {
      // The snapshot that is read still holds them, even if they are removed during the read.
      const after = pendingKey(partition, this.#delivered.upTo(partition));
      return this.#reader.read(level, partition, limit, after);
    });
  }

  /** The first entries whose order key has to be looked up. */
  firstUnresolved(limit: number): Promise<Stored[]> {
    return this.#database.read((level) => this.#reader.read(level, UNRESOLVED, limit));
  }

  /** Rejected entries after a number, the oldest first. */
  firstRejected(limit: number, after = 0): Promise<Stored<RejectedEntry>[]> {
    return this.#database.read((level) =>
      this.#reader.read<RejectedEntry>(level, REJECTED, limit, rejectedKey(after)),
    );
  }

  /** Whether a pending entry is still in its place. */
  async has({ key }: Pick<Stored, 'key' | 'sequence'>): Promise<boolean> {
    if (this.#isDelivered(key)) return false;
    return this.#database.read((level) => level.has(key));
  }

  /**
   * Pending entries that have expired.
   * @param now in ms since 1970
   */
  async firstExpired(now: number, limit: number): Promise<Stored[]> {
    const { entries, wrong } = await this.#database.read((level) =>
      readExpired(level, this.#reader, { now, limit }, (key) => this.#isDelivered(key)),
    );
    if (wrong.length > 0) {
      // An entry that could not be read was removed without its time.
      await this.#commit.add({ apply: (batch) => batch.forgetExpiries(wrong) }, 'now');
    }
    return entries;
  }

  /** The time at which the next entry expires, in ms since 1970. */
  nextExpiry(): Promise<number | undefined> {
    return this.#database.read(readNextExpiry);
  }

  /** Moves an unresolved entry into its partition. */
  resolve(stored: Stored, partition: string): Promise<void> {
    const to = encoded(pendingKey(partition, stored.sequence), stored.entry);
    return this.#change(stored, 'now', (batch) => batch.move(stored, to));
  }

  /**
   * Stores what has become known of a pending entry, unless a newer one has taken its place.
   * @param urgency `now` if a power loss may undo it
   */
  async update(stored: Stored, urgency: 'synced' | 'now' = 'synced'): Promise<void> {
    const entry = encoded(stored.key, stored.entry);
    let existed = false;
    await this.#change(stored, urgency, (batch) => {
      existed = batch.update(stored, entry);
    });
    if (existed) stored.bytes = entry.bytes;
  }

  /**
   * Removes a delivered entry: for readers at once, on the disk with the next change to it. If the
   * disk fails, the removal is tried until it succeeds, in the order of deliveries.
   */
  async remove(stored: Stored): Promise<void> {
    this.#delivered.add(stored);
    await this.#change(stored, 'later', (batch) => void batch.remove(stored));
    this.#delivered.delete(stored.key);
    await this.#files.remove(stored);
  }

  /**
   * Removes a pending entry that is not delivered.
   * @returns false if a newer one had taken its place
   */
  async drop(stored: Stored): Promise<boolean> {
    let existed = false;
    await this.#change(stored, 'synced', (batch) => {
      existed = batch.remove(stored);
    });
    await this.#files.remove(stored);
    return existed;
  }

  /**
   * Turns a pending entry into a rejected one.
   * @param givenUpAt in ms since 1970
   * @returns false if a newer one had taken its place
   */
  async reject(
    stored: Stored,
    { code, message }: RejectedEntry['error'],
    givenUpAt: number,
  ): Promise<boolean> {
    const { replaces, ...entry } = stored.entry;
    const rejected: RejectedEntry = { ...entry, error: { code, message }, givenUpAt };
    const value = stored.unreadable ?? encode(rejected);
    let existed = false;
    await this.#change(stored, 'synced', (batch) => {
      existed = batch.reject(stored, value);
    });
    return existed;
  }

  /**
   * Turns a rejected entry into the last pending one.
   * @param entry the entry that will be delivered
   * @param partition `undefined` if it has to be looked up before the entry can be delivered
   * @param onSequence gets its new number, synchronously
   */
  async restore(
    stored: Stored<RejectedEntry>,
    entry: Entry,
    partition: string | undefined,
    onSequence: (sequence: number) => void,
  ): Promise<void> {
    const sequence = this.#counters.nextSequence();
    onSequence(sequence);
    if (entry.fileSize !== undefined) await this.#files.share(stored.sequence, sequence);
    const pending = encoded(keyOf(partition, sequence), entry);
    await this.#commit.add({ apply: (batch) => batch.restore(stored, pending) }, 'synced');
    await this.#files.remove(stored);
  }

  /** Removes a rejected entry. */
  async discard(stored: Stored<RejectedEntry>): Promise<void> {
    await this.#commit.add({ apply: (batch) => batch.discard(stored) }, 'synced');
    await this.#files.remove(stored);
  }

  /** Resolves when all changes are on the disk. */
  async close(): Promise<void> {
    await this.#commit.close();
    await this.#database.close();
  }

  /** Whether an entry is delivered, but not yet removed from the disk. */
  #isDelivered(key: string): boolean {
    return sequenceOf(key) <= this.#delivered.upTo(partitionOfKey(key));
  }

  /** Changes a pending entry, which may be gone. */
  #change(stored: Stored, urgency: Urgency, apply: (batch: Batch) => void): Promise<void> {
    const key = mayBeGone(stored) ? stored.key : undefined;
    return this.#commit.add({ target: stored.entry.replaces, key, apply }, urgency);
  }

  async #write(changes: readonly Change[], isSynced: boolean): Promise<void> {
    let counts: Counts = this.#counters.counts;
    let replaced: readonly string[] = [];
    await this.#database.write(async (level) => {
      const batch = new Batch(this.#counters.counts, await readIndex(level, changes));
      for (const { apply } of changes) apply(batch);
      counts = batch.counts;
      replaced = batch.replaced;
      batch.put(META, this.#counters.encoded(counts));
      return batch.operations;
    }, isSynced);
    this.#counters.commit(counts);
    for (const key of replaced) this.#delivered.delete(key);
  }
}

function keyOf(partition: string | undefined, sequence: number): string {
  return partition === undefined ? unresolvedKey(sequence) : pendingKey(partition, sequence);
}

function encoded(key: string, entry: Entry): Encoded {
  const value = encode(entry);
  const bytes = value.length + (entry.fileSize ?? 0);
  return { key, value, bytes, keepUntil: entry.keepUntil };
}
