import { constants } from 'node:fs';
import { copyFile, link, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { closedError, IonError } from '../client/errors.js';
import { isPlainObject } from '../client/support/json.js';
import {
  decode,
  type Entry,
  encode,
  type GivenUpEntry,
  readableAgain,
  type Stored,
  unreadableEntry,
} from './entries.js';
import { makeFolders, refuseLinks, removeFile } from './folder.js';
import {
  END,
  GIVEN_UP,
  givenUpKey,
  keyIn,
  laneOfKey,
  latestKey,
  META,
  sequenceOf,
  UNROUTED,
  unroutedKey,
  WAITING,
  waitingKey,
} from './keys.js';
import { loadLevel } from './load-level.js';
import { ENCODINGS, type Level, type LockWait, openLevel } from './open-level.js';
import { isNoFolderSync, isNoHardLink, levelCode, storeError } from './store-error.js';

export interface OutboxLimits {
  /** Entries, waiting and given up. */
  entries: number;
  /** In the store and in files, in bytes. */
  bytes: number;
}

export interface StoreOptions {
  /** Hears that a damaged one was repaired, and how many entries were lost. */
  onRepaired?: ((lost: number) => void) | undefined;
  /** A folder above it, below which all belongs to outboxes; without one, only it does. */
  within?: string | undefined;
  /** How to wait for another process that has it open; without it, for 5 s. */
  wait?: LockWait | undefined;
}

/** Kept with every change, so that nobody has to count. */
interface Meta {
  /** Of the next entry. */
  sequence: number;
  waiting: number;
  givenUp: number;
  bytes: number;
}

/** The entry that holds the latest value of something. */
interface Latest {
  key: string;
  bytes: number;
}

interface Change {
  /** `synced`: has to be on the disk before anybody is told. */
  urgency: 'synced' | 'now' | 'soon';
  /** What the entry replaces, or may have been replaced by. */
  replaces: string | undefined;
  /** The key of the entry, where it may have been replaced. */
  key: string | undefined;
  apply(batch: Batch): void;
  resolve(): void;
  reject(error: unknown): void;
}

type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** What one write to the disk consists of. */
interface Batch {
  operations: Operation[];
  meta: Meta;
  latest: Map<string, Latest | undefined>;
  /** Keys, among those of `latest` and of the changes, under which there is an entry. */
  present: Set<string>;
}

const EMPTY: Meta = { sequence: 1, waiting: 0, givenUp: 0, bytes: 0 };
/** Changes that share one write to the disk. */
const MOST_IN_BATCH = 1000;
/** Deliveries that share one write to the disk; a crash in between delivers them again. */
const REMOVAL_DELAY_MS = 20;
/** Before the next try of a disk that failed. */
const BROKEN_DELAY_MS = 1000;
/** Of entries that are worked on at once. */
const MOST_BYTES_READ = 8 * 1024 * 1024;
/** Folders within that of an outbox: the database, and the files of its entries. */
const ENTRIES = 'entries';
const FILES = 'files';
/** The file of an entry has the entry's number as its name. */
const NUMBER = /^[1-9]\d{0,15}$/;

/** Entries on disk (LevelDB): whoever was told that one is in finds it there after a power loss. */
export class OutboxStore {
  readonly #folder: string;
  readonly #limits: OutboxLimits;
  readonly #files: string;
  readonly #onRepaired: (lost: number) => void;
  #level: Level;
  #meta: Meta = EMPTY;
  #changes: Change[] = [];
  /** Those among them that somebody waits for. */
  #urgent = 0;
  /** Lanes in which entries are delivered, but still in the store: how many, and up to which one. */
  readonly #delivered = new Map<string, { count: number; upTo: number }>();
  #stillThere = 0;
  #removalTimer: NodeJS.Timeout | undefined;
  #committing: Promise<void> | undefined;
  /** Entries and bytes on their way into the store. */
  #incoming = { entries: 0, bytes: 0 };
  #isBroken = false;
  /** What lies on the disk is damaged, which shows only when it is read. */
  #isDamaged = false;
  #reopening: Promise<void> | undefined;
  #isClosed = false;

  private constructor(
    folder: string,
    limits: OutboxLimits,
    level: Level,
    onRepaired: (lost: number) => void,
  ) {
    this.#onRepaired = onRepaired;
    this.#folder = folder;
    this.#files = join(folder, FILES);
    this.#limits = limits;
    this.#level = level;
  }

  /**
   * Opens what is in a folder, or makes it.
   * @throws IonError `ION_OVERLOADED` where another process has it open, or what else may pass;
   * `ION_CONFIG` where it cannot be used, or a link is in the place of a folder
   */
  static async open(
    folder: string,
    limits: OutboxLimits,
    { onRepaired = () => {}, within, wait }: StoreOptions = {},
  ): Promise<OutboxStore> {
    // Without it, no folder is left that nothing can be in.
    await loadLevel();
    try {
      await makeFolders(folder, [FILES, ENTRIES], within);
      await refuseLinks(join(folder, ENTRIES));
    } catch (cause) {
      throw storeError(folder, cause);
    }
    const { level, isRepaired } = await openLevel(folder, join(folder, ENTRIES), false, wait);
    const store = new OutboxStore(folder, limits, level, onRepaired);
    try {
      await store.#begin(isRepaired);
      return store;
    } catch (thrown) {
      // Else it would stay locked until the process ends.
      await store.#level.close();
      throw storeError(folder, thrown);
    }
  }

  get waiting(): number {
    return Math.max(0, this.#meta.waiting - this.#stillThere);
  }

  get lastSequence(): number {
    return this.#meta.sequence - 1;
  }

  get givenUp(): number {
    return this.#meta.givenUp;
  }

  /** Where the bytes of a file lie that belongs to an entry. */
  fileOf(sequence: number): string {
    return join(this.#files, String(sequence));
  }

  /**
   * Takes an entry in. When it resolves, the entry is on the disk.
   * @param run undefined where it has to be looked up before the entry can be delivered
   * @param keepFile writes the file of the entry to a path and syncs it
   * @param noted hears its number at once
   * @throws IonError `ION_OVERLOADED` at the limits or where the disk is full
   */
  async add(
    entry: Entry,
    run: string | undefined,
    keepFile?: (path: string) => Promise<void>,
    noted?: (sequence: number) => void,
  ): Promise<Stored> {
    const value = encode(entry);
    const bytes = value.length + (entry.fileSize ?? 0);
    this.#checkLimits(bytes);
    const sequence = this.#nextSequence();
    noted?.(sequence);
    const key = run === undefined ? unroutedKey(sequence) : waitingKey(run, sequence);
    this.#incoming.entries++;
    this.#incoming.bytes += bytes;
    try {
      if (keepFile) await this.#keep(sequence, keepFile);
      await this.#change('synced', entry.replaces, (batch) => {
        const older = entry.replaces && batch.latest.get(entry.replaces);
        if (older && batch.present.has(older.key)) remove(batch, older.key, older.bytes);
        batch.present.add(key);
        if (entry.replaces) point(batch, entry.replaces, { key, bytes });
        batch.operations.push({ type: 'put', key, value });
        batch.meta.waiting++;
        batch.meta.bytes += bytes;
      });
    } finally {
      this.#incoming.entries--;
      this.#incoming.bytes -= bytes;
    }
    return { key, sequence, entry, bytes };
  }

  /** The first lane behind another one in which something waits; lanes come in no special order. */
  async laneAfter(lane: string): Promise<string | undefined> {
    if (this.#isBroken) await this.#reopen();
    const range = { gt: lane === '' ? WAITING : lane + END, lt: WAITING + END };
    try {
      for await (const key of this.#level.keys(range)) {
        const found = laneOfKey(key);
        if (sequenceOf(key) > this.#deliveredIn(found)) return found;
      }
    } catch (thrown) {
      this.#noteDamage(thrown);
      throw storeError(this.#folder, thrown);
    }
    return undefined;
  }

  /** The first entries of a lane. */
  first(lane: string, limit: number): Promise<Stored[]> {
    // As it is when the snapshot is taken, which still holds what is removed meanwhile.
    return this.#read<Entry>(lane, limit, keyIn(lane, this.#deliveredIn(lane)));
  }

  /** The first entries whose run is not known yet. */
  unrouted(limit: number): Promise<Stored[]> {
    return this.#read<Entry>(UNROUTED, limit);
  }

  /** The entries that ION refused for good, the oldest first, behind a number. */
  refused(limit: number, after = 0): Promise<Stored<GivenUpEntry>[]> {
    return this.#read<GivenUpEntry>(GIVEN_UP, limit, givenUpKey(after));
  }

  /** Puts an entry among those of its run. */
  async route(stored: Stored, run: string): Promise<void> {
    const key = waitingKey(run, stored.sequence);
    const { replaces, fileSize = 0 } = stored.entry;
    const value = encode(stored.entry);
    const bytes = value.length + fileSize;
    await this.#change('now', stored, (batch) => {
      if (isReplaced(batch, stored)) return;
      batch.present.delete(stored.key);
      batch.present.add(key);
      batch.operations.push({ type: 'del', key: stored.key }, { type: 'put', key, value });
      batch.meta.bytes += bytes - stored.bytes;
      if (replaces) point(batch, replaces, { key, bytes });
    });
  }

  /** Keeps what has become known of an entry. */
  async update(stored: Stored): Promise<void> {
    const { key, entry } = stored;
    const value = encode(entry);
    const bytes = value.length + (entry.fileSize ?? 0);
    await this.#change('synced', undefined, (batch) => {
      batch.operations.push({ type: 'put', key, value });
      batch.meta.bytes += bytes - stored.bytes;
    });
    stored.bytes = bytes;
  }

  /**
   * Takes an entry out that has been delivered: for readers at once, on the disk with the next
   * change to it. Where the disk fails, it is tried until it succeeds, in the same order.
   */
  async remove(stored: Stored): Promise<void> {
    const lane = laneOfKey(stored.key);
    const delivered = this.#delivered.get(lane) ?? { count: 0, upTo: 0 };
    this.#delivered.set(lane, delivered);
    delivered.count++;
    delivered.upTo = stored.sequence;
    this.#stillThere++;
    await this.#change('soon', stored, (batch) => takeOut(batch, stored));
    this.#stillThere--;
    delivered.count--;
    if (delivered.count === 0) this.#delivered.delete(lane);
    await this.#dropFile(stored);
  }

  /**
   * Takes an entry out that waits, without its delivery.
   * @returns false where a newer one had taken its place
   */
  async drop(stored: Stored): Promise<boolean> {
    let wasThere = false;
    await this.#change('synced', stored, (batch) => {
      wasThere = !isReplaced(batch, stored);
      takeOut(batch, stored);
    });
    await this.#dropFile(stored);
    return wasThere;
  }

  /** Whether an entry still waits in its place. */
  has({ key }: Stored): Promise<boolean> {
    return this.#level.has(key);
  }

  /** The last one of a lane that is delivered, as its number. */
  #deliveredIn(lane: string): number {
    return this.#delivered.get(lane)?.upTo ?? 0;
  }

  /**
   * Puts an entry to those that wait for somebody's decision.
   * @returns false where a newer one had taken its place
   */
  async giveUp(
    stored: Stored,
    { code, message }: GivenUpEntry['error'],
    givenUpAt: number,
  ): Promise<boolean> {
    const { replaces, ...entry } = stored.entry;
    const error = { code, message };
    let wasThere = false;
    const value = stored.unreadable ?? encode({ ...entry, error, givenUpAt } as GivenUpEntry);
    await this.#change('synced', stored, (batch) => {
      // A newer value waits already.
      wasThere = !isReplaced(batch, stored);
      if (!wasThere) return;
      takeOut(batch, stored);
      batch.operations.push({ type: 'put', key: givenUpKey(stored.sequence), value });
      batch.meta.givenUp++;
      batch.meta.bytes += value.length + (entry.fileSize ?? 0);
    });
    return wasThere;
  }

  /**
   * Lets one that was given up wait again, behind all others.
   * @param noted hears its number at once
   */
  async restore(stored: Stored<GivenUpEntry>, noted: (sequence: number) => void): Promise<void> {
    const { error, givenUpAt, attachmentsBefore, attachment, replaces, ...entry } = stored.entry;
    const value = encode(entry);
    const bytes = value.length + (entry.fileSize ?? 0);
    const sequence = this.#nextSequence();
    noted(sequence);
    if (entry.fileSize !== undefined) {
      await this.#shareFile(stored.sequence, sequence);
    }
    await this.#change('synced', undefined, (batch) => {
      const key = unroutedKey(sequence);
      batch.operations.push({ type: 'del', key: stored.key }, { type: 'put', key, value });
      batch.meta.givenUp--;
      batch.meta.waiting++;
      batch.meta.bytes += bytes - stored.bytes;
    });
    await this.#dropFile(stored);
  }

  /** Takes one out that was given up. */
  async discard(stored: Stored<GivenUpEntry>): Promise<void> {
    await this.#change('synced', undefined, (batch) => {
      batch.operations.push({ type: 'del', key: stored.key });
      batch.meta.givenUp--;
      batch.meta.bytes -= stored.bytes;
    });
    await this.#dropFile(stored);
  }

  /** Ends when all that was asked for is on the disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#beginCommit();
    await this.#committing;
    clearTimeout(this.#removalTimer);
    await this.#reopening?.catch(() => {});
    await this.#level.close();
  }

  async #read<Row extends Entry>(
    prefix: string,
    limit: number,
    after = prefix,
  ): Promise<Stored<Row>[]> {
    if (this.#isBroken) await this.#reopen();
    const range = { gt: after, lt: prefix + END };
    const rows: Stored<Row>[] = [];
    let bytesRead = 0;
    const iterator = this.#level.iterator(range);
    try {
      while (rows.length < limit && bytesRead < MOST_BYTES_READ) {
        const found = await iterator.nextv(limit - rows.length);
        if (found.length === 0) break;
        for (const [key, value] of found) {
          bytesRead += value.length;
          rows.push(await this.#stored<Row>(key, value));
        }
      }
    } catch (thrown) {
      this.#noteDamage(thrown);
      throw storeError(this.#folder, thrown);
    } finally {
      await iterator.close();
    }
    return rows;
  }

  #checkLimits(bytes: number): void {
    const entries = this.#meta.waiting + this.#meta.givenUp + this.#incoming.entries;
    if (entries >= this.#limits.entries) {
      throw new IonError(
        'ION_OVERLOADED',
        `The outbox holds ${entries} writes, which is its limit. Send fewer, raise the limit in the ION config node, or look there for writes that were given up.`,
      );
    }
    const size = this.#meta.bytes + this.#incoming.bytes + bytes;
    if (size > this.#limits.bytes) {
      const megabytes = Math.round(this.#limits.bytes / 1024 / 1024);
      throw new IonError(
        'ION_OVERLOADED',
        `The outbox is full (${megabytes} MiB). Send less, raise the limit in the ION config node, or look there for writes that were given up.`,
      );
    }
  }

  /** Counted at once, so that the order is that in which entries came. */
  #nextSequence(): number {
    const { sequence } = this.#meta;
    this.#meta = { ...this.#meta, sequence: sequence + 1 };
    return sequence;
  }

  #change(
    urgency: Change['urgency'],
    of: string | Stored | undefined,
    apply: (batch: Batch) => void,
  ): Promise<void> {
    const stored = typeof of === 'object' ? of : undefined;
    const replaces = typeof of === 'object' ? of.entry.replaces : of;
    const key = stored && mayBeReplaced(stored) ? stored.key : undefined;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closedError();
      this.#changes.push({ urgency, replaces, key, apply, resolve, reject });
      if (urgency !== 'soon') this.#urgent++;
      if (this.#isUrgent()) this.#beginCommit();
      else this.#commitSoon();
    });
  }

  #beginCommit(): void {
    clearTimeout(this.#removalTimer);
    this.#removalTimer = undefined;
    this.#committing ??= this.#commit().finally(() => {
      this.#committing = undefined;
      if (this.#changes.length > 0) this.#commitSoon();
    });
  }

  #commitSoon(): void {
    const delay = this.#isBroken ? BROKEN_DELAY_MS : REMOVAL_DELAY_MS;
    this.#removalTimer ??= setTimeout(() => this.#beginCommit(), delay);
  }

  /** Removals alone can wait for more of them. */
  #isUrgent(): boolean {
    return (
      this.#urgent > 0 ||
      this.#changes.length >= MOST_IN_BATCH ||
      (this.#isClosed && this.#changes.length > 0)
    );
  }

  /** One write to the disk at a time; what comes meanwhile shares the next one. */
  async #commit(): Promise<void> {
    // All that this turn of the event loop brings shares a write as well.
    await new Promise(setImmediate);
    do {
      const changes = this.#changes.splice(0, MOST_IN_BATCH);
      this.#urgent -= changes.filter(({ urgency }) => urgency !== 'soon').length;
      try {
        if (this.#isBroken) await this.#reopen();
        await this.#write(changes);
        for (const { resolve } of changes) resolve();
      } catch (thrown) {
        // What is half written must not be written behind: opening it again puts it right.
        this.#isBroken = true;
        this.#noteDamage(thrown);
        const error = storeError(this.#folder, thrown);
        const isKept = ({ urgency }: Change) => urgency === 'soon' && !this.#isClosed;
        for (const change of changes) if (!isKept(change)) change.reject(error);
        // In their order: where the process ends before that, a gap would be delivered again.
        this.#changes.unshift(...changes.filter(isKept));
      }
    } while (this.#isUrgent() && !(this.#isBroken && this.#urgent === 0));
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const latest = await this.#latest(changes);
    const present = await this.#present(changes, latest);
    const batch: Batch = { operations: [], meta: { ...this.#meta }, latest, present };
    for (const { apply } of changes) apply(batch);
    // The sequence may have gone on while the batch was made.
    const { waiting, givenUp, bytes } = batch.meta;
    const meta = { ...this.#meta, waiting, givenUp, bytes };
    const value = Buffer.from(JSON.stringify(meta));
    batch.operations.push({ type: 'put', key: META, value });
    const sync = changes.some(({ urgency }) => urgency === 'synced');
    await this.#level.batch(batch.operations, { ...ENCODINGS, sync });
    this.#meta = { ...this.#meta, waiting, givenUp, bytes };
  }

  async #latest(changes: readonly Change[]): Promise<Batch['latest']> {
    const names = new Set(changes.flatMap(({ replaces }) => replaces ?? []));
    if (names.size === 0) return new Map();
    const values = await this.#level.getMany([...names].map(latestKey));
    return new Map([...names].map((name, index) => [name, latestOf(values[index])]));
  }

  async #present(changes: readonly Change[], latest: Batch['latest']): Promise<Set<string>> {
    const keys = changes.flatMap(({ key }) => key ?? []);
    for (const each of latest.values()) if (each) keys.push(each.key);
    if (keys.length === 0) return new Set();
    const found = await this.#level.hasMany(keys);
    return new Set(keys.filter((_key, index) => found[index]));
  }

  async #readMeta(isRepaired: boolean): Promise<Meta> {
    const found = await this.#level.get(META);
    const meta = metaOf(found);
    if (meta && !isRepaired) return meta;
    const counted = await this.#count();
    const known = meta ?? this.#meta;
    const lost = known.waiting + known.givenUp - counted.waiting - counted.givenUp;
    if (found || isRepaired) this.#onRepaired(Math.max(0, lost));
    return { ...counted, sequence: Math.max(counted.sequence, known.sequence) };
  }

  async #begin(isRepaired: boolean): Promise<void> {
    try {
      this.#meta = await this.#readMeta(isRepaired);
      await this.#removeLostFiles();
    } catch (thrown) {
      this.#noteDamage(thrown);
      if (!this.#isDamaged) throw thrown;
      await this.#reopen();
      await this.#removeLostFiles();
    }
  }

  /** After a repair: counts, and lets what holds a latest value be found again. */
  async #count(): Promise<Meta> {
    const meta = { ...EMPTY };
    const operations: Operation[] = [];
    const latest = new Map<string, Latest>();
    for await (const key of this.#level.keys({ gt: latestKey(''), lt: latestKey(END) })) {
      operations.push({ type: 'del', key });
    }
    for await (const [key, value] of this.#level.iterator()) {
      const isGivenUp = key.startsWith(GIVEN_UP);
      if (!isGivenUp && !key.startsWith(WAITING) && !key.startsWith(UNROUTED)) continue;
      meta[isGivenUp ? 'givenUp' : 'waiting']++;
      const { bytes, sequence, entry } = await this.#stored(key, value);
      meta.bytes += bytes;
      meta.sequence = Math.max(meta.sequence, sequence + 1);
      if (entry.replaces === undefined || isGivenUp) continue;
      const other = latest.get(entry.replaces);
      if (!other || sequenceOf(other.key) < sequence) latest.set(entry.replaces, { key, bytes });
    }
    for (const [name, value] of latest) {
      const key = latestKey(name);
      operations.push({ type: 'put', key, value: Buffer.from(JSON.stringify(value)) });
    }
    await this.#level.batch(operations, { ...ENCODINGS, sync: true });
    return meta;
  }

  async #stored<Row extends Entry>(key: string, value: Buffer): Promise<Stored<Row>> {
    const sequence = sequenceOf(key);
    try {
      const entry = decode<Row>(value);
      if (key.startsWith(GIVEN_UP) && !('error' in entry)) Object.assign(entry, readableAgain());
      return { key, sequence, entry, bytes: value.length + (entry.fileSize ?? 0) };
    } catch (thrown) {
      const isGivenUp = key.startsWith(GIVEN_UP);
      const entry = unreadableEntry(thrown, isGivenUp ? undefined : await this.#latestIn(key));
      const file = await lstat(this.fileOf(sequence)).catch(() => undefined);
      if (file?.isFile()) entry.fileSize = file.size;
      const bytes = value.length + (entry.fileSize ?? 0);
      // It has all that any entry has.
      return { key, sequence, entry: entry as Entry as Row, bytes, unreadable: value };
    }
  }

  /** What an entry holds the latest value of, where only its key is known. */
  async #latestIn(key: string): Promise<string | undefined> {
    const range = { gt: latestKey(''), lt: latestKey(END) };
    for await (const [name, value] of this.#level.iterator(range)) {
      if (latestOf(value)?.key === key) return name.slice(latestKey('').length);
    }
    return undefined;
  }

  /** Of entries that never came in, or went without their file. */
  async #removeLostFiles(): Promise<void> {
    const found = await readdir(this.#files, { withFileTypes: true });
    // Files of indexers, backups or people are not touched.
    const files = found.filter((entry) => entry.isFile() && NUMBER.test(entry.name));
    const lost = new Set(files.map(({ name }) => name));
    if (lost.size === 0) return;
    for await (const key of this.#level.keys()) lost.delete(String(sequenceOf(key)));
    // A file that stays is found at the next start.
    for (const name of lost) await removeFile(join(this.#files, name)).catch(() => {});
  }

  async #keep(sequence: number, keepFile: (path: string) => Promise<void>): Promise<void> {
    const path = this.fileOf(sequence);
    try {
      await keepFile(path);
      await syncFolder(this.#files);
    } catch (thrown) {
      await removeFile(path).catch(() => {});
      throw storeError(this.#folder, thrown);
    }
  }

  /** Gives the file of an entry a second name. */
  async #shareFile(from: number, to: number): Promise<void> {
    const [path, other] = [this.fileOf(from), this.fileOf(to)];
    try {
      await link(path, other).catch(async (thrown) => {
        if (!isNoHardLink(thrown)) throw thrown;
        await copyFile(path, other, constants.COPYFILE_EXCL);
        await syncFile(other, 'r+');
      });
    } catch (thrown) {
      // A file that is gone is told of when it is to be delivered.
      if (!isMissing(thrown)) throw storeError(this.#folder, thrown);
    }
  }

  async #dropFile({ entry, sequence }: Stored): Promise<void> {
    if (entry.fileSize === undefined) return;
    // What stays is found at the next start.
    await removeFile(this.fileOf(sequence)).catch(() => {});
  }

  #noteDamage(thrown: unknown): void {
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
    await this.#level.close();
    const location = join(this.#folder, ENTRIES);
    const { level, isRepaired } = await openLevel(this.#folder, location, this.#isDamaged);
    this.#level = level;
    const meta = await this.#readMeta(isRepaired);
    this.#isDamaged = false;
    // Numbers that were given out meanwhile are not given out again.
    this.#meta = { ...meta, sequence: Math.max(this.#meta.sequence, meta.sequence) };
    this.#isBroken = false;
  }
}

function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

function remove(batch: Batch, key: string, bytes: number): void {
  batch.present.delete(key);
  batch.operations.push({ type: 'del', key });
  batch.meta.waiting--;
  batch.meta.bytes -= bytes;
}

function point(batch: Batch, name: string, latest: Latest): void {
  batch.latest.set(name, latest);
  const value = Buffer.from(JSON.stringify(latest));
  batch.operations.push({ type: 'put', key: latestKey(name), value });
}

/** Whether a newer entry has taken the place of this one. */
function isReplaced({ present }: Batch, stored: Stored): boolean {
  return mayBeReplaced(stored) && !present.has(stored.key);
}

function mayBeReplaced({ entry, unreadable }: Stored): boolean {
  return entry.replaces !== undefined || unreadable !== undefined;
}

function takeOut(batch: Batch, stored: Stored): void {
  if (isReplaced(batch, stored)) return;
  remove(batch, stored.key, stored.bytes);
  const { replaces } = stored.entry;
  if (replaces === undefined || batch.latest.get(replaces)?.key !== stored.key) return;
  batch.latest.set(replaces, undefined);
  batch.operations.push({ type: 'del', key: latestKey(replaces) });
}

/** @returns no properties where it is damaged */
function parse<Value>(bytes: Buffer | undefined): Partial<Value> {
  try {
    const value: unknown = bytes && JSON.parse(bytes.toString('utf8'));
    return isPlainObject(value) ? (value as Partial<Value>) : {};
  } catch {
    return {};
  }
}

function metaOf(bytes: Buffer | undefined): Meta | undefined {
  const { sequence, waiting, givenUp, bytes: size } = parse<Meta>(bytes);
  const isWhole = [sequence, waiting, givenUp, size].every(Number.isSafeInteger);
  return isWhole ? ({ sequence, waiting, givenUp, bytes: size } as Meta) : undefined;
}

function latestOf(bytes: Buffer | undefined): Latest | undefined {
  const { key, bytes: size } = parse<Latest>(bytes);
  return typeof key === 'string' && Number.isSafeInteger(size)
    ? ({ key, bytes: size } as Latest)
    : undefined;
}

/** Writes what it gets to a path, and is done when it is on the disk. */
export function writing(bytes: AsyncIterable<Uint8Array>): (path: string) => Promise<void> {
  return async (path) => {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of bytes) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  };
}

/** So that the name of a new file survives a power loss. */
async function syncFolder(folder: string): Promise<void> {
  // Windows cannot, and does not need to.
  if (process.platform === 'win32') return;
  try {
    await syncFile(folder, 'r');
  } catch (thrown) {
    // Some network drives cannot either.
    if (!isNoFolderSync(thrown)) throw thrown;
  }
}

async function syncFile(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  await handle.sync().finally(() => handle.close());
}
