import type { NodeAPI } from 'node-red';
import { resolveEndpoints } from '../../client/auth/environments.js';
import { IonClient } from '../../client/client.js';
import { IonError, quote } from '../../client/errors.js';
import type { MutationLog } from '../../client/graphql/mutation-log.js';
import type { IonClientSettings } from '../../client/ion-client-settings.js';
import { variableOf } from '../../client/support/references.js';
import { configMigrations } from '../../migrations/ion-config.js';
import { migrate } from '../../migrations/migrate.js';
import { type ConfigValues, clientSettings, endpointSettings } from '../client-settings.js';
import type { IonConfigNode } from '../config-node.js';
import { deployedConfig } from './deployed-config.js';

/** Node-RED's editor shows this text in place of a stored password. */
const UNCHANGED_PASSWORD = '__PWRD__';

/** The values of a dialog, deployed or not. */
interface DialogRequest {
  id: string;
  config: ConfigValues;
  credentials: { clientId?: string; clientSecret?: string };
}

/**
 * The result of work with the values of a config node as they are in the editor, deployed or not.
 * @throws IonError `ION_CONFIG` for values that cannot work, or may not be used
 */
export async function withClientOfDialog<Result>(
  RED: NodeAPI,
  body: unknown,
  work: (client: IonClient) => Promise<Result>,
): Promise<Result> {
  const client = new IonClient({ ...settingsOfDialog(RED, body).settings, retries: 0 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/**
 * The values of a dialog, and the settings of a client with them.
 * @throws IonError `ION_CONFIG`
 */
export function settingsOfDialog(
  RED: NodeAPI,
  body: unknown,
): { values: ConfigValues; settings: IonClientSettings } {
  const { id, config, credentials } = readRequest(body);
  const deployed = deployedConfig(RED, id);
  const stored = deployed && storedTexts(RED, id);
  const values = withDeployedVariables(migrated(config), stored?.config, deployed?.values);
  const key = withDeployedVariables(credentials, stored?.credentials, deployed?.credentials);
  // A wrong URL is reported first, because the user can see it, unlike the secret.
  resolveEndpoints(endpointSettings(values));
  const isStored = variableOf(credentials.clientSecret) !== undefined;
  const typed = isStored ? '' : (key.clientSecret ?? '');
  const clientSecret = secretToSend(deployed, values, typed);
  // The editor reads the ID of a deployed key only when the dialog of its config node opens.
  const clientId = key.clientId ?? deployed?.credentials?.clientId ?? '';
  const settings = clientSettings(RED, values, { clientId, clientSecret });
  const mutationLog = logOf(deployed);
  // While flows send nothing, no dialog does either.
  const mode = deployed?.isDryRun ? 'dryRun' : settings.mode;
  return { values, settings: { ...settings, mode, mutationLog } };
}

/** Values that are not deployed must not avoid the log of the deployed ones. */
function logOf(deployed: IonConfigNode | undefined): MutationLog | undefined {
  try {
    return deployed?.client.mutationLog;
  } catch {
    // Its settings cannot work.
    return undefined;
  }
}

/** The dialog sends values of today, without a version; a saved node may be older. */
function migrated(config: ConfigValues & { version?: unknown }): ConfigValues {
  if (config.version === undefined) return config;
  return migrate(configMigrations, { ...config }) as unknown as ConfigValues;
}

function readRequest(body: unknown): DialogRequest {
  const { id, config, credentials } = (body ?? {}) as Partial<DialogRequest>;
  if (typeof id !== 'string' || !hasOnlyPlainValues(config) || !hasOnlyTexts(credentials)) {
    throw new IonError('ION_CONFIG', 'The request must hold an ID, the config and credentials.');
  }
  return body as DialogRequest;
}

function hasOnlyPlainValues(config: unknown): boolean {
  return isObject(config) && Object.values(config).every((value) => !isObject(value));
}

function hasOnlyTexts(credentials: unknown): boolean {
  return (
    isObject(credentials) && Object.values(credentials).every((value) => typeof value === 'string')
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * The client secret to send. The stored one goes only to the deployed URLs, so that nobody with
 * access to the editor can send it elsewhere.
 */
function secretToSend(
  deployed: IonConfigNode | undefined,
  values: ConfigValues,
  typed: string,
): string {
  const isStored = typed === '' || typed === UNCHANGED_PASSWORD;
  if (!isStored) return typed;
  if (!deployed && typed === '') return '';
  if (!deployed || !isSameDestination(deployed.values, values)) {
    throw new IonError(
      'ION_CONFIG',
      'The stored client secret is only sent to the deployed URLs. Enter the secret again, or deploy first.',
    );
  }
  return deployed.credentials?.clientSecret ?? '';
}

/**
 * The destination of a secret. The URLs are those that a client uses, because different texts may lead
 * to the same place.
 * @throws IonError `ION_CONFIG` for values that cannot work
 */
function destination(values: ConfigValues): string {
  // A wrong audience changes no URL.
  const { graphqlUrl, tokenUrl } = resolveEndpoints(endpointSettings({ ...values, audience: '' }));
  const { allowHttp = false, tls = '', proxy = '' } = values;
  return JSON.stringify([graphqlUrl, tokenUrl, allowHttp, tls, proxy]);
}

function isSameDestination(one: ConfigValues, other: ConfigValues): boolean {
  try {
    return destination(one) === destination(other);
  } catch {
    return false;
  }
}

/**
 * The texts of a config node in the flow file, where references to environment variables are not
 * replaced; `undefined` for a copy of it in an instance of a subflow.
 */
function storedTexts(
  RED: NodeAPI,
  id: string,
): { config: object; credentials: object } | undefined {
  let config: object | undefined;
  RED.nodes.eachNode((node) => {
    if (node.id === id) config = migrate(configMigrations, { ...node });
  });
  return config && { config, credentials: RED.nodes.getCredentials(id) ?? {} };
}

/**
 * The values of the dialog, with deployed values in place of references to environment variables. A
 * reference that is not deployed is not resolved: the result would reveal the server's environment.
 * @throws IonError `ION_CONFIG`
 */
function withDeployedVariables<Values extends object>(
  values: Values,
  stored: object | undefined,
  deployed: Partial<Values> | undefined,
): Values {
  const resolve = (name: string, value: unknown): unknown => {
    const variable = variableOf(value);
    if (variable === undefined) return value;
    const isStored = !stored || (stored as Record<string, unknown>)[name] === value;
    if (deployed && isStored) return deployed[name as keyof Values];
    throw new IonError(
      'ION_CONFIG',
      `The environment variable ${quote(variable)} is only read on a deploy. Deploy this configuration first.`,
    );
  };
  const entries = Object.entries(values).map(([name, value]) => [name, resolve(name, value)]);
  return Object.fromEntries(entries);
}
