import { constants } from 'node:fs';
import { copyFile, link, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from '../../storage/folder.js';
import type { Place } from '../../storage/owner.js';
import { isNoFolderSync, isNoHardLink, storeError } from '../../storage/store-error.js';
import type { Stored } from './entries.js';
import { sequenceOf } from './keys.js';
import { OUTBOX } from './outbox-folder.js';

/** Name of the folder of the files in the folder of an outbox. */
export const FILES = 'files';

/** The file of an entry has the entry's number as its name. */
const NUMBER = /^[1-9]\d{0,15}$/;

/** The files that belong to entries, beside the database. */
export class EntryFiles {
  readonly #place: Place;
  readonly #folder: string;

  /** @param outboxFolder named in errors; the files lie in a folder in it */
  constructor(outboxFolder: string) {
    this.#place = { folder: outboxFolder, owner: OUTBOX };
    this.#folder = join(outboxFolder, FILES);
  }

  pathOf(sequence: number): string {
    return join(this.#folder, String(sequence));
  }

  /** @returns bytes; `undefined` if there is no file */
  async sizeOf(sequence: number): Promise<number | undefined> {
    const found = await lstat(this.pathOf(sequence)).catch(() => undefined);
    return found?.isFile() ? found.size : undefined;
  }

  /**
   * Writes the file of an entry. When it resolves, the file is safe from a power loss.
   * @throws IonError see `storeError`; then there is no file
   */
  async write(sequence: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.pathOf(sequence);
    try {
      await writeSynced(path, content);
      await syncFolder(this.#folder);
    } catch (thrown) {
      await removeFile(path).catch(() => {});
      throw storeError(this.#place, thrown);
    }
  }

  /**
   * Gives the file of an entry to another one as well.
   * @throws IonError see `storeError`
   */
  async share(from: number, to: number): Promise<void> {
    const [path, other] = [this.pathOf(from), this.pathOf(to)];
    try {
      await link(path, other).catch(async (thrown) => {
        if (!isNoHardLink(thrown)) throw thrown;
        await copyFile(path, other, constants.COPYFILE_EXCL);
        await syncFile(other, 'r+');
      });
    } catch (thrown) {
      // The delivery reports a missing file.
      if (!isMissing(thrown)) throw storeError(this.#place, thrown);
    }
  }

  async remove({ entry, sequence }: Stored): Promise<void> {
    if (entry.fileSize === undefined) return;
    // A file that stays is removed at the next start.
    await removeFile(this.pathOf(sequence)).catch(() => {});
  }

  /**
   * Removes files without an entry, while no entry is being added.
   * @param readKeys reads the keys of all entries; not called if there are no files
   */
  async removeLost(readKeys: () => AsyncIterable<string>): Promise<void> {
    const found = await readdir(this.#folder, { withFileTypes: true });
    // Files of indexers, backups or people are not touched.
    const files = found.filter((entry) => entry.isFile() && NUMBER.test(entry.name));
    const lost = new Set(files.map(({ name }) => name));
    if (lost.size === 0) return;
    for await (const key of readKeys()) lost.delete(String(sequenceOf(key)));
    // A file that stays is removed at the next start.
    for (const name of lost) await removeFile(join(this.#folder, name)).catch(() => {});
  }
}

async function writeSynced(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The name of a new file has to survive a power loss as well. */
async function syncFolder(folder: string): Promise<void> {
  // Windows cannot sync a folder, and does not need to.
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

function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}
