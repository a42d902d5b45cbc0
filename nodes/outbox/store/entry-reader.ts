import type { Level } from '../../storage/open-level.js';
import {
  type Entry,
  isEntry,
  isRejectedEntry,
  readableAgain,
  type Stored,
  unreadableEntry,
} from './entries.js';
import { decode } from './entry-codec.js';
import type { EntryFiles } from './entry-files.js';
import { END, REJECTED, sequenceOf } from './keys.js';
import { targetOf } from './latest-index.js';

/** Whether this version understands an entry that was read from the disk. */
export type IsKnown = (entry: Entry) => boolean;

/** Entries that are read at once. */
const MAX_BYTES_READ = 8 * 1024 * 1024;

/** Reads entries from the database, with placeholders for those that cannot be read. */
export class EntryReader {
  readonly #files: EntryFiles;
  readonly #isKnown: IsKnown;

  constructor(files: EntryFiles, isKnown: IsKnown) {
    this.#files = files;
    this.#isKnown = isKnown;
  }

  /**
   * The first entries whose keys begin with a prefix.
   * @param after the key after which to begin
   */
  async read<Row extends Entry>(
    level: Level,
    prefix: string,
    limit: number,
    after = prefix,
  ): Promise<Stored<Row>[]> {
    const rows: Stored<Row>[] = [];
    let bytesRead = 0;
    const iterator = level.iterator({ gt: after, lt: prefix + END });
    try {
      while (rows.length < limit && bytesRead < MAX_BYTES_READ) {
        const found = await iterator.nextv(limit - rows.length);
        if (found.length === 0) break;
        for (const [key, value] of found) {
          bytesRead += value.length;
          rows.push(await this.toStored<Row>(level, key, value));
        }
      }
    } finally {
      await iterator.close();
    }
    return rows;
  }

  async toStored<Row extends Entry>(
    level: Level,
    key: string,
    value: Buffer,
  ): Promise<Stored<Row>> {
    const sequence = sequenceOf(key);
    const isRejected = key.startsWith(REJECTED);
    try {
      const entry = this.#decode(value) as Row;
      if (isRejected && !isRejectedEntry(entry)) Object.assign(entry, readableAgain());
      return { key, sequence, entry, bytes: value.length + (entry.fileSize ?? 0) };
    } catch (thrown) {
      const replaces = isRejected ? undefined : await targetOf(level, key);
      const fileSize = await this.#files.sizeOf(sequence);
      const entry = {
        ...unreadableEntry(thrown, replaces),
        ...(fileSize !== undefined && { fileSize }),
      };
      const bytes = value.length + (fileSize ?? 0);
      // The placeholder has all properties of a rejected entry.
      return { key, sequence, entry: entry as Entry as Row, bytes, unreadable: value };
    }
  }

  /** @throws the reason why the bytes are no entry that this version understands */
  #decode(value: Buffer): Entry {
    const entry = decode(value);
    if (isEntry(entry) && this.#isKnown(entry)) return entry;
    throw new TypeError('no write that this version knows');
  }
}
