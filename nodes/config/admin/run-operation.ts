import type { NodeAPI } from 'node-red';
import { IonError } from '../../client/errors.js';
import { parseOperation } from '../../client/graphql/operation.js';
import { requireDeployedConfig } from './deployed-config.js';

interface RunRequest {
  query: string;
  variables: Record<string, unknown>;
  operationName: string;
  /** Whether the user confirmed a mutation. */
  confirmed: boolean;
}

/** Executes the operation of a dialog with a deployed configuration. */
export async function runOperation(
  RED: NodeAPI,
  id: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { query, variables, operationName, confirmed } = (body ?? {}) as Partial<RunRequest>;
  const { client } = requireDeployedConfig(RED, id);
  const operation = parseOperation(query, operationName || undefined);
  if (operation.kind === 'mutation' && confirmed !== true) {
    throw new IonError('ION_CONFIG', 'A mutation runs only after it was confirmed.');
  }
  if (variables !== undefined && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw new IonError('ION_VARIABLES', 'The variables must be an object such as { "id": 1 }.');
  }
  const options = { variables, signal, isEditor: true };
  const { data, attempts } = await client.request(operation, options);
  return { data, attempts };
}
