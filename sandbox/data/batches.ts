// The runs of a batch are worked on together: what happens to a step of one happens to the same
// step of all others.
import type { RunRow, RunStepFieldRow, RunStepRow } from './model.js';
import type { Store } from './store.js';

/** The other runs of a run's batch. */
export function siblingRuns(run: RunRow, store: Store): RunRow[] {
  if (run.runBatchId === null) return [];
  const runs = store.of('Run', 'runBatchId', run.runBatchId) as readonly RunRow[];
  return runs.filter(({ id }) => id !== run.id);
}

/** The same step of the other runs of its run's batch. */
export function siblingSteps(step: RunStepRow, store: Store): RunStepRow[] {
  const run = store.runs.get(step.runId);
  return (run ? siblingRuns(run, store) : []).flatMap(
    ({ id }) => store.runSteps.of(id).find((other) => isSameStep(step, other)) ?? [],
  );
}

function isSameStep(step: RunStepRow, other: RunStepRow): boolean {
  // A canceled run leaves the work to the others.
  if (other.status === 'CANCELED' && step.status !== 'CANCELED') return false;
  if (step.originStepId !== null) return step.originStepId === other.originStepId;
  // A step that was added to the runs has no origin.
  return (
    other.originStepId === null && step.position === other.position && step.title === other.title
  );
}

/** The same field of the other runs of a batch. */
export function siblingFields(field: RunStepFieldRow, store: Store): RunStepFieldRow[] {
  const step = store.runSteps.get(field.runStepId);
  return (step ? siblingSteps(step, store) : []).flatMap(
    ({ id }) => store.runStepFields.of(id).find((other) => isSameField(field, other)) ?? [],
  );
}

function isSameField(field: RunStepFieldRow, other: RunStepFieldRow): boolean {
  if (field.originFieldId !== null) return field.originFieldId === other.originFieldId;
  return other.originFieldId === null && field.name === other.name;
}
