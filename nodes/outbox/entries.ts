import { deserialize, serialize } from 'node:v8';
import { IonError, reasonOf } from '../client/errors.js';
import type { Attachment } from '../client/steps/attachments.js';
import type { ConflictPolicy } from '../client/steps/step-writer.js';
import type { Target } from '../client/steps/target.js';

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
const MAX_JSON_DEPTH = 50;
/** Objects and lists that are written as JSON. */
const MAX_JSON_OBJECTS = 100_000;
/** Levels that are looked at; V8 knows itself how deep it can write. */
const MAX_DEPTH = 1000;
/** Properties, and what takes as long to write, so that keeping one entry never stops the process. */
const MAX_COST = 300_000;
/** V8 needs ten times as long for each property of an object with more of them. */
const MAX_ORDINARY_PROPERTIES = 1000;

/**
 * JSON where that keeps everything, because V8's own format costs ten times as much; V8's for
 * Buffers, dates and the like.
 * @throws NotKeptError; IonError `ION_VARIABLES` for more than can be kept without a stop
 */
export function encode(entry: Entry): Buffer {
  try {
    const isJson = new EntryCheck().isJson(entry, 0);
    return isJson ? Buffer.from(JSON.stringify(entry)) : serialize(entry);
  } catch (cause) {
    if (cause instanceof IonError) throw cause;
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

/** Looks at an entry once, before it is written. */
class EntryCheck {
  readonly #seen = new Set<object>();
  #cost = 0;
  /** JSON writes a value once for each other one that refers to it, V8's format writes it once. */
  #objects = 0;

  /** Whether JSON gives back the same, but for properties that are `undefined`. */
  isJson(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        this.#add(value.length / 50);
        return true;
      case 'boolean':
        return true;
      case 'number':
        return Number.isFinite(value);
      case 'object':
        return value === null || this.#isJsonObject(value, depth);
      default:
        return false;
    }
  }

  #isJsonObject(value: object, depth: number): boolean {
    const isKnown = this.#seen.has(value);
    this.#seen.add(value);
    // What is not written as JSON needs no second look.
    if (depth > MAX_DEPTH || (isKnown && this.#objects > MAX_JSON_OBJECTS)) return false;
    let isJson = ++this.#objects <= MAX_JSON_OBJECTS && depth <= MAX_JSON_DEPTH;
    if (isKnown && !isJson) return false;
    if (ArrayBuffer.isView(value)) {
      this.#add(value.byteLength / 200);
      return false;
    }
    if (Array.isArray(value)) {
      if (!isKnown) this.#add(1 + value.length / 5);
      for (const item of value) isJson = this.isJson(item, depth + 1) && isJson;
      return isJson;
    }
    const prototype = Object.getPrototypeOf(value);
    if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) isJson = false;
    if (value instanceof Map || value instanceof Set) this.#add(value.size);
    const items = Object.values(value);
    if (!isKnown) this.#add(1 + items.length * (items.length > MAX_ORDINARY_PROPERTIES ? 10 : 1));
    for (const item of items) {
      if (item !== undefined) isJson = this.isJson(item, depth + 1) && isJson;
    }
    return isJson;
  }

  #add(cost: number): void {
    this.#cost += cost;
    if (this.#cost <= MAX_COST) return;
    throw new IonError(
      'ION_VARIABLES',
      'The message holds more than the outbox can keep at once. Remove what is not needed later, such as by a change node before this one.',
    );
  }
}
