import type { ProcedureRow, RunRow, TemplateField, TemplateStep } from '../../data/model.js';
import { fieldFromTemplate, stepFromTemplate } from '../../data/row-templates.js';
import { newEtag, type Store } from '../../data/store.js';
import type { WriteContext } from '../context.js';
import { type AttributeInput, createAttributes, updateAttributes } from './attributes.js';
import {
  columns,
  current,
  existing,
  type Mutation,
  type Versioned,
  withArgs,
  withInput,
} from './common.js';
import { updateStep } from './transitions.js';

interface RunInput {
  title?: string | null;
  autogenerateTitle?: boolean | null;
  procedureId?: string | null;
  partId?: string | null;
  partInventoryId?: string | null;
  runBatchId?: number | null;
  runBatchTitle?: string | null;
  addToNewBatch?: boolean | null;
  attributes?: AttributeInput[] | null;
}

/** Members of the inputs that steer the write and are no columns. */
const STEERING = ['autogenerateTitle', 'runBatchTitle', 'addToNewBatch'];

/** Makes a run with copies of its procedure's steps and fields. */
export function createRun(input: RunInput, context: WriteContext): RunRow {
  const { store, user } = context;
  const procedure = input.procedureId ? existing(store.procedures, input.procedureId) : undefined;
  const inventory = input.partInventoryId
    ? existing(store.partInventories, input.partInventoryId)
    : undefined;
  if (input.partId) existing(store.parts, input.partId);
  const title = input.autogenerateTitle ? undefined : input.title;
  if (!title && !procedure) throw new Error('A run needs a title or a procedure.');
  const run = store.runs.insert(
    {
      description: null,
      archived: false,
      quantity: 1,
      dueDate: null,
      scheduledStart: null,
      scheduledEnd: null,
      procedureId: null,
      partId: inventory?.partId ?? null,
      partInventoryId: null,
      runBatchId: null,
      assignedToId: null,
      assignedTeamId: null,
      jiraIssueKey: null,
      resultsLink: null,
      exportControlled: false,
      ...columns(input, ...STEERING),
      ...batchColumns(input, context),
      title: title || `${procedure?.title} ${String(store.runs.nextId).padStart(4, '0')}`,
    },
    user.id,
  );
  createAttributes('Run', run.id, input.attributes, context);
  if (procedure) copySteps(store, run, stepsOf(procedure, store), user.id);
  return run;
}

/** The batch that a run joins: one that exists, or a new one. */
function batchColumns(input: RunInput, { store, user }: WriteContext): Partial<RunRow> {
  const { runBatchId, runBatchTitle = null, addToNewBatch } = input;
  const batches = store.table('RunBatch');
  if (runBatchId) existing(batches, runBatchId);
  if (!addToNewBatch) return {};
  const title: object = { title: runBatchTitle };
  return { runBatchId: batches.insert(title, user.id).id };
}

/** The steps of a procedure; data of earlier versions has them in the procedure only. */
function stepsOf(procedure: ProcedureRow, store: Store): readonly TemplateStep[] {
  const steps = store.of('Step', 'procedureId', procedure.id) as unknown as StoredStep[];
  if (steps.length === 0) return procedure.template ?? [];
  return steps
    .filter(({ parentId }) => !parentId)
    .sort((a, b) => (a.position ?? a.id) - (b.position ?? b.id))
    .map((step) => ({
      ...step,
      fields: store.of('StepField', 'stepId', step.id) as unknown as TemplateField[],
    }));
}

type StoredStep = Omit<TemplateStep, 'fields'> & { parentId?: number | null; position?: number };

function copySteps(store: Store, run: RunRow, template: readonly TemplateStep[], userId: number) {
  let upstream: number[] = [];
  for (const [position, plan] of template.entries()) {
    const step = store.runSteps.insert(
      {
        ...stepFromTemplate(plan, run.id, position, upstream),
        partInventoryIds: run.partInventoryId === null ? [] : [run.partInventoryId],
      },
      userId,
    );
    // ION's copies of one step start with the same etag.
    const _etag = newEtag();
    for (const [index, field] of plan.fields.entries()) {
      store.runStepFields.insert({ ...fieldFromTemplate(field, step.id, index), _etag }, userId);
    }
    upstream = [step.id];
  }
}

function updateRun(input: Versioned & RunInput, context: WriteContext): RunRow {
  const { store, user } = context;
  const run = current(store.runs, input);
  updateAttributes('Run', run.id, input.attributes, context);
  const patch = { ...columns(input, ...STEERING), ...batchColumns(input, context) };
  return store.runs.update(run.id, patch, user.id);
}

export const runMutations: Record<string, Mutation> = {
  createRun: withInput<RunInput>((input, context) => ({ run: createRun(input, context) })),
  createRuns: withArgs<{ input?: RunInput[] | null }>(({ input }, context) => ({
    runs: (input ?? []).map((each) => createRun(each, context)),
  })),
  updateRun: withInput<Versioned & RunInput>((input, context) => ({
    run: updateRun(input, context),
  })),
  updateRuns: withArgs<{ input?: (Versioned & RunInput)[] | null }>(({ input }, context) => {
    // All or none: nothing is written before every etag has been checked.
    for (const each of input ?? []) current(context.store.runs, each);
    return { runs: (input ?? []).map((each) => updateRun(each, context)) };
  }),
  cancelRun: withInput<Versioned>((input, context) => {
    const { store, user } = context;
    const run = current(store.runs, input);
    for (const step of store.runSteps.of(run.id)) {
      if (step.status === 'COMPLETE' || step.status === 'CANCELED') continue;
      updateStep(step, { status: 'CANCELED' }, context);
    }
    return { run: store.runs.update(run.id, {}, user.id) };
  }),
  archiveRun: withInput<Versioned & { archived: boolean }>((input, { store, user }) => {
    const run = current(store.runs, input);
    return { run: store.runs.update(run.id, { archived: input.archived }, user.id) };
  }),
};
