// Work as it was read from the disk: foreign input, of which only members with the right type are used.
import { setProperty } from '../client/support/json.js';
import {
  type ForeignRow,
  foreignRow,
  idIn,
  nameIn,
  numberIn,
  optionsIn,
  wordIn,
} from '../client/support/known-columns.js';
import { knownValidations } from '../client/work/validations.js';
import type {
  LookupBy,
  Work,
  WorkField,
  WorkQuery,
  WorkRun,
  WorkStep,
  WorkUnit,
} from '../client/work/work.js';

const WAYS: ReadonlySet<unknown> = new Set<LookupBy>(['barcode', 'serial', 'run', 'location']);

/** @returns `undefined` for anything that is no query */
export function knownQuery(value: unknown): WorkQuery | undefined {
  const { by, value: text, part, step, fields } = foreignRow(value) ?? {};
  const areTexts = [text, part, step].every((each) => typeof each === 'string');
  if (!WAYS.has(by) || !areTexts || typeof fields !== 'boolean') return undefined;
  return { by, value: text, part, step, fields } as WorkQuery;
}

/** @returns `undefined` for anything that is no work with a run and a step */
export function knownWork(value: unknown): Work | undefined {
  const work = foreignRow(value);
  const unit = work?.unit === null ? null : knownUnit(work?.unit);
  const run = knownRun(work?.run);
  const step = knownStep(work?.step);
  if (!work || unit === undefined || !run || !step) return undefined;
  if (work.fields === undefined) return { unit, run, step };
  const fields = knownFields(work.fields);
  return fields && { unit, run, step, fields };
}

function knownUnit(value: unknown): WorkUnit | undefined {
  const row = foreignRow(value) ?? {};
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    serialNumber: nameIn(row.serialNumber),
    lotNumber: nameIn(row.lotNumber),
    partNumber: nameIn(row.partNumber),
    revision: nameIn(row.revision),
    description: nameIn(row.description),
  };
}

function knownRun(value: unknown): WorkRun | undefined {
  const row = foreignRow(value) ?? {};
  const id = idIn(row.id);
  return id === null ? undefined : { id, title: nameIn(row.title), status: wordIn(row.status) };
}

function knownStep(value: unknown): WorkStep | undefined {
  const row = foreignRow(value) ?? {};
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    title: nameIn(row.title),
    status: wordIn(row.status),
    position: numberIn(row.position),
    availableToWork: booleanIn(row.availableToWork),
    batched: booleanIn(row.batched),
    location: knownLocation(row.location),
  };
}

function knownLocation(value: unknown): WorkStep['location'] {
  const row: ForeignRow = foreignRow(value) ?? {};
  const id = idIn(row.id);
  return id === null ? null : { id, name: nameIn(row.name) };
}

function knownFields(value: unknown): Work['fields'] | undefined {
  const rows = foreignRow(value);
  if (!rows) return undefined;
  const fields: Record<string, WorkField> = {};
  for (const [name, each] of Object.entries(rows)) {
    const row = foreignRow(each) ?? {};
    const id = idIn(row.id);
    if (id === null) return undefined;
    setProperty(fields, name, {
      id,
      type: wordIn(row.type),
      unit: nameIn(row.unit),
      required: booleanIn(row.required),
      options: optionsIn(row.options),
      value: row.value ?? null,
      valid: booleanIn(row.valid),
      // An answer of an earlier version has none.
      validations: knownValidations(row.validations),
    } satisfies WorkField);
  }
  return fields;
}

function booleanIn(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
