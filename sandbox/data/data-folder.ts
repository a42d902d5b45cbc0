// The folder in which a sandbox keeps its data over restarts: one file for the rows, replaced as a
// whole, and a folder for the attached files.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Uploads } from '../http/uploads.js';
import type { Row } from './model.js';
import type { Store } from './store.js';

const FORMAT = 1;
const FILE = 'data.json.gz';
/** A process that is killed loses at most the changes of this time and of the write after it. */
const SAVE_AFTER_MS = 500;

interface SavedTable {
  nextId: number;
  rows: Row[];
}

interface SavedData {
  format: number;
  tables: Record<string, SavedTable>;
  files: ReturnType<Uploads['saved']>;
}

/** Saves the data of a running sandbox whenever it has changed. */
export class DataFolder {
  readonly #path: string;
  readonly #saved: SavedData | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedVersion = -1;

  private constructor(path: string, saved: SavedData | undefined) {
    this.#path = path;
    this.#saved = saved;
  }

  /** @throws Error if the folder cannot be used, or its file is damaged */
  static async open(path: string): Promise<DataFolder> {
    await mkdir(filesIn(path), { recursive: true, mode: 0o700 });
    return new DataFolder(path, await read(join(path, FILE)));
  }

  /** The folder of attached files. */
  get files(): string {
    return filesIn(this.#path);
  }

  /** Fills an empty store with the saved data. @returns whether there is any */
  restore(store: Store): boolean {
    if (!this.#saved) return false;
    for (const [type, { nextId, rows }] of Object.entries(this.#saved.tables)) {
      const table = store.table(type);
      for (const row of rows) table.put(row);
      table.reserve(nextId - 1);
    }
    return true;
  }

  /** Begins to save. @param onFailure called with the error of each attempt that failed */
  watch(store: Store, uploads: Uploads, onFailure: (error: Error) => void): void {
    if (this.#saved) uploads.restore(this.#saved.files);
    const saveAgain = () => {
      this.#timer = setTimeout(() => {
        this.#saving = this.#save(store, uploads).catch(onFailure).finally(saveAgain);
      }, SAVE_AFTER_MS);
    };
    this.#saving = this.#save(store, uploads).catch(onFailure).finally(saveAgain);
  }

  /** Saves for the last time. */
  async close(store: Store, uploads: Uploads): Promise<void> {
    await this.#saving;
    clearTimeout(this.#timer);
    await this.#save(store, uploads);
  }

  async #save(store: Store, uploads: Uploads): Promise<void> {
    const { version } = store;
    if (version === this.#savedVersion) return;
    const data: SavedData = { format: FORMAT, tables: tablesOf(store), files: uploads.saved() };
    const bytes = await promisify(gzip)(JSON.stringify(data), { level: 1 });
    await replace(join(this.#path, FILE), bytes);
    this.#savedVersion = version;
  }
}

function filesIn(path: string): string {
  return join(path, 'files');
}

function tablesOf(store: Store): Record<string, SavedTable> {
  const tables = [...store.tables()].map((table) => {
    const rows = [...table.all()];
    return [table.type, { nextId: table.nextId, rows }] as const;
  });
  return Object.fromEntries(tables);
}

/** @returns `undefined` if there is no file yet */
async function read(path: string): Promise<SavedData | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const data = JSON.parse(String(await promisify(gunzip)(bytes))) as SavedData;
    if (data.format !== FORMAT) throw new TypeError(`its format is ${data.format}, not ${FORMAT}`);
    return data;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      `${path} is damaged, or from another version of the sandbox: ${message}. It was not changed. Move it away to start with new data.`,
    );
  }
}

/** Replaces a file, so that it is always the old or the new one, also after a power loss. */
async function replace(path: string, bytes: Buffer): Promise<void> {
  const next = `${path}.new`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
