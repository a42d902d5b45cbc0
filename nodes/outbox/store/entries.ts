import { reasonOf } from '../../client/errors.js';
import type { TraceContext } from '../../client/http/trace-context.js';
import { isPlainObject } from '../../client/support/json.js';
import { MAX_IN_KEY } from './keys.js';

/** The common part of all pending entries, as it is stored; each kind adds its own properties. */
export interface Entry {
  /** Name of its kind; step writes have none, as in version 1.0.0. */
  kind?: string | undefined;
  /** ID of the node that gets the result. */
  sender: string;
  /** Returned to the sender with the result; the outbox does not look into it. */
  context: unknown;
  /** In ms since 1970. */
  acceptedAt: number;
  /** The target of which it holds the latest value: it replaces an older pending entry for it. */
  replaces?: string | undefined;
  /** The time for which a pending one is kept, in ms. */
  keepForMs?: number | undefined;
  /** When it expires, so that a pending one is rejected, in ms since 1970. */
  keepUntil?: number | undefined;
  /** When it was sent last, in ms since 1970, if nobody knows whether it was executed. */
  sentAt?: number | undefined;
  /** Size of its file, in bytes. */
  fileSize?: number | undefined;
  /** Number of times that somebody retried it after a rejection. */
  retries?: number;
  /** The trace of the message, for each request of its delivery; it is checked again there. */
  trace?: TraceContext | undefined;
}

/** A write to be accepted. */
export interface NewEntry {
  /** The properties of its kind, and those of `Entry` that the kind sets. */
  own: Pick<Entry, 'kind' | 'replaces' | 'fileSize' | 'keepForMs' | 'trace'>;
  /** The content of its file; then `own` has a `fileSize`. */
  content?: AsyncIterable<Uint8Array> | undefined;
}

/** An entry that the outbox no longer tries. */
export interface RejectedEntry extends Entry {
  error: { code: string; message: string };
  /** In ms since 1970; the name is that of version 1.0.0. */
  givenUpAt: number;
}

/** An entry with its place in the order. */
export interface Stored<Row extends Entry = Entry> {
  key: string;
  sequence: number;
  entry: Row;
  /** In the store and in files, in bytes. */
  bytes: number;
  /** The stored bytes, if they cannot be read; then `entry` is a placeholder. */
  unreadable?: Buffer;
}

/** Whether the common part of a stored entry has the form that this version knows. */
export function isEntry(value: unknown): value is Entry {
  if (!isPlainObject(value)) return false;
  const { sender, acceptedAt, replaces, keepForMs, keepUntil, sentAt, fileSize, retries } = value;
  const numbers = [keepForMs, keepUntil, sentAt, fileSize, retries];
  return (
    typeof sender === 'string' &&
    Number.isFinite(acceptedAt) &&
    (replaces === undefined || typeof replaces === 'string') &&
    numbers.every((each) => each === undefined || isInKeys(each))
  );
}

/** Whether an entry has the reason why it was rejected. */
export function isRejectedEntry(entry: Entry): entry is RejectedEntry {
  const { error, givenUpAt } = entry as Partial<RejectedEntry>;
  const areTexts = [error?.code, error?.message].every((text) => typeof text === 'string');
  return areTexts && Number.isFinite(givenUpAt);
}

function isInKeys(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_IN_KEY;
}

/**
 * A placeholder for an entry that cannot be read: V8 does not read what a later version of it
 * wrote, and disks fail.
 * @param replaces the target of which the entry holds the latest value
 */
export function unreadableEntry(thrown: unknown, replaces: string | undefined): RejectedEntry {
  const message = `This write cannot be read (${reasonOf(thrown)}): it was stored by a later version of Node.js or of this package, or the disk is damaged. Start Node-RED with that version and try again, or discard the write.`;
  return {
    sender: '',
    context: undefined,
    acceptedAt: Date.now(),
    replaces,
    error: { code: 'ION_CONFIG', message },
    givenUpAt: Date.now(),
  };
}

/** The reason of an entry that was rejected because it could not be read, and now can be. */
export function readableAgain(): Pick<RejectedEntry, 'error' | 'givenUpAt'> {
  const message = 'This write could not be read for a while. Try again, or discard it.';
  return { error: { code: 'ION_CONFIG', message }, givenUpAt: Date.now() };
}
