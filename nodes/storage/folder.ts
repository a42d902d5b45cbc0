// The folders of the data of config nodes. Flow files are foreign input, and so are files already on the disk: no ID
// leads out of the user folder, and no symbolic link leads to other people's files.
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { IonError } from '../client/errors.js';
import type { Owner, Place } from './owner.js';

/** Most file systems take 255 bytes in one name. */
const MAX_NAME_LENGTH = 200;
/** Characters of an unsafe name that are kept, so a person can recognize it. */
const MAX_READABLE_LENGTH = 40;
/** Never begins with a dot; most IDs of Node-RED are 16 hexadecimal digits. */
const ORDINARY_NAME = /^[\w-][\w.-]*$/;
/** A URL that can be read off its name; a path that begins with a number would look like a port. */
const ORDINARY_URL = /^https?:\/\/[a-z\d.-]+(?::\d+|(?!\/\d+(?:\/|$)))(?:\/[A-Za-z\d.-]+)*\/?$/;
/** Names of devices on Windows, with any extension. */
const DEVICES = new Set([
  ...['con', 'prn', 'aux', 'nul'],
  ...Array.from({ length: 10 }, (_, digit) => [`com${digit}`, `lpt${digit}`]).flat(),
]);

/** Only the owner has access. */
const PRIVATE_MODE = 0o700;
const OTHERS = 0o077;

/** The folder of a config node's data of one endpoint: exactly two names below another folder. */
export function configFolder(within: string, id: string, endpoint: string): string {
  return join(within, nameOfId(String(id)), nameOfEndpoint(endpoint));
}

/** The name of a file or a folder of this node. */
export function nameOfId(id: string): string {
  return isSafe(id) ? id : encoded(id);
}

function nameOfEndpoint(endpoint: string): string {
  const name = endpoint.replace('://', '_').replaceAll(':', '_').replaceAll('/', '_');
  return ORDINARY_URL.test(endpoint) && isSafe(name) ? name : encoded(endpoint);
}

/** Whether a text is a valid file name, and the same one, on every system. */
function isSafe(name: string): boolean {
  const [stem = ''] = name.split('.');
  return (
    name.length <= MAX_NAME_LENGTH &&
    ORDINARY_NAME.test(name) &&
    !name.endsWith('.') &&
    !DEVICES.has(stem.toLowerCase())
  );
}

/** A name that no other text has: the hash makes it unique, and no safe name contains "~". */
function encoded(text: string): string {
  const readable = text.slice(0, MAX_READABLE_LENGTH).replaceAll(/[^A-Za-z\d-]/g, '_');
  // UTF-16 keeps a lone surrogate as it is.
  const hash = createHash('sha256').update(text, 'utf16le').digest('hex');
  return `${readable || '_'}~${hash}`;
}

/**
 * Makes a folder and folders in it, with access only for their owner, unless they exist.
 * @param inside names of folders in it
 * @param within the folder below which everything belongs to the owner. It may be a link itself, and
 * so may the folders above it: administrators move it to another disk that way, and nobody else can
 * @throws IonError `ION_CONFIG` for a link or a file in the place of a folder; then nothing is changed
 */
export async function makeFolders(
  { folder, owner }: Place,
  inside: readonly string[],
  within?: string,
): Promise<void> {
  const folders = pathsOf(folder, inside, within);
  for (const each of folders) await isFolder(each, owner);
  await mkdir(within ?? dirname(folder), { recursive: true, mode: PRIVATE_MODE });
  if (within !== undefined) await makePrivate(within);
  // From the outside in: nobody else can replace the content of a private folder.
  for (const each of folders) {
    await mkdir(each, { mode: PRIVATE_MODE }).catch(unlessThere);
    await isFolder(each, owner);
    await makePrivate(each);
  }
}

/**
 * Whether a folder exists, with a folder in it.
 * @param within the folder below which everything belongs to the owner
 * @throws IonError `ION_CONFIG` for a link or a file in the place of a folder
 */
export async function isFolderIn(
  { folder, owner }: Place,
  inside: string,
  within: string,
): Promise<boolean> {
  for (const each of pathsOf(folder, [inside], within)) {
    if (!(await isFolder(each, owner))) return false;
  }
  return true;
}

function pathsOf(folder: string, inside: readonly string[], within?: string): string[] {
  return [
    ...(within === undefined ? [folder] : pathsBelow(within, folder)),
    ...inside.map((name) => join(folder, name)),
  ];
}

/** The folders on the path from one to another below it, including that one. */
function pathsBelow(within: string, folder: string): string[] {
  const names = relative(within, folder).split(sep);
  return names.map((_name, index) => join(within, ...names.slice(0, index + 1)));
}

/** @throws IonError `ION_CONFIG` for a folder that contains a symbolic link */
export async function refuseLinks({ folder, owner }: Place): Promise<void> {
  for (const found of await readdir(folder, { withFileTypes: true })) {
    if (!found.isSymbolicLink()) continue;
    throw foreignPathError(join(folder, found.name), owner, 'a symbolic link');
  }
}

/** Deletes a file; a link or a folder of that name stays. */
export async function removeFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile()) await unlink(path);
}

/**
 * Whether a folder exists.
 * @throws IonError `ION_CONFIG` for anything else in its place
 */
export async function isFolder(path: string, owner: Owner): Promise<boolean> {
  const found = await lstat(path).catch(unlessMissing);
  if (!found) return false;
  if (found.isSymbolicLink()) throw foreignPathError(path, owner, 'a symbolic link');
  if (!found.isDirectory()) throw foreignPathError(path, owner, 'not a folder');
  return true;
}

async function makePrivate(folder: string): Promise<void> {
  const found = await lstat(folder);
  // Network drives and FAT have no modes, and setting one fails.
  if (found.isDirectory() && found.mode & OTHERS) await chmod(folder, PRIVATE_MODE).catch(() => {});
}

function foreignPathError(path: string, { name }: Owner, what: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The ${name} cannot be stored in ${path}, because that is ${what}. Nothing was changed. Move it away; the ${name} then creates its folder.`,
  );
}

function unlessMissing(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== 'ENOENT' && thrown.code !== 'ENOTDIR') throw thrown;
}

function unlessThere(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EEXIST') throw thrown;
}
