import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Limit for a file, in bytes; then it is renamed, and a new one begins. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Files of one config node, the present one included. */
export const MAX_FILES = 5;

/** A link in its place is not followed; Windows does not know the flag. */
const FLAGS =
  constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
const NEW_LINE = 0x0a;
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/**
 * A file of lines, with numbered older ones beside it: `a.jsonl`, `a.1.jsonl` … A line is handed to the
 * operating system before `append` returns, so that it is kept if the process ends in any way.
 */
export class AuditFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #size: number | undefined;
  /** A write that failed may have left a part of a line. */
  #isTorn = false;

  /** @param path ends in `.jsonl` */
  constructor(path: string, maxBytes = MAX_FILE_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /**
   * @returns the error if the file is full and cannot be renamed; then it grows beyond its limit
   * @throws an error of the file system if the lines were not written
   */
  append(lines: readonly string[]): unknown {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    try {
      return this.#write(text);
    } catch (thrown) {
      // Somebody removed its folder.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      return this.#write(text);
    }
  }

  #write(text: Buffer): unknown {
    this.#size ??= this.#prepare();
    const isFull = this.#size > 0 && this.#size + text.length > this.#maxBytes;
    const problem = isFull ? this.#rotate() : undefined;
    const bytes = this.#isTorn ? Buffer.concat([Buffer.from('\n'), text]) : text;
    try {
      appendFileSync(this.#path, bytes, { flag: FLAGS as never, mode: PRIVATE_FILE });
      this.#isTorn = false;
      this.#size += bytes.length;
    } catch (thrown) {
      this.#isTorn = true;
      this.#size = undefined;
      throw thrown;
    }
    return problem;
  }

  /** @returns the size of the file so far */
  #prepare(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: PRIVATE_FOLDER });
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    // Power may have failed in the middle of the last line.
    this.#isTorn = size > 0 && lastByteOf(this.#path, size) !== NEW_LINE;
    return size;
  }

  /** @returns the error if the present file remains, because it cannot be renamed */
  #rotate(): unknown {
    try {
      // A process that ended in the middle may have left a file without a place.
      this.#makeRoom();
      // Before any older file is lost: somebody may have forbidden it.
      renameSync(this.#path, this.#pathOf(0));
      this.#size = 0;
      this.#isTorn = false;
      this.#makeRoom();
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }

  /** Gives the newest of the older files its place, and each other one the next. */
  #makeRoom(): void {
    if (!existsSync(this.#pathOf(0))) return;
    for (let age = MAX_FILES - 2; age >= 0; age--) {
      if (existsSync(this.#pathOf(age))) renameSync(this.#pathOf(age), this.#pathOf(age + 1));
    }
  }

  /** @param age 0 for a file that has no place yet */
  #pathOf(age: number): string {
    return this.#path.replace(/\.jsonl$/, `.${age}.jsonl`);
  }
}

function lastByteOf(path: string, size: number): number | undefined {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, size - 1);
    return byte[0];
  } finally {
    closeSync(file);
  }
}
