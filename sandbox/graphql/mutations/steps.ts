import { siblingRuns, siblingSteps } from '../../data/batches.js';
import type { RunRow, StepStatus } from '../../data/model.js';
import { blankStep } from '../../data/row-templates.js';
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
import { checkTransition, updateBatchedStep } from './transitions.js';

interface CreateStepInput {
  runId: string;
  title: string;
  position?: number;
  locationId?: string | null;
  parentId?: string | null;
  attributes?: AttributeInput[] | null;
}

interface UpdateStepInput extends Versioned {
  status?: StepStatus | null;
  locationId?: string | null;
  parentId?: string | null;
  attributes?: AttributeInput[] | null;
}

export const stepMutations: Record<string, Mutation> = {
  createRunStep: withInput<CreateStepInput>((input, context) => {
    const { store, user } = context;
    const run = existing(store.runs, input.runId);
    if (input.locationId) existing(store.locations, input.locationId);
    if (input.parentId) existing(store.runSteps, input.parentId);
    // ION ignores `position`: a new step comes last, in REDLINE.
    const add = ({ id }: RunRow) =>
      store.runSteps.insert(
        {
          ...blankStep(id, input.title, store.runSteps.of(id).length),
          ...columns(input, 'position', 'runId'),
        },
        user.id,
      );
    const step = add(run);
    for (const sibling of siblingRuns(run, store)) add(sibling);
    createAttributes('RunStep', step.id, input.attributes, context);
    return { step };
  }),

  updateRunStep: withInput<UpdateStepInput>((input, context) => {
    const { store } = context;
    const step = current(store.runSteps, input);
    if (input.locationId) existing(store.locations, input.locationId);
    if (input.parentId) existing(store.runSteps, input.parentId);
    const { status } = input;
    const patch = { ...columns(input, 'status', 'displayPdf'), ...(status && { status }) };
    if (status) checkTransition(step, status, store);
    updateAttributes('RunStep', step.id, input.attributes, context);
    return { runStep: updateBatchedStep(step, patch, context) };
  }),

  deleteRunStep: withArgs<Versioned>((args, { store }) => {
    const step = current(store.runSteps, args);
    if (step.status !== 'REDLINE') {
      throw new Error(`Run step ${step.id} can only be deleted while it is in REDLINE.`);
    }
    for (const { id } of [step, ...siblingSteps(step, store)]) {
      for (const field of [...store.runStepFields.of(id)]) store.runStepFields.delete(field.id);
      store.runSteps.delete(id);
    }
    return { id: step.id };
  }),

  cancelRunStepRedline: withArgs<Versioned>((args, context) => {
    const step = current(context.store.runSteps, args);
    if (step.status !== 'REDLINE') throw new Error(`Run step ${step.id} is not in REDLINE.`);
    return { runStep: updateBatchedStep(step, { status: 'TODO' }, context) };
  }),
};
