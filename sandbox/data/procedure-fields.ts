import type { ProcedureRow, Row } from './model.js';
import type { Getter, Store } from './store.js';

interface StepRow extends Row {
  procedureId?: number | null;
  parentId?: number | null;
  originStepId?: number | null;
  position?: number | null;
}
interface EdgeRow extends Row {
  stepId: number;
  upstreamStepId: number;
}

/** The steps of a procedure in their order, without those that are part of another step. */
function topSteps({ id }: ProcedureRow, store: Store): readonly StepRow[] {
  const all = store.of('Step', 'procedureId', id) as readonly StepRow[];
  return all
    .filter((step) => !step.parentId)
    .sort((a, b) => (a.position ?? a.id) - (b.position ?? b.id));
}

function labels({ familyId }: ProcedureRow, store: Store): unknown[] {
  const all = store.table('Label').all() as readonly (Row & {
    familyIds?: number[];
    value: string;
  })[];
  return all.filter((label) => label.familyIds?.includes(familyId)).map(({ value }) => value);
}

/** A step without a procedure is a standard step, which procedures have copies of. */
const isStandard = ({ procedureId, parentId }: StepRow) => !procedureId && !parentId;

function steps(column: string, id: number, store: Store): readonly StepRow[] {
  return store.of('Step', column, id) as readonly StepRow[];
}

function standardStep(step: StepRow, store: Store): StepRow | null {
  const origin = store.table('Step').get(step.originStepId ?? 0) as StepRow | undefined;
  return step.procedureId && origin && isStandard(origin) ? origin : null;
}

function edges(column: keyof EdgeRow, step: StepRow, store: Store): readonly EdgeRow[] {
  return store.of('StepsEdge', column, step.id) as readonly EdgeRow[];
}

function standardStepProcedures(step: StepRow, store: Store): unknown[] {
  const ids = steps('originStepId', step.id, store).map(({ procedureId }) => procedureId ?? 0);
  return [...new Set(ids)].map((id) => store.procedures.get(id)).filter((each) => each);
}

function allParents(step: StepRow, store: Store): StepRow[] {
  const found: StepRow[] = [];
  let parent = store.table('Step').get(step.parentId ?? 0) as StepRow | undefined;
  while (parent && !found.includes(parent)) {
    found.push(parent);
    parent = store.table('Step').get(parent.parentId ?? 0) as StepRow | undefined;
  }
  return found;
}

function allChildren(step: StepRow, store: Store): StepRow[] {
  const all = store.table('Step').all() as readonly StepRow[];
  return all.filter((other) => other.parentId && allParents(other, store).includes(step));
}

const ofSteps: Record<string, Getter<StepRow>> = {
  isStandardStep: isStandard,
  isChildStandardStep: ({ procedureId, parentId }) => !procedureId && Boolean(parentId),
  isDerivedStep: (step, store) => standardStep(step, store) !== null,
  standardStep,
  derivedSteps: (step, store) =>
    steps('originStepId', step.id, store).filter((each) => standardStep(each, store)),
  standardStepProcedures,
  standardStepProcedureCount: (step, store) => standardStepProcedures(step, store).length,
  fieldCount: (step, store) => store.of('StepField', 'stepId', step.id).length,
  allChildren,
  allParents,
  upstream: (step, store) => edges('stepId', step, store),
  downstream: (step, store) => edges('upstreamStepId', step, store),
  upstreamStepIds: (step, store) => edges('stepId', step, store).map((edge) => edge.upstreamStepId),
  downstreamStepIds: (step, store) =>
    edges('upstreamStepId', step, store).map((edge) => edge.stepId),
};

interface ValueRow extends Row {
  columnId: number;
  value?: unknown;
}

/** The type of a value in a grid is that of its column. */
function typeOf({ columnId }: ValueRow, store: Store): unknown {
  const column = store.table('DatagridColumn').get(columnId) as
    | (Row & { type?: string })
    | undefined;
  return column?.type ?? null;
}

const ofValues: Record<string, Getter<ValueRow>> = {
  type: typeOf,
  fileAttachmentId: (row, store) =>
    typeOf(row, store) === 'FILE_ATTACHMENT' ? Number(row.value) : null,
};

/** The computed members of procedures, their steps and the grids in these. */
export const procedureFields = {
  Procedure: { steps: topSteps, labels },
  Step: ofSteps,
  DatagridValue: ofValues,
};
