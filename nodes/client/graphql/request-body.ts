import { IonError, reasonOf } from '../errors.js';
import type { Operation } from './operation.js';
import type { Adapted } from './schema-lacks.js';
import { checkVariables } from './variables.js';

/** The document of an operation as JSON, because a flow repeats it with other variables. */
const written = new WeakMap<Operation, { text: string; json: string }>();

/**
 * The body of a request, as JSON.
 * @throws IonError `ION_VARIABLES` for variables that JSON cannot represent
 */
export function requestBody(
  operation: Operation,
  { text, variables }: Pick<Adapted, 'text' | 'variables'>,
): string {
  checkVariables(variables);
  try {
    const { name } = operation;
    const query = `{"query":${documentAsJson(operation, text)}`;
    const rest = JSON.stringify({ variables, operationName: name });
    // Without its opening bracket.
    return rest === '{}' ? `${query}}` : `${query},${rest.slice(1)}`;
  } catch (cause) {
    throw new IonError(
      'ION_VARIABLES',
      `The variables cannot be written as JSON: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}

function documentAsJson(operation: Operation, text: string): string {
  const known = written.get(operation);
  if (known?.text === text) return known.json;
  const json = JSON.stringify(text);
  written.set(operation, { text, json });
  return json;
}
