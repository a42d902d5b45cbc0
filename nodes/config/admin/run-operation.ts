import type { NodeAPI } from 'node-red';
import type { IonClient } from '../../client/client.js';
import { IonError } from '../../client/errors.js';
import { parseOperation } from '../../client/graphql/operation.js';
import { withClientOfDialog } from './client-of-dialog.js';
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
  const { client } = requireDeployedConfig(RED, id);
  return run(client, body, signal);
}

/** Executes the operation of a dialog with the values of a config node that is not deployed. */
export async function runUndeployedOperation(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  return withClientOfDialog(RED, body, (client) => run(client, body, signal));
}

async function run(client: IonClient, body: unknown, signal: AbortSignal): Promise<unknown> {
  const { query, variables, operationName, confirmed } = (body ?? {}) as Partial<RunRequest>;
  const operation = parseOperation(query, operationName || undefined);
  if (operation.kind === 'mutation' && confirmed !== true) {
    throw new IonError('ION_CONFIG', 'A mutation runs only after it was confirmed.');
  }
  if (variables !== undefined && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw new IonError('ION_VARIABLES', 'The variables must be an object such as { "id": 1 }.');
  }
  const options = { variables, signal, isEditor: true };
  const { data, attempts, dryRun } = await client.request(operation, options);
  return { data, attempts, ...(dryRun && { dryRun: true, request: dryRun }) };
}
