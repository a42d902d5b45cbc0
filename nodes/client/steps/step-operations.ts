import type { SentOperation } from '../graphql/operation.js';
import { CREATE_UPLOADED_MUTATION, DELETE_MUTATION, STEP_QUERY } from './attachments.js';
import { FIELD_MUTATION } from './field-mutation.js';
import { RUN_NAME_QUERY } from './run-names.js';
import { FIELD_QUERY, STEP_LOOK_UPS } from './run-steps.js';
import { STATUS_MUTATION } from './step-status.js';

/** The operations that a write to a step sends, whichever of its two upload flows ION has. */
export function stepOperations(
  action: 'field' | 'status' | 'file',
  startsStep: boolean,
): SentOperation[] {
  const lookUps: SentOperation[] = [
    ...STEP_LOOK_UPS.map((operation) => ({ operation })),
    // Only for runs that are not given by their IDs.
    { operation: RUN_NAME_QUERY, isRare: true },
  ];
  switch (action) {
    case 'status':
      return [...lookUps, { operation: STATUS_MUTATION }];
    case 'file':
      return [
        ...lookUps,
        { operation: CREATE_UPLOADED_MUTATION },
        // After a lost response, the step is searched for the file, and an incomplete one is deleted.
        { operation: STEP_QUERY, isRare: true },
        { operation: DELETE_MUTATION, isRare: true },
      ];
    default:
      return [
        ...lookUps,
        { operation: FIELD_QUERY },
        { operation: FIELD_MUTATION },
        ...(startsStep ? [{ operation: STATUS_MUTATION }] : []),
      ];
  }
}
