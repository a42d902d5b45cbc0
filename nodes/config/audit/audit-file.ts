import { appendFileSync, constants, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Limit for a file, in bytes; then it is renamed, and a new one begins. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Files of one config node, the present one included. */
export const MAX_FILES = 5;

/** A link in its place is not followed; Windows does not know the flag. */
const FLAGS =
  constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
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

  /** @throws an error of the file system */
  append(lines: readonly string[]): void {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    try {
      this.#write(text);
    } catch (thrown) {
      // Somebody removed its folder.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      this.#write(text);
    }
  }

  #write(text: Buffer): void {
    this.#size ??= this.#prepare();
    if (this.#size > 0 && this.#size + text.length > this.#maxBytes) this.#rotate();
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
  }

  /** @returns the size of the file so far */
  #prepare(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: PRIVATE_FOLDER });
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    // Power may have failed in the middle of the last line.
    if (size > 0) this.#isTorn = true;
    return size;
  }

  #rotate(): void {
    for (let age = MAX_FILES - 1; age > 0; age--) {
      const from = this.#pathOf(age - 1);
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, this.#pathOf(age));
    }
    this.#size = 0;
    this.#isTorn = false;
  }

  #pathOf(age: number): string {
    return age === 0 ? this.#path : this.#path.replace(/\.jsonl$/, `.${age}.jsonl`);
  }
}
