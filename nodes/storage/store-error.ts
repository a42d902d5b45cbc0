import { IonError, type IonErrorCode, quote, reasonOf } from '../client/errors.js';
import type { Place } from './owner.js';

interface Explanation {
  code: IonErrorCode;
  /** The rest of a sentence such as "The outbox in …". */
  text: string;
}

/**
 * Codes by the texts of glibc, musl, macOS and Windows: LevelDB reports an error of the system only
 * by its text, after the path.
 */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/^(no space left|there is not enough space)/i, 'ENOSPC'],
  [/^(dis[ck] )?quota exceeded/i, 'EDQUOT'],
  [/^(resource temporarily unavailable|already held by process)/i, 'EAGAIN'],
  [/^no locks available/i, 'ENOLCK'],
  [/^(permission denied|access is denied)/i, 'EACCES'],
  [/^operation not permitted/i, 'EPERM'],
  [/^(read-only file ?system|the media is write protected)/i, 'EROFS'],
  [/^invalid argument/i, 'EINVAL'],
  [/^(operation )?not supported/i, 'ENOTSUP'],
  [/^function not implemented/i, 'ENOSYS'],
  [/^(no such device$|operation not supported by device)/i, 'ENODEV'],
  [/^no such file or directory/i, 'ENOENT'],
  [/^not a directory/i, 'ENOTDIR'],
  [/^is a directory/i, 'EISDIR'],
  [/^(file ?name too long)/i, 'ENAMETOOLONG'],
  [/^file too large/i, 'EFBIG'],
];

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const FORBIDDEN = new Set(['EACCES', 'EPERM']);
/** Codes of a file system that does not support the operation. */
const UNSUPPORTED = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENODEV']);
/** Failures that last until a person changes something. */
const LASTING = new Set([
  ...['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG', 'EFBIG', 'ENXIO'],
]);
const LOCAL_DISK = "keep Node-RED's user folder on a local disk";

/** Whether the file system cannot sync folders, which is not a failure of the disk. */
export function isNoFolderSync(thrown: unknown): boolean {
  const code = systemCode(thrown) ?? '';
  return UNSUPPORTED.has(code) || FORBIDDEN.has(code) || ['EISDIR', 'EBADF'].includes(code);
}

/** Whether the file system has no hard links. */
export function isNoHardLink(thrown: unknown): boolean {
  const code = systemCode(thrown) ?? '';
  return UNSUPPORTED.has(code) || FORBIDDEN.has(code) || ['EMLINK', 'EXDEV'].includes(code);
}

/** The code of classic-level, or that of the cause if it could not be opened. */
export function levelCode(thrown: unknown): unknown {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: unknown };
  return code === 'LEVEL_DATABASE_NOT_OPEN' && cause ? levelCode(cause) : code;
}

/** Whether another process holds the lock of a database, which passes when that process ends. */
export function isHeld(thrown: unknown): boolean {
  if (levelCode(thrown) !== 'LEVEL_LOCKED') return false;
  const code = systemCode(thrown);
  // Windows reports it in the language of the user.
  if (isOfWindows(thrown)) return code === undefined;
  return code === 'EAGAIN' || code === 'EACCES';
}

/**
 * The error for a failure of the disk: `ION_OVERLOADED` if it may pass, `ION_CONFIG` if
 * somebody has to act. An `IonError` is returned as it is.
 */
export function storeError(place: Place, thrown: unknown): IonError {
  if (thrown instanceof IonError) return thrown;
  const { code, text } = explain(place, thrown);
  return new IonError(code, `The ${place.owner.name} in ${place.folder} ${text}`, {
    cause: thrown,
    transient: code === 'ION_OVERLOADED',
  });
}

function explain({ folder, owner }: Place, thrown: unknown): Explanation {
  const reason = quote(reasonOf(rootCause(thrown)));
  const code = systemCode(thrown) ?? '';
  const isLocking = levelCode(thrown) === 'LEVEL_LOCKED';
  if (isHeld(thrown)) {
    const alternative = code === 'EACCES' ? ` Or the system does not allow locks: ${reason}.` : '';
    return {
      code: 'ION_OVERLOADED',
      text: `is in use by another process. Is Node-RED running twice with this user folder? It can be used when that process has ended.${alternative}`,
    };
  }
  if (FULL.has(code)) {
    return {
      code: 'ION_OVERLOADED',
      text: `cannot be written, because the disk is full: ${reason}.`,
    };
  }
  if (code === 'EROFS') {
    return { code: 'ION_CONFIG', text: `cannot be written: its disk is read-only (${reason}).` };
  }
  if (isLocking && (code === 'ENOLCK' || UNSUPPORTED.has(code))) {
    return {
      code: 'ION_CONFIG',
      text: `cannot be opened, because its file system does not support locks (${reason}). On NFS, start the lock service on the server and on this machine, or mount version 4. Otherwise, ${LOCAL_DISK}.`,
    };
  }
  if (FORBIDDEN.has(code)) {
    return {
      code: 'ION_CONFIG',
      text: `cannot be used: the user that Node-RED runs as does not have permission (${reason}).`,
    };
  }
  if (UNSUPPORTED.has(code)) {
    return {
      code: 'ION_CONFIG',
      text: isOfFolder(folder, thrown)
        ? `cannot be used: its file system cannot sync folders, so writes could be lost (${reason}). Old CIFS mounts and shared folders of some virtual machines cannot: ${LOCAL_DISK}.`
        : `cannot be used: its file system does not support all that a database needs (${reason}). Mount it in another way, or ${LOCAL_DISK}.`,
    };
  }
  const mayPass = levelCode(thrown) === 'LEVEL_IO_ERROR' || isLocking || code !== '';
  return mayPass && !LASTING.has(code)
    ? { code: 'ION_OVERLOADED', text: `cannot be used for now: ${reason}. ${owner.advice}` }
    : { code: 'ION_CONFIG', text: `cannot be used: ${reason}.` };
}

function rootCause(thrown: unknown): unknown {
  return (thrown as { cause?: unknown } | undefined)?.cause ?? thrown;
}

/** Such as `ENOSPC`; `undefined` if it is no error of the system, or has an unknown text. */
function systemCode(thrown: unknown): string | undefined {
  const root = rootCause(thrown);
  const { code } = (root ?? {}) as { code?: unknown };
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  const text = reasonOf(root).trim();
  // The path before it may contain any words.
  const said = text.slice(text.lastIndexOf(': ') + 1).trim();
  return CODES.find(([pattern]) => pattern.test(said))?.[1];
}

function isOfWindows(thrown: unknown): boolean {
  return reasonOf(rootCause(thrown)).startsWith('IO error: LockFile ');
}

/** LevelDB names the folder itself if it cannot sync it. */
function isOfFolder(folder: string, thrown: unknown): boolean {
  const [, path = ''] = /^IO error: (.*): /s.exec(reasonOf(rootCause(thrown))) ?? [];
  return path.startsWith(folder) && /^[\\/]\w+$/.test(path.slice(folder.length));
}
