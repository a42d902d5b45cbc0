import { siblingSteps } from '../../data/batches.js';
import { availableToWork, openUpstream } from '../../data/computed-fields.js';
import type { RunStepRow, StepStatus } from '../../data/model.js';
import type { Store } from '../../data/store.js';
import type { WriteContext } from '../context.js';
import { applyEffects } from './step-effects.js';

/** The statuses that may follow each status of a step. */
const TRANSITIONS: Record<StepStatus, readonly StepStatus[]> = {
  REDLINE: ['TODO', 'CANCELED'],
  TODO: ['IN_PROGRESS', 'HOLD', 'CANCELED', 'REDLINE'],
  IN_PROGRESS: ['COMPLETE', 'FAILED', 'HOLD', 'TODO', 'CANCELED', 'REDLINE'],
  FAILED: ['TODO', 'IN_PROGRESS', 'CANCELED', 'REDLINE'],
  HOLD: ['TODO', 'IN_PROGRESS', 'CANCELED', 'REDLINE'],
  COMPLETE: ['REDLINE'],
  CANCELED: ['TODO', 'REDLINE'],
  DAG_MODIFIABLE: ['TODO', 'CANCELED', 'REDLINE'],
};

/** Refuses a status that the step, or the same step of another run of its batch, may not take now. */
export function checkTransition(step: RunStepRow, status: StepStatus, store: Store): void {
  for (const each of [step, ...siblingSteps(step, store)]) checkOne(each, status, store);
}

function checkOne(step: RunStepRow, status: StepStatus, store: Store): void {
  if (step.status === status) return;
  if (!TRANSITIONS[step.status].includes(status)) {
    throw new Error(`Run step ${step.id} cannot go from ${step.status} to ${status}.`);
  }
  if (status === 'IN_PROGRESS') checkStart(step, store);
  if (status === 'COMPLETE') checkComplete(step, store);
}

function checkStart(step: RunStepRow, store: Store): void {
  const open = openUpstream(step, store);
  if (open.length > 0) {
    const names = open.map((upstream) => `"${upstream.title}"`).join(', ');
    throw new Error(
      `Run step ${step.id} cannot start before its upstream steps are complete: ${names}.`,
    );
  }
  if (!availableToWork({ ...step, status: 'TODO' }, store)) {
    throw new Error(`Run step ${step.id} cannot start before its parent step is in progress.`);
  }
}

function checkComplete(step: RunStepRow, store: Store): void {
  const empty = store.runStepFields
    .of(step.id)
    .filter((field) => field.required && !field.notApplicable && field.value === null);
  if (empty.length === 0) return;
  const names = empty.map((field) => `"${field.name}"`).join(', ');
  throw new Error(
    `Run step ${step.id} cannot be completed while required fields are empty: ${names}.`,
  );
}

/** The columns that move with a status. */
function statusColumns(
  step: RunStepRow,
  status: StepStatus,
  now: string,
  userId: number,
): Partial<RunStepRow> {
  if (step.status === status) return {};
  switch (status) {
    case 'IN_PROGRESS':
      return {
        status,
        startTime: step.startTime ?? now,
        startedById: step.startedById ?? userId,
        endTime: null,
        completedById: null,
      };
    case 'COMPLETE':
      return { status, endTime: now, completedById: userId };
    case 'FAILED':
    case 'CANCELED':
      return { status, endTime: now };
    default:
      return { status, endTime: null, completedById: null };
  }
}

/** Changes one step, with everything that its new status sets off. */
export function updateStep(
  step: RunStepRow,
  patch: Partial<RunStepRow>,
  context: WriteContext,
): RunStepRow {
  const { store, user } = context;
  const { status: before } = step;
  const moved = statusColumns(step, patch.status ?? before, store.clock.now(), user.id);
  const updated = store.runSteps.update(step.id, { ...patch, ...moved }, user.id);
  applyEffects(updated, before, context);
  return updated;
}

/** Changes a step, and the same step of every other run of its batch. */
export function updateBatchedStep(
  step: RunStepRow,
  patch: Partial<RunStepRow>,
  context: WriteContext,
): RunStepRow {
  for (const sibling of siblingSteps(step, context.store)) updateStep(sibling, patch, context);
  return updateStep(step, patch, context);
}
