import { deserialize, serialize } from 'node:v8';
import type { Attachment } from '../client/attachments.js';
import { reasonOf } from '../client/errors.js';
import type { Target } from '../client/run-steps.js';
import type { ConflictPolicy } from '../client/step-writer.js';

/** What is to be written to ION. */
export interface Write {
  action: 'field' | 'status' | 'file';
  target: Target;
  /** For a file nothing: its bytes lie beside the entries. */
  value?: unknown;
  filename?: string | undefined;
  onConflict: ConflictPolicy;
}

/** A write that waits for its delivery. */
export interface Entry {
  write: Write;
  /** Who wants to know what became of it. */
  sender: string;
  /** What the sender wants back, which means nothing here. */
  context: unknown;
  /** In ms since 1970. */
  acceptedAt: number;
  /** Where it replaces an older one that still waits: what both write to. */
  replaces?: string | undefined;
  /** Of a file, in bytes. */
  fileSize?: number | undefined;
  /** Ids of the attachments of that name before the first try. */
  attachmentsBefore?: number[] | undefined;
  /** The attachment that was made for it, before its bytes were sent. */
  attachment?: Attachment | undefined;
}

/** One that ION refused for good. */
export interface GivenUpEntry extends Entry {
  error: { code: string; message: string };
  /** In ms since 1970. */
  givenUpAt: number;
}

/** An entry with its place in the order. */
export interface Stored<Row extends Entry = Entry> {
  key: string;
  sequence: number;
  entry: Row;
  /** In the store and in files, in bytes. */
  bytes: number;
  /** What lies in the store where nobody can read it; then the entry stands for it. */
  unreadable?: Buffer;
}

const ACTIONS: readonly string[] = ['field', 'status', 'file'] satisfies Write['action'][];

/** The entry holds what no process can keep: a function, a socket, endless nesting. */
export class NotKeptError extends Error {}

/** What JSON text begins with, and nothing that V8 writes. */
const BEGIN_OF_JSON = '{'.charCodeAt(0);
const MAX_ENTRY_DEPTH = 50;
/** Objects and lists in one entry. */
const MAX_ENTRY_OBJECTS = 100_000;

/**
 * JSON where that keeps everything, because V8's own format costs ten times as much; V8's for
 * Buffers, dates and the like.
 * @throws NotKeptError
 */
export function encode(entry: Entry): Buffer {
  try {
    return isJson(entry) ? Buffer.from(JSON.stringify(entry)) : serialize(entry);
  } catch (cause) {
    throw new NotKeptError(reasonOf(cause), { cause });
  }
}

/** @throws whatever V8 or JSON say of bytes that they do not understand */
export function decode<Row extends Entry>(bytes: Buffer): Row {
  const entry = bytes[0] === BEGIN_OF_JSON ? JSON.parse(bytes.toString()) : deserialize(bytes);
  const { action, target } = (entry as Partial<Row> | null)?.write ?? {};
  if (!ACTIONS.includes(action as string) || typeof target !== 'object' || target === null) {
    throw new TypeError('no write that this version knows');
  }
  return entry as Row;
}

/**
 * Stands for an entry that cannot be read, so that it can be shown: V8 does not read what a later
 * version of it wrote, and disks fail.
 * @param replaces what it holds the latest value of
 */
export function unreadableEntry(thrown: unknown, replaces: string | undefined): GivenUpEntry {
  const message = `This write cannot be read (${reasonOf(thrown)}): a later version of Node.js or of this package kept it, or the disk is damaged. Start Node-RED with that version and try again, or discard it.`;
  return {
    write: { action: 'field', target: {}, onConflict: 'fail' },
    sender: '',
    context: undefined,
    acceptedAt: Date.now(),
    replaces,
    error: { code: 'ION_CONFIG', message },
    givenUpAt: Date.now(),
  };
}

/** What is told of an entry that was given up because it could not be read, and now can. */
export function readableAgain(): Pick<GivenUpEntry, 'error' | 'givenUpAt'> {
  const message = 'This write could not be read for a while. Try again, or discard it.';
  return { error: { code: 'ION_CONFIG', message }, givenUpAt: Date.now() };
}

/** Whether JSON gives back the same, but for properties that are `undefined`. */
function isJson(entry: Entry): boolean {
  // A value that many others refer to is written once for each of them: V8's format writes it once.
  let left = MAX_ENTRY_OBJECTS;
  const check = (value: unknown, depth: number): boolean => {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return true;
      case 'number':
        return Number.isFinite(value);
      case 'object':
        break;
      default:
        return false;
    }
    if (value === null) return true;
    if (depth > MAX_ENTRY_DEPTH || left-- <= 0) return false;
    if (Array.isArray(value)) return value.every((item) => check(item, depth + 1));
    const prototype = Object.getPrototypeOf(value);
    if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false;
    return Object.values(value).every((item) => item === undefined || check(item, depth + 1));
  };
  return check(entry, 0);
}
