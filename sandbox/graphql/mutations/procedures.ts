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

function copyStep(step: Row, changes: object, context: ApiContext): Row {
  const { store } = context;
  const made = copy('Step', step, { familyId: store.table('Step').nextId, ...changes }, context);
  for (const field of store.of('StepField', 'stepId', step.id)) {
    copy('StepField', field, { stepId: made.id }, context);
  }
  return made;
}

function copyProcedure(procedure: Row, changes: object, context: ApiContext): Row {
  const made = copy('Procedure', procedure, { status: 'DRAFT', ...changes }, context);
  const { store } = context;
  // A copied step has the copied parent; a parent is created before its children.
  const copies = new Map<unknown, number>();
  for (const step of store.of('Step', 'procedureId', procedure.id)) {
    const parentId = copies.get((step as unknown as Columns).parentId) ?? null;
    const { id } = copyStep(step, { procedureId: made.id, parentId }, context);
    copies.set(step.id, id);
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
