import type { StepStatus } from '../../data/model.js';
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
import { checkOutAll, checkTransition, statusColumns } from './transitions.js';

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
    const step = store.runSteps.insert(
      {
        ...blankStep(run.id, input.title, store.runSteps.of(run.id).length),
        ...columns(input, 'position'),
      },
      user.id,
    );
    createAttributes('RunStep', step.id, input.attributes, context);
    return { step };
  }),

  updateRunStep: withInput<UpdateStepInput>((input, context) => {
    const { store, user } = context;
    const step = current(store.runSteps, input);
    if (input.locationId) existing(store.locations, input.locationId);
    if (input.parentId) existing(store.runSteps, input.parentId);
    const status = input.status ?? step.status;
    checkTransition(step, status, store);
    updateAttributes('RunStep', step.id, input.attributes, context);
    const now = store.clock.now();
    const leaves = step.status === 'IN_PROGRESS' && status !== 'IN_PROGRESS';
    const runStep = store.runSteps.update(
      step.id,
      {
        ...columns(input, 'status', 'displayPdf'),
        ...statusColumns(step, status, now, user.id),
      },
      user.id,
    );
    if (leaves) checkOutAll(step.id, store, now);
    return { runStep };
  }),

  deleteRunStep: withArgs<Versioned>((args, { store }) => {
    const step = current(store.runSteps, args);
    if (step.status !== 'REDLINE') {
      throw new Error(`Run step ${step.id} can only be deleted while it is in REDLINE.`);
    }
    for (const field of [...store.runStepFields.of(step.id)]) store.runStepFields.delete(field.id);
    store.runSteps.delete(step.id);
    return { id: step.id };
  }),

  cancelRunStepRedline: withArgs<Versioned>((args, { store, user }) => {
    const step = current(store.runSteps, args);
    if (step.status !== 'REDLINE') throw new Error(`Run step ${step.id} is not in REDLINE.`);
    return { runStep: store.runSteps.update(step.id, { status: 'TODO' }, user.id) };
  }),
};
