import { siblingFields, siblingSteps } from '../../data/batches.js';
import { parseMicros } from '../../data/clock.js';
import { settable } from '../../data/computed-fields.js';
import type { FieldType, FieldValue, RunStepFieldRow } from '../../data/model.js';
import { blankField } from '../../data/row-templates.js';
import type { Store } from '../../data/store.js';
import type { ApiContext, WriteContext } from '../context.js';
import {
  columns,
  current,
  existing,
  type Mutation,
  type Versioned,
  withArgs,
  withInput,
} from './common.js';

/** The text with which the example of an ION Action refuses a write. */
export const RULE_TEXT =
  'Example rule: a torque above 50 N·m has to be confirmed by a second reading.';

interface CreateFieldInput {
  runStepId: string;
  name: string;
  type: FieldType;
  value?: unknown;
  position?: number;
}

interface UpdateFieldInput extends Versioned {
  value?: unknown;
}

interface ValueInput extends Versioned {
  value?: unknown;
  notApplicable?: boolean | null;
}

export const fieldMutations: Record<string, Mutation> = {
  createRunStepField: withInput<CreateFieldInput>((input, { store, user }) => {
    const step = existing(store.runSteps, input.runStepId);
    const steps = [step, ...siblingSteps(step, store)];
    for (const { id } of steps) checkRedline(id, store);
    const position = input.position ?? store.runStepFields.of(step.id).length;
    const blank = blankField(step.id, input.name, input.type, position);
    const field = { ...blank, ...columns(input, 'value'), value: null };
    const value = checkedValue(field, input.value ?? null, store);
    const [runStepField] = steps.map(({ id: runStepId }) =>
      store.runStepFields.insert({ ...field, ...value, runStepId }, user.id),
    );
    return { runStepField };
  }),

  updateRunStepField: withInput<UpdateFieldInput>((input, context) => {
    const { store } = context;
    const field = current(store.runStepFields, input);
    for (const each of [field, ...siblingFields(field, store)]) checkRedline(each.runStepId, store);
    const patch = columns(input, 'value');
    const value =
      input.value === undefined ? {} : checkedValue({ ...field, ...patch }, input.value, store);
    return { runStepField: setValues(field, { ...patch, ...value }, context) };
  }),

  updateRunStepFieldValue: withInput<ValueInput>((input, context) => {
    const { store } = context;
    const field = current(store.runStepFields, input);
    for (const each of [field, ...siblingFields(field, store)]) checkSettable(each, store);
    const notApplicable = input.notApplicable ?? false;
    if (notApplicable && !field.allowNotApplicable) {
      throw new Error(`Field "${field.name}" cannot be marked as not applicable.`);
    }
    const value =
      input.value === undefined
        ? {}
        : checkedValue(field, notApplicable ? null : input.value, store);
    applyRule(field, input.value, context);
    return { runStepField: setValues(field, { ...value, notApplicable }, context) };
  }),

  deleteRunStepField: withArgs<Versioned>((args, { store }) => {
    const field = current(store.runStepFields, args);
    const fields = [field, ...siblingFields(field, store)];
    for (const { runStepId } of fields) checkRedline(runStepId, store);
    for (const { id } of fields) store.runStepFields.delete(id);
    return { id: field.id };
  }),
};

/** Changes a field, and the same field of every other run of a batch. */
export function setValues(
  field: RunStepFieldRow,
  patch: Partial<RunStepFieldRow>,
  { store, user }: WriteContext,
): RunStepFieldRow {
  for (const { id } of siblingFields(field, store)) store.runStepFields.update(id, patch, user.id);
  return store.runStepFields.update(field.id, patch, user.id);
}

function checkRedline(runStepId: number, store: Store): void {
  if (store.runSteps.get(runStepId)?.status === 'REDLINE') return;
  throw new Error(
    `The fields of run step ${runStepId} can only be changed while it is in REDLINE.`,
  );
}

function checkSettable(field: RunStepFieldRow, store: Store): void {
  if (field.type === 'SIGNOFF') {
    throw new Error(`Field "${field.name}" is a sign-off, which only a person can give.`);
  }
  if (!settable(field, store)) {
    throw new Error(
      `Field "${field.name}" cannot be set while its step is ${store.runSteps.get(field.runStepId)?.status}.`,
    );
  }
}

function applyRule(field: RunStepFieldRow, value: unknown, { control }: ApiContext): void {
  if (control.settings.rule && field.name === 'Torque' && Number(value) > 50) {
    throw new Error(RULE_TEXT);
  }
}

type Values = Pick<RunStepFieldRow, 'value'> & Partial<Pick<RunStepFieldRow, 'fileAttachmentId'>>;

/** The columns that hold a value, once it is of the field's type. */
function checkedValue(
  field: Pick<RunStepFieldRow, 'name' | 'type' | 'options' | 'allowedIonType'>,
  value: unknown,
  store: Store,
): Values {
  if (value === null) return { value: null };
  const refuse = (wanted: string) =>
    new Error(`The value of field "${field.name}" must be ${wanted}.`);
  switch (field.type) {
    case 'NUMBER':
      if (typeof value !== 'number') throw refuse('a number');
      return { value };
    case 'BOOLEAN':
      if (typeof value !== 'boolean') throw refuse('a boolean');
      return { value };
    case 'STRING':
      if (typeof value !== 'string') throw refuse('a string');
      return { value };
    case 'SELECT':
      if (typeof value !== 'string' || !isOption(field.options, value)) {
        throw refuse(`one of ${field.options?.join(', ')}`);
      }
      return { value };
    case 'MULTISELECT':
      if (!isStringList(value) || !value.every((each) => isOption(field.options, each))) {
        throw refuse(`a list of ${field.options?.join(', ')}`);
      }
      return { value };
    case 'DATETIME':
      if (typeof value !== 'string' || parseMicros(value) === undefined) {
        throw refuse('an ISO 8601 date and time');
      }
      return { value };
    case 'FILE_ATTACHMENT': {
      const attachment = existing(store.fileAttachments, value as FieldId);
      return { value: attachment.id, fileAttachmentId: attachment.id };
    }
    case 'ION':
      return { value: ionValue(field.allowedIonType, value as FieldId, store) };
    case 'TOOL':
      return { value: existing(store.partInventories, value as FieldId).id };
    case 'SIGNOFF':
      throw refuse('given by a person');
  }
}

type FieldId = string | number;

function ionValue(type: RunStepFieldRow['allowedIonType'], id: FieldId, store: Store): FieldValue {
  const row = type === 'USERS' ? existing(store.users, id) : existing(store.parts, id);
  return String(row.id);
}

function isOption(options: readonly string[] | null, value: string): boolean {
  return options === null || options.includes(value);
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
