import { IonError, type IonErrorCode, quote, reasonOf } from '../../client/errors.js';

interface Explanation {
  code: IonErrorCode;
  /** Goes on after "The outbox in …". */
  text: string;
}

/**
 * Codes by the texts of glibc, musl, macOS and Windows: of an error of the system, LevelDB tells
 * nothing but its text, behind the path.
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
/** What a file system answers that has no such operation. */
const NOT_OFFERED = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENODEV']);
/** Nothing but a person changes these. */
const LASTING = new Set([
  ...['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG', 'EFBIG', 'ENXIO'],
]);
const LOCAL_DISK = "keep Node-RED's user folder on a local disk";

/** Whether a file system cannot sync folders, which is no failure of the disk. */
export function isNoFolderSync(thrown: unknown): boolean {
  const code = systemCode(thrown) ?? '';
  return NOT_OFFERED.has(code) || FORBIDDEN.has(code) || ['EISDIR', 'EBADF'].includes(code);
}

/** Whether a file system has no hard links. */
export function isNoHardLink(thrown: unknown): boolean {
  const code = systemCode(thrown) ?? '';
  return NOT_OFFERED.has(code) || FORBIDDEN.has(code) || ['EMLINK', 'EXDEV'].includes(code);
}

/** The code of classic-level, also where it is that of the cause. */
export function levelCode(thrown: unknown): unknown {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: unknown };
  return code === 'LEVEL_DATABASE_NOT_OPEN' && cause ? levelCode(cause) : code;
}

/** Whether somebody else holds the lock of an outbox, which passes when that process ends. */
export function isHeld(thrown: unknown): boolean {
  if (levelCode(thrown) !== 'LEVEL_LOCKED') return false;
  const code = systemCode(thrown);
  // Windows says it in its own language.
  if (isOfWindows(thrown)) return code === undefined;
  return code === 'EAGAIN' || code === 'EACCES';
}

/**
 * What a failure of the disk means to a user: `ION_OVERLOADED` where it may pass by itself, else
 * `ION_CONFIG`.
 * @param folder of the outbox
 */
export function storeError(folder: string, thrown: unknown): IonError {
  if (thrown instanceof IonError) return thrown;
  const { code, text } = explain(folder, thrown);
  return new IonError(code, `The outbox in ${folder} ${text}`, {
    cause: thrown,
    transient: code === 'ION_OVERLOADED',
  });
}

function explain(folder: string, thrown: unknown): Explanation {
  const reason = quote(reasonOf(rootOf(thrown)));
  const code = systemCode(thrown) ?? '';
  const isLocking = levelCode(thrown) === 'LEVEL_LOCKED';
  if (isHeld(thrown)) {
    const isOther = code === 'EACCES' ? ` Or the system lets nobody lock it: ${reason}.` : '';
    return {
      code: 'ION_OVERLOADED',
      text: `is in use by another process: is Node-RED running twice with this user folder? It can be used when that process has ended.${isOther}`,
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
  if (isLocking && (code === 'ENOLCK' || NOT_OFFERED.has(code))) {
    return {
      code: 'ION_CONFIG',
      text: `cannot be opened, because its file system gives no locks (${reason}). On NFS, start the lock service of the server and of this machine, or mount version 4; else ${LOCAL_DISK}.`,
    };
  }
  if (FORBIDDEN.has(code)) {
    return {
      code: 'ION_CONFIG',
      text: `cannot be used: the user that Node-RED runs as may not do this (${reason}).`,
    };
  }
  if (NOT_OFFERED.has(code)) {
    return {
      code: 'ION_CONFIG',
      text: isOfFolder(folder, thrown)
        ? `cannot be used: its file system cannot sync folders, so that writes could get lost (${reason}). That is so on old CIFS mounts and on shared folders of some virtual machines: ${LOCAL_DISK}.`
        : `cannot be used: its file system does not offer all that a database needs (${reason}). Mount it in another way, or ${LOCAL_DISK}.`,
    };
  }
  const mayPass = levelCode(thrown) === 'LEVEL_IO_ERROR' || isLocking || code !== '';
  return mayPass && !LASTING.has(code)
    ? { code: 'ION_OVERLOADED', text: `cannot be used for now: ${reason}. Send it again later.` }
    : { code: 'ION_CONFIG', text: `cannot be used: ${reason}.` };
}

function rootOf(thrown: unknown): unknown {
  return (thrown as { cause?: unknown } | undefined)?.cause ?? thrown;
}

/** Such as `ENOSPC`; undefined for what is no error of the system, or has a text that nobody knows. */
function systemCode(thrown: unknown): string | undefined {
  const root = rootOf(thrown);
  const { code } = (root ?? {}) as { code?: unknown };
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  const text = reasonOf(root).trim();
  // Not in the path, which may hold any words.
  const said = text.slice(text.lastIndexOf(': ') + 1).trim();
  return CODES.find(([pattern]) => pattern.test(said))?.[1];
}

function isOfWindows(thrown: unknown): boolean {
  return reasonOf(rootOf(thrown)).startsWith('IO error: LockFile ');
}

/** LevelDB names the folder itself where it cannot sync it. */
function isOfFolder(folder: string, thrown: unknown): boolean {
  const [, path = ''] = /^IO error: (.*): /s.exec(reasonOf(rootOf(thrown))) ?? [];
  return path.startsWith(folder) && /^[\\/]\w+$/.test(path.slice(folder.length));
}
