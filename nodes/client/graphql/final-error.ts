import { type IonError, withSentence } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';
import type { Operation } from './operation.js';

/** The error of the last try as the error of the operation. */
export function finalError(operation: Operation, error: IonError): IonError {
  const mayHaveRun =
    operation.kind === 'mutation' && (error.mayHaveRun || ranInPart(operation, error));
  if (!mayHaveRun) return error.with({ mayHaveRun });
  const warning = 'It may have been executed. Check in ION before you send it again.';
  return error.with({ mayHaveRun, message: withSentence(error.message, warning) });
}

/** Some fields of a mutation may have been executed before another one failed. */
function ranInPart({ definition }: Operation, { errors }: IonError): boolean {
  return definition.selectionSet.selections.length > 1 && (errors?.some(hasPath) ?? false);
}
