import type { Row } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { current, existing, type Mutation, type Versioned, withArgs, withInput } from './common.js';

type Columns = Partial<Row> & Record<string, unknown>;

/** A new row with the columns of another. */
function copy(type: string, row: Row, changes: object, { store, user }: ApiContext): Row {
  const { id: _id, _created, _updated, _etag, createdById, updatedById, ...columns } = row;
  const values: Columns = { ...columns, ...changes };
  return store.table(type).insert(values, user.id);
}

/** Copies the rows that belong to a row: its fields, the columns and rows of its grid. */
function copyParts(
  types: readonly string[],
  column: string,
  id: number,
  to: number,
  context: ApiContext,
) {
  for (const type of types) {
    for (const row of context.store.of(type, column, id))
      copy(type, row, { [column]: to }, context);
  }
}

type StepRow = Row & { procedureId?: number | null; originStepId?: number | null };

/** Copies a step and the steps in it; `copies` learns which step became which. */
function copyStep(
  step: StepRow,
  changes: object,
  context: ApiContext,
  copies = new Map<number, number>(),
): Row {
  const { store } = context;
  // A copy of a standard step, which has no procedure, says where it comes from.
  const originStepId = step.procedureId ? step.originStepId : step.id;
  const values = { familyId: store.table('Step').nextId, originStepId, ...changes };
  const made = copy('Step', step, values, context);
  copies.set(step.id, made.id);
  copyParts(['StepField', 'DatagridColumn', 'DatagridRow'], 'stepId', step.id, made.id, context);
  for (const child of store.of('Step', 'parentId', step.id)) {
    copyStep(child, { ...changes, parentId: made.id }, context, copies);
  }
  return made;
}

function copyProcedure(procedure: Row, changes: object, context: ApiContext): Row {
  const made = copy('Procedure', procedure, { status: 'DRAFT', ...changes }, context);
  const { store } = context;
  const copies = new Map<number, number>();
  for (const step of store.of('Step', 'procedureId', procedure.id) as readonly (Row & Columns)[]) {
    if (!step.parentId) copyStep(step, { procedureId: made.id }, context, copies);
  }
  for (const edge of store.table('StepsEdge').all() as readonly (Row & Columns)[]) {
    const [stepId, upstreamStepId] = [edge.stepId, edge.upstreamStepId].map((id) =>
      copies.get(Number(id)),
    );
    if (stepId && upstreamStepId) copy('StepsEdge', edge, { stepId, upstreamStepId }, context);
  }
  return made;
}

/** Copies of procedures, steps and fields. */
export const procedureMutations: Record<string, Mutation> = {
  cloneProcedure: withArgs<{ procedureId: string; etag: string }>((args, context) => {
    const { store } = context;
    const procedure = current(store.procedures, { id: args.procedureId, etag: args.etag });
    const changes = { familyId: store.procedures.nextId, version: 1 };
    return { procedure: copyProcedure(procedure, changes, context) };
  }),

  createProcedureVersion: withArgs<{ familyId: string; procedureId?: string | null }>(
    (args, context) => {
      const { procedures } = context.store;
      const family = procedures.all().filter(({ familyId }) => familyId === Number(args.familyId));
      const version = Math.max(0, ...family.map((each) => each.version)) + 1;
      const id = args.procedureId ?? family.find((each) => each.version === version - 1)?.id;
      return { procedure: copyProcedure(existing(procedures, id), { version }, context) };
    },
  ),

  copyStep: withInput<{ stepId: string; procedureId?: string; parentId?: string }>(
    (input, context) => {
      const step = existing(context.store.table('Step'), input.stepId);
      const changes = {
        ...(input.procedureId && {
          procedureId: existing(context.store.procedures, input.procedureId).id,
        }),
        parentId: input.parentId ? Number(input.parentId) : null,
        position: null,
      };
      return { step: copyStep(step, changes, context) };
    },
  ),

  copyField: withInput<{ fieldId: string; stepId: string }>((input, context) => {
    const { store } = context;
    const step = existing(store.table('Step'), input.stepId);
    const field = existing(store.table('StepField'), input.fieldId);
    return { stepField: copy('StepField', field, { stepId: step.id }, context) };
  }),

  revokeInvite: withArgs<Versioned>((args, { store }) => {
    const invite = current(store.table('Invite'), args);
    store.table('Invite').delete(invite.id);
    return { invite };
  }),
};
