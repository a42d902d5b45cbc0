import { quote, toIonError } from '../client/errors.js';
import { fileAt } from '../client/steps/attachment-file.js';
import type { Attachment } from '../client/steps/attachments.js';
import type { ConflictPolicy, StepWriter, WriteResult } from '../client/steps/step-writer.js';
import { idOf, isGiven, type Target } from '../client/steps/target.js';
import { isPlainObject } from '../client/support/json.js';
import type { DeliveryTry, EntryKind, EntrySummary } from './entry-kind.js';
import { shownValue } from './shown-value.js';
import type { Entry, NewEntry } from './store/entries.js';

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
}

export interface NewStepWrite extends StepWrite {
  /** Only the last pending one for the same target is delivered; false by default. */
  latestOnly?: boolean | undefined;
  /** For a file: its size in bytes, and its content. */
  file?: { size: number; read(): AsyncIterable<Uint8Array> } | undefined;
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

type Writer = Pick<StepWriter, 'runOf' | 'write' | 'writeStatus' | 'attach' | 'attachmentsOf'>;

const ACTIONS: readonly unknown[] = ['field', 'status', 'file'] satisfies StepWrite['action'][];

/** The entry for a write, to be added to an outbox. */
export function stepEntry({ latestOnly, file, ...write }: NewStepWrite): NewEntry {
  const own: Pick<StepEntry, 'write' | 'replaces' | 'fileSize'> = { write };
  if (latestOnly) own.replaces = latestTarget(write);
  if (!file) return { own };
  own.fileSize = file.size;
  return { own, content: file.read() };
}

/** Writes to the steps of runs, in order for each run. */
export class StepWrites implements EntryKind<StepEntry> {
  readonly name = undefined;
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  isValid(entry: Entry): entry is StepEntry {
    const { action, target } = (entry as Partial<StepEntry>).write ?? {};
    return ACTIONS.includes(action) && typeof target === 'object' && target !== null;
  }

  orderKey({ write: { target } }: StepEntry): string | undefined {
    return isGiven(target.run) ? idOf(target.run) : undefined;
  }

  findOrderKey({ write: { target } }: StepEntry, signal: AbortSignal): Promise<string> {
    return this.#writer.runOf(target, { signal, isNew: false });
  }

  unknownOrderKey({ write: { target } }: StepEntry): string {
    return `unknown run of ${target.step ?? target.field}`;
  }

  deliver(entry: StepEntry, attempt: DeliveryTry): Promise<WriteResult<unknown>> {
    const { action, target, value, onConflict } = entry.write;
    const options = { signal: attempt.signal, isNew: false, onConflict };
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
  async #record(entry: StepEntry, { signal, save }: DeliveryTry): Promise<WriteResult<unknown>> {
    const { target, value, onConflict, startStep } = entry.write;
    const options = {
      ...{ signal, isNew: false, onConflict },
      startStep: startStep === true,
      onStarted: async () => {
        entry.started = true;
        await save();
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
  async #attach(
    entry: StepEntry,
    { signal, filePath, save }: DeliveryTry,
  ): Promise<WriteResult<unknown>> {
    const { target, filename = '' } = entry.write;
    const options = { signal, isNew: false };
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

  summary({ write: { action, target, filename, value } }: StepEntry): EntrySummary {
    const { missing, ...references } = target;
    const names = Object.entries(references).map(([name, to]) => [name, short(to)]);
    const shown = { action, target: Object.fromEntries(names), filename: short(filename) };
    return action === 'file' ? shown : { ...shown, value: shownValue(value) };
  }
}

/** The field, or the fields, that a value is for. */
function latestTarget({ target: { run, step, field }, value }: StepWrite): string {
  const fields = !isGiven(field) && isPlainObject(value) ? Object.keys(value).sort() : field;
  return JSON.stringify([run, step, fields]);
}

/** Version 1.0.0 accepted names of any length. */
function short(value: unknown): unknown {
  return typeof value === 'string' ? quote(value) : value;
}
