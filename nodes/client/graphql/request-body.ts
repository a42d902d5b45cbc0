import { IonError, reasonOf } from '../errors.js';
import type { Operation } from './operation.js';
import type { Adapted } from './schema-lacks.js';
import { checkVariables } from './variables.js';

/**
 * The body of a request, as JSON.
 * @throws IonError `ION_VARIABLES` for variables that JSON cannot represent
 */
export function requestBody(
  { name: operationName }: Operation,
  { text: query, variables }: Pick<Adapted, 'text' | 'variables'>,
): string {
  checkVariables(variables);
  try {
    return JSON.stringify({ query, variables, operationName });
  } catch (cause) {
    throw new IonError(
      'ION_VARIABLES',
      `The variables cannot be written as JSON: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}
