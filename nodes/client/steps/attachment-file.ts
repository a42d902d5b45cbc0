import { constants } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { IonError, quote, reasonOf } from '../errors.js';
import { codeOf } from '../http/network-errors.js';

/** A file to be attached. */
export interface AttachmentFile {
  filename: string;
  /** Size in bytes. */
  size: number;
  /** The file's bytes, from the beginning on each call. */
  read(): AsyncIterable<Uint8Array>;
  /** The content, if it is in memory. */
  content?: Uint8Array | string;
}

const CHUNK_BYTES = 64 * 1024;

/** A file with a content in memory; a text is encoded as UTF-8. */
export function fileOf(filename: string, content: Uint8Array | string): AttachmentFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return {
    filename,
    size: bytes.length,
    content,
    async *read() {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        yield bytes.subarray(at, at + CHUNK_BYTES);
      }
    },
  };
}

/**
 * A file on disk, which is read in pieces.
 * @param followsLinks whether a symbolic link is followed instead of refused; true by default
 * @throws IonError `ION_NOT_FOUND` if there is no such file, `ION_CONFIG` if it cannot be read
 */
export async function fileAt(
  path: string,
  filename: string,
  { followsLinks = true } = {},
): Promise<AttachmentFile> {
  try {
    const stats = await (followsLinks ? stat : lstat)(path);
    if (!stats.isFile()) throw new Error('it is not a file');
    const { size } = stats;
    return { filename, size, read: () => readChunks(path, size, followsLinks) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function* readChunks(
  path: string,
  size: number,
  followsLinks: boolean,
): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  try {
    // Windows does not have this flag.
    const noFollow = constants.O_NOFOLLOW ?? 0;
    const file = await open(path, constants.O_RDONLY | (followsLinks ? 0 : noFollow));
    // Bytes that were appended later are left out: the size was announced before.
    yield* file.createReadStream({ end: size - 1 });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): IonError {
  const text = `The file ${quote(path)} cannot be read: ${quote(reasonOf(cause))}.`;
  // Other failures, such as too many open files, may pass.
  const isMissing = ['ENOENT', 'ENOTDIR', ''].includes(codeOf(cause));
  return new IonError(isMissing ? 'ION_NOT_FOUND' : 'ION_CONFIG', text, {
    cause,
    reason: { key: 'noFile' },
  });
}
