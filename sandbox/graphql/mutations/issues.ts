import { siblingSteps } from '../../data/batches.js';
import type { IssueRow } from '../../data/model.js';
import type { WriteContext } from '../context.js';
import { type AttributeInput, createAttributes } from './attributes.js';
import { columns, existing, type Mutation, withInput } from './common.js';

interface CreateIssueInput {
  runStepId?: string | null;
  partInventoryIds?: number[] | null;
  createIssueForEachBatchSibling?: boolean | null;
  attributes?: AttributeInput[] | null;
}

/** Opens an issue. */
export function insertIssue(
  values: Partial<Omit<IssueRow, 'id'>>,
  { store, user }: WriteContext,
): IssueRow {
  return store.issues.insert(
    {
      title: null,
      status: 'PENDING',
      causeCondition: null,
      expectedCondition: null,
      disposition: null,
      issueDispositionTypeId: null,
      runStepId: null,
      mustCloseByRunStepId: null,
      purchaseOrderLineId: null,
      fixPartInventoryId: null,
      assignedToId: null,
      assignedTeamId: null,
      partInventoryIds: [],
      ...values,
    },
    user.id,
  );
}

const STEERING = ['createIssueForEachBatchSibling', 'partInventoryIds'];

export const issueMutations: Record<string, Mutation> = {
  createIssue: withInput<CreateIssueInput>((input, context) => {
    const { store } = context;
    const step = input.runStepId ? existing(store.runSteps, input.runStepId) : undefined;
    const partInventoryIds = (input.partInventoryIds ?? []).map(
      (id) => existing(store.partInventories, id).id,
    );
    const values = columns(input, ...STEERING);
    const issue = insertIssue({ ...values, partInventoryIds }, context);
    createAttributes('Issue', issue.id, input.attributes, context);
    const isForAll = input.createIssueForEachBatchSibling;
    for (const sibling of step && isForAll ? siblingSteps(step, store) : []) {
      const { id: runStepId, partInventoryIds: units } = sibling;
      const { id } = insertIssue({ ...values, runStepId, partInventoryIds: units }, context);
      createAttributes('Issue', id, input.attributes, context);
    }
    return { issue };
  }),
};
