import type { DryRunRequest } from '../client/graphql/dry-run-request.js';
import type { Origin } from '../client/graphql/mutation-log.js';
import type { TraceContext } from '../client/http/trace-context.js';
import type { Entry, Stored } from './store/entries.js';

/** One try to deliver an entry. */
export interface DeliveryTry {
  /** Aborts when the outbox closes, or when somebody decides on the entry. */
  signal: AbortSignal;
  /**
   * An earlier try may have been executed although its response was lost. Always true for an entry
   * that an earlier process accepted.
   */
  isRepeated: boolean;
  /** The queue that it is in; see `partitionOf`. */
  partition: string;
  /**
   * Whether its operations may share a GraphQL document with others; false after a failure that may
   * be its own.
   * @default false
   */
  sharesDocument?: boolean | undefined;
  /** Sent with each request to ION. */
  trace?: TraceContext | undefined;
  /** The sender and the order key, for the log of writes. */
  origin?: Origin | undefined;
  /** Path of the file of the entry. */
  filePath: string;
  /**
   * Stores the entry as it is now. When it resolves, that is safe from a power loss.
   * @param urgency `now` if a power loss may undo it, which takes much less time
   */
  save(urgency?: 'now'): Promise<void>;
}

/** The result of a delivered entry. */
export interface DeliveryResult {
  payload: unknown;
  /** Name of the mutation; `undefined` for an anonymous one. */
  name: string | undefined;
  /** Requests that were sent to the API, including look-ups. */
  attempts: number;
  traceId: string | undefined;
  extensions?: Record<string, unknown> | undefined;
  /** Outcomes by name, if several fields were written. */
  results?: Record<string, unknown> | undefined;
  /** The step was still to do and was started before the value was written. */
  started?: true;
  /** An earlier try was executed, so that this one sent nothing. */
  found?: true;
  /** Only in a dry run: the mutations that were not sent. */
  notSent?: readonly DryRunRequest[] | undefined;
}

/** An entry as the dialog of the config node shows it. */
export interface EntrySummary {
  action: string;
  target: Record<string, unknown>;
  filename?: unknown;
  /** Name of a mutation. */
  operation?: string;
  orderKey?: string;
  /** A short text about the value, or the variables. */
  value?: string;
  /** People can correct the value, or the variables. */
  isEditable?: true;
}

/** A part of an entry that people can correct before a rejected one is tried again. */
export interface EntryEdit {
  /** @returns it as JSON represents it; `undefined` if JSON cannot */
  read(): unknown;
  /**
   * @returns the entry with another value
   * @throws IonError `ION_VARIABLES` for a value that would not be accepted from a message either
   */
  replace(value: unknown): Entry;
}

/**
 * A kind of entries: which queue they belong to, how they are delivered, and how they are stored.
 * The store writes all properties of an entry and reads them back; a kind adds its own to those of
 * `Entry`. To add a kind, write it in its own file and pass it to `Outbox.open`.
 */
export interface EntryKind<Own extends Entry = Entry> {
  /** `kind` of its entries; `undefined` for step writes, which have none on the disk. */
  readonly name: string | undefined;

  /**
   * Whether a stored entry has the form that this version knows. If not, it is rejected as
   * unreadable.
   */
  isValid(entry: Entry): entry is Own;

  /**
   * Entries with the same key are delivered one after the other, in the order in which they were
   * accepted.
   * @returns `undefined` if the key has to be looked up in ION
   */
  orderKey(entry: Own): string | undefined;

  /**
   * Looks up the order key of an entry for which `orderKey` returned `undefined`.
   * @throws IonError; a rejection by ION rejects the entry
   */
  findOrderKey(entry: Own, signal: AbortSignal): Promise<string>;

  /**
   * The order key of an entry whose own key cannot be looked up: no other key looks like it, unless it
   * is a guess.
   */
  unknownOrderKey(entry: Own): string;

  /**
   * Whether `unknownOrderKey` is almost certainly the order key: then others wait for fewer failed
   * look-ups; false without this method.
   */
  isGuessed?(entry: Own): boolean;

  /**
   * Delivers an entry. If that must not be done twice, the kind finds out whether an earlier try
   * was executed, and returns the result of that one.
   * @throws IonError; a rejection by ION rejects the entry, after any other error it is tried again
   */
  deliver(entry: Own, attempt: DeliveryTry): Promise<DeliveryResult>;

  /** A rejected entry as it is tried again, such as without the traces of earlier tries. */
  restored(entry: Own): Own;

  /** The part that people can correct; a kind without this method has none. */
  edit?(entry: Own): EntryEdit | undefined;

  summary(entry: Own): EntrySummary;
}

/** The kinds of entries that an outbox can deliver. */
export class EntryKinds {
  readonly #byName: ReadonlyMap<string | undefined, EntryKind>;

  constructor(kinds: readonly EntryKind[]) {
    this.#byName = new Map(kinds.map((kind) => [kind.name, kind]));
  }

  isKnown(entry: Entry): boolean {
    return this.#byName.get(entry.kind)?.isValid(entry) ?? false;
  }

  /** @throws Error for an entry of another kind */
  of({ kind: name }: Entry): EntryKind {
    const kind = this.#byName.get(name);
    if (!kind) throw new Error(`The outbox has no entries of the kind "${name}".`);
    return kind;
  }

  /** @returns `undefined` for an entry in which people can correct nothing */
  editOf({ entry, unreadable }: Stored): EntryEdit | undefined {
    return unreadable ? undefined : this.of(entry).edit?.(entry);
  }

  /** An unreadable entry is shown like a field that has no target. */
  summaryOf(stored: Stored): EntrySummary {
    const { entry, unreadable } = stored;
    if (unreadable) return { action: 'field', target: {} };
    const summary = this.of(entry).summary(entry);
    return this.editOf(stored) ? { ...summary, isEditable: true } : summary;
  }
}
