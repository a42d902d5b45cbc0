import type { IonError } from './errors.js';
import type { Operation } from './graphql/operation.js';

/** The outcome of one operation. */
export interface OperationOutcome {
  /** If operations shared a document, it stands for all of them. */
  operation: Operation;
  /** As the caller gave them. */
  variables: Record<string, unknown> | undefined;
  /** `undefined` for a success. */
  error: IonError | undefined;
  /** Number of requests that were sent to the API; 0 for a mutation of a dry run. */
  attempts: number;
  /** From the call to the outcome, in ms, with the time in the queue and the retries. */
  durationMs: number;
}

/** It must not throw. */
export type OutcomeListener = (outcome: OperationOutcome) => void;
