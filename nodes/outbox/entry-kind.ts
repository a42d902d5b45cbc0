import type { WriteResult } from '../client/steps/step-writer.js';
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
  /** Path of the file of the entry. */
  filePath: string;
  /** Stores the entry as it is now. When it resolves, that is safe from a power loss. */
  save(): Promise<void>;
}

/** An entry as the dialog of the config node shows it. */
export interface EntrySummary {
  action: string;
  target: Record<string, unknown>;
  filename?: unknown;
  /** A short text about the value. */
  value?: string;
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

  /** The order key of an entry whose own key cannot be looked up; no other key looks like it. */
  unknownOrderKey(entry: Own): string;

  /**
   * Delivers an entry. If that must not be done twice, the kind finds out whether an earlier try
   * was executed, and returns the result of that one.
   * @throws IonError; a rejection by ION rejects the entry, after any other error it is tried again
   */
  deliver(entry: Own, attempt: DeliveryTry): Promise<WriteResult<unknown>>;

  /** A rejected entry as it is tried again, such as without the traces of earlier tries. */
  restored(entry: Own): Own;

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

  /** An unreadable entry is shown like a field that has no target. */
  summaryOf({ entry, unreadable }: Stored): EntrySummary {
    return unreadable ? { action: 'field', target: {} } : this.of(entry).summary(entry);
  }
}
