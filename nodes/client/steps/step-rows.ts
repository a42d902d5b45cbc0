import { IonError } from '../errors.js';
import {
  etagIn,
  type ForeignRow,
  type Id,
  idIn,
  nameIn,
  numberIn,
  optionsIn,
  wordIn,
} from '../support/known-columns.js';
import type { FieldDefinition } from './field-values.js';

/** A step of a run. Null stands for a column that ION did not return as its schema declares it. */
export interface RunStep {
  id: Id;
  runId: Id | null;
  title: string | null;
  position: number | null;
  status: string | null;
  /** Id that attachments refer to; not the `id`. */
  entityId: Id | null;
  _etag: string | null;
}

/** A field of a step. */
export interface RunStepField extends FieldDefinition {
  id: Id;
  runStepId: Id | null;
  _etag: string | null;
}

/** Selection of a `RunStep`. */
export const STEP_COLUMNS =
  'id runId title ... on RunStep @wished { position status entityId _etag }';
/** Selection of a `RunStepField`. */
export const FIELD_COLUMNS = 'id runStepId name ... on RunStepField @wished { type options } _etag';

/** The failure of a write that needs a column of its step which this ION does not return. */
export function missingColumn(column: keyof RunStep, use: string): IonError {
  return new IonError(
    'ION_RESPONSE',
    `ION returned no "${column}" of type "RunStep", which ${use}.`,
  );
}

/** `undefined` for a row without an id. */
export function toStep(row: ForeignRow): RunStep | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    runId: idIn(row.runId),
    title: nameIn(row.title),
    position: numberIn(row.position),
    status: wordIn(row.status),
    entityId: idIn(row.entityId),
    _etag: etagIn(row._etag),
  };
}

/** `undefined` for a row without an id. */
export function toField(row: ForeignRow): RunStepField | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    runStepId: idIn(row.runStepId),
    name: nameIn(row.name),
    type: wordIn(row.type),
    options: optionsIn(row.options),
    _etag: etagIn(row._etag),
  };
}
