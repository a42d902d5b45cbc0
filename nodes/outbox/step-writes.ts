import { quote, toIonError } from '../client/errors.js';
import { plainVariables } from '../client/graphql/variables.js';
import type { TraceContext } from '../client/http/trace-context.js';
import { fileAt } from '../client/steps/attachment-file.js';
import type { Attachment } from '../client/steps/attachments.js';
import type {
  ConflictPolicy,
  StepRequestOptions,
  StepWriter,
} from '../client/steps/step-writer.js';
import { checkFieldNames, idOf, isGiven, isNumber, type Target } from '../client/steps/target.js';
import { isPlainObject } from '../client/support/json.js';
import { LruCache } from '../client/support/lru-cache.js';
import type {
  DeliveryResult,
  DeliveryTry,
  EntryEdit,
  EntryKind,
  EntrySummary,
} from './entry-kind.js';
import { shownValue } from './shown-value.js';
import type { Entry, NewEntry } from './store/entries.js';
import { partitionOf } from './store/keys.js';
import { storedTrace } from './stored-trace.js';

/** A write to a step of a run. */
export interface StepWrite {
  action: 'field' | 'status' | 'file';
  target: Target;
  /** Not for a file, whose bytes are stored beside the entries. */
  value?: unknown;
  filename?: string | undefined;
  onConflict: ConflictPolicy;
  /** Whether a step that is still to do is started before its value is written. */
  startStep?: true;
  /** In a dry run: the step is one that this dry run did not create. */
  isNotCreated?: true;
}

export interface NewStepWrite extends StepWrite {
  /** Only the last pending one for the same target is delivered; false by default. */
  latestOnly?: boolean | undefined;
  /** For a file: its size in bytes, and its content. */
  file?: { size: number; read(): AsyncIterable<Uint8Array> } | undefined;
  /** That of the message. */
  trace?: TraceContext | undefined;
}

/** The form in which version 1.0.0 stores it. */
export interface StepEntry extends Entry {
  write: StepWrite;
  /** IDs of the attachments with the same name before the first try. */
  attachmentsBefore?: number[] | undefined;
  /** The attachment that an earlier try created before it sent the bytes. */
  attachment?: Attachment | undefined;
  /**
   * Whether the bytes were there each time that ION was asked for the attachment. An earlier
   * version stored nothing.
   */
  asked?: 'never' | 'afterUpload' | 'beforeUpload' | undefined;
  /** An earlier try started the step. */
  started?: true;
}

type Writer = Pick<
  StepWriter,
  'knownRun' | 'runOf' | 'write' | 'writeStatus' | 'writeNotCreated' | 'attach' | 'attachmentsOf'
>;

/** Numbers that are taken as the IDs of runs, because ION could not be asked. */
const MAX_GUESSED = 10_000;

/** The order key of writes to steps that a dry run did not create. */
const NOT_CREATED = 'not created';
const ACTIONS: readonly unknown[] = ['field', 'status', 'file'] satisfies StepWrite['action'][];

/** The entry for a write, to be added to an outbox. */
export function stepEntry({ latestOnly, file, trace, ...write }: NewStepWrite): NewEntry {
  const own: Pick<StepEntry, 'write' | 'replaces' | 'fileSize' | 'trace'> = { write };
  if (trace) own.trace = trace;
  if (latestOnly) own.replaces = latestTarget(write);
  if (!file) return { own };
  own.fileSize = file.size;
  return { own, content: file.read() };
}

/** Writes to the steps of runs, in order for each run. */
export class StepWrites implements EntryKind<StepEntry> {
  readonly name = undefined;
  readonly #writer: Writer;
  readonly #guessed = new LruCache<string, true>(MAX_GUESSED);

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  isValid(entry: Entry): entry is StepEntry {
    const { action, target } = (entry as Partial<StepEntry>).write ?? {};
    return ACTIONS.includes(action) && typeof target === 'object' && target !== null;
  }

  orderKey({ write: { target, isNotCreated } }: StepEntry): string | undefined {
    if (isNotCreated) return NOT_CREATED;
    const { run } = target;
    if (!isGiven(run)) return undefined;
    const known = this.#writer.knownRun(target);
    return known ?? (this.#guessed.get(idOf(run)) && idOf(run));
  }

  async findOrderKey(entry: StepEntry, signal: AbortSignal): Promise<string> {
    const { target } = entry.write;
    const options = { signal, isNew: false, sharesDocument: true, trace: storedTrace(entry) };
    return this.orderKey(entry) ?? this.#writer.runOf(target, options);
  }

  unknownOrderKey(entry: StepEntry): string {
    const { run, step, field } = entry.write.target;
    if (!isGiven(run)) return `unknown run of ${step ?? field}`;
    const id = idOf(run);
    if (!this.isGuessed(entry)) return `unknown run ${id}`;
    this.#guessed.set(id, true);
    return id;
  }

  /** A number may be a title or a serial number, but it is one of an ID in most flows. */
  isGuessed({ write: { target } }: StepEntry): boolean {
    return isGiven(target.run) && isNumber(idOf(target.run));
  }

  deliver(entry: StepEntry, attempt: DeliveryTry): Promise<DeliveryResult> {
    const { action, target, value, onConflict } = entry.write;
    const options = { ...optionsOf(entry, attempt), onConflict };
    if (entry.write.isNotCreated) return this.#writer.writeNotCreated(entry.write, options);
    switch (action) {
      case 'status':
        return this.#writer.writeStatus(target, value, options);
      case 'field':
        return this.#record(entry, attempt);
      case 'file':
        return this.#attach(entry, attempt);
    }
  }

  /** A step that an earlier try started is in progress, so it is not started again. */
  async #record(entry: StepEntry, attempt: DeliveryTry): Promise<DeliveryResult> {
    const { target, value, onConflict, startStep } = entry.write;
    const options = {
      ...{ ...optionsOf(entry, attempt), onConflict },
      startStep: startStep === true,
      onStarted: async () => {
        entry.started = true;
        await attempt.save();
      },
    };
    try {
      const result = await this.#writer.write(target, value, options);
      return entry.started ? { ...result, started: true } : result;
    } catch (thrown) {
      throw entry.started ? toIonError(thrown).with({ started: true }) : thrown;
    }
  }

  /** A field or a status may be written twice; a file is attached once. */
  async #attach(entry: StepEntry, attempt: DeliveryTry): Promise<DeliveryResult> {
    const { target, filename = '' } = entry.write;
    const { filePath, save } = attempt;
    const options = optionsOf(entry, attempt);
    const { attachmentsBefore: before, attachment, asked } = entry;
    if (!before) {
      // Stored before the first try, because its response may be lost.
      entry.attachmentsBefore = await this.#writer.attachmentsOf(target, filename, options);
      entry.asked = 'never';
      await save();
    }
    const file = await fileAt(filePath, filename, { followsLinks: false });
    return this.#writer.attach(target, file, options, {
      ...(before && { before }),
      ...(attachment && { attachment }),
      isUploadedFirst: asked === 'afterUpload',
      creating: async (isUploaded) => {
        const isUploadedFirst = isUploaded && ['never', 'afterUpload'].includes(entry.asked ?? '');
        const next = isUploadedFirst ? 'afterUpload' : 'beforeUpload';
        if (entry.asked === next) return;
        entry.asked = next;
        await save();
      },
      created: async (created) => {
        entry.attachment = created;
        await save();
      },
    });
  }

  restored({ attachmentsBefore, attachment, asked, started, ...entry }: StepEntry): StepEntry {
    return entry;
  }

  edit(entry: StepEntry): EntryEdit | undefined {
    const { write } = entry;
    if (write.action === 'file') return undefined;
    return {
      read: () => plainValue(write.value),
      replace(value): StepEntry {
        if (write.action === 'field' && isPlainObject(value)) checkFieldNames(Object.keys(value));
        return { ...entry, write: { ...write, value } };
      },
    };
  }

  summary({ write: { action, target, filename, value } }: StepEntry): EntrySummary {
    const { missing, ...references } = target;
    const names = Object.entries(references).map(([name, to]) => [name, short(to)]);
    const shown = { action, target: Object.fromEntries(names), filename: short(filename) };
    return action === 'file' ? shown : { ...shown, value: shownValue(value) };
  }
}

/** Options of one try. */
function optionsOf(
  { write }: StepEntry,
  { signal, sharesDocument, trace, origin, partition }: DeliveryTry,
): StepRequestOptions {
  return {
    signal,
    sharesDocument,
    trace,
    origin: origin && { ...origin, target: write.target },
    isNew: false,
    mayGoTo: (run) => mayGoTo(write.target, run, partition),
  };
}

/** Whether a write in this queue may go to a run: a title may have been given to another one. */
function mayGoTo({ run: named = '' }: Target, run: string, partition: string): boolean {
  const id = idOf(named);
  // Version 1.0.0 took everything as an ID.
  const keys = [run, id, `unknown run ${id}`];
  return keys.some((key) => partitionOf(key) === partition);
}

/** The field, or the fields, that a value is for. */
function latestTarget({ target: { run, step, field }, value }: StepWrite): string {
  const fields = !isGiven(field) && isPlainObject(value) ? Object.keys(value).sort() : field;
  return JSON.stringify([run, step, fields]);
}

/** Numbers such as NaN, and bytes, have no form in JSON. */
function plainValue(value: unknown): unknown {
  try {
    return plainVariables({ value })?.value;
  } catch {
    return undefined;
  }
}

/** Version 1.0.0 accepted names of any length. */
function short(value: unknown): unknown {
  return typeof value === 'string' ? quote(value) : value;
}
