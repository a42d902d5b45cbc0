import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { IonClient } from '../client/client.js';
import { IonError, type IonErrorCode, toIonError } from '../client/errors.js';
import { parseOperation } from '../client/operation.js';
import type { IonConfigNode } from './config-node.js';
import { type ConfigValues, clientSettings } from './config-settings.js';

/** In ION's documentation the query that tells whose key it is. */
const WHO_AM_I = '{ me { id name email organization { id domain } } }';

/** What Node-RED's editor holds in place of a stored password. */
const UNCHANGED_PASSWORD = '__PWRD__';

/** More than anybody looks at one by one; retry and discard also take all at once. */
const MOST_REFUSED_SHOWN = 100;

/** What the dialog sends: its values as they stand, deployed or not. */
interface TestRequest {
  id: string;
  config: ConfigValues;
  credentials: { clientId?: string; clientSecret?: string };
}

interface RunRequest {
  query: string;
  variables: Record<string, unknown>;
  operationName: string;
  /** The user said yes to a mutation. */
  confirmed: boolean;
}

/** The routes behind the editor's dialogs, each with Node-RED's own permissions. */
export function registerAdminRoutes(RED: NodeAPI): void {
  const { httpAdmin, auth } = RED;
  httpAdmin.post('/ion-config/test', auth.needsPermission('ion-config.write'), (req, res) => {
    void respond(res, (signal) => testConnection(RED, req.body, signal));
  });
  httpAdmin.post('/ion-config/:id/run', auth.needsPermission('ion-config.write'), (req, res) => {
    void respond(res, (signal) => runOperation(RED, String(req.params.id), req.body, signal));
  });
  httpAdmin.get('/ion-config/:id/outbox', auth.needsPermission('ion-config.read'), (req, res) => {
    void respond(res, () => readOutbox(RED, String(req.params.id)));
  });
  httpAdmin.post('/ion-config/:id/outbox', auth.needsPermission('ion-config.write'), (req, res) => {
    void respond(res, () => decideOnOutbox(RED, String(req.params.id), req.body));
  });
  httpAdmin.get('/ion-config/:id/schema', auth.needsPermission('ion-config.read'), (req, res) => {
    void respond(res, () => readSchema(RED, req));
  });
}

/** How much waits in the outbox, and what ION refused for good. */
async function readOutbox(RED: NodeAPI, id: string): Promise<unknown> {
  const outbox = await requireDeployed(RED, id).outbox.existing();
  if (!outbox) return { waiting: 0, givenUp: 0, refused: [] };
  const { waiting, givenUp, unreachableSince, reason } = outbox.state;
  const refused = await outbox.refused(MOST_REFUSED_SHOWN);
  return {
    waiting,
    givenUp,
    unreachableSince,
    reason: reason?.message,
    refused: refused.map(({ sequence, entry: { write, acceptedAt, givenUpAt, error } }) => {
      const { action, target, filename } = write;
      return { sequence, action, target, filename, acceptedAt, givenUpAt, error };
    }),
  };
}

async function decideOnOutbox(RED: NodeAPI, id: string, body: unknown): Promise<unknown> {
  const { decision, sequences } = (body ?? {}) as { decision?: unknown; sequences?: unknown };
  const isList = Array.isArray(sequences) && sequences.every(Number.isInteger);
  if ((decision !== 'retry' && decision !== 'discard') || !(isList || sequences === 'all')) {
    throw new IonError(
      'ION_CONFIG',
      'The request must hold a decision, "retry" or "discard", and the sequences or "all".',
    );
  }
  const outbox = await requireDeployed(RED, id).outbox.existing();
  await outbox?.decide(decision, isList ? (sequences as number[]) : undefined);
  return readOutbox(RED, id);
}

/** Answers with the result, or with what a flow would get to know of the failure. */
async function respond(
  res: Response,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const left = new AbortController();
  res.on('close', () => left.abort());
  try {
    res.json(await work(left.signal));
  } catch (thrown) {
    const { code, message, errors, data } = toIonError(thrown);
    res.status(httpStatus(code)).json({ code, message, errors, data });
  }
}

/** Not 401 or 403, which would tell the editor that its own user is logged out. */
function httpStatus(code: IonErrorCode): number {
  switch (code) {
    case 'ION_CONFIG':
      return 400;
    case 'ION_NOT_FOUND':
      return 404;
    case 'ION_TIMEOUT':
      return 504;
    default:
      return 502;
  }
}

async function testConnection(RED: NodeAPI, body: unknown, signal: AbortSignal): Promise<unknown> {
  const { id, config, credentials } = readTestRequest(body);
  const deployed = deployedConfig(RED, id);
  const values = withoutVariables(config, deployed?.values);
  const { clientId = '' } = withoutVariables(credentials, deployed?.credentials);
  const clientSecret = testSecret(deployed, values, credentials.clientSecret ?? '');
  const settings = clientSettings(RED, values, { clientId, clientSecret });
  const client = new IonClient({ ...settings, retries: 0 });
  try {
    const { data } = await client.request(parseOperation(WHO_AM_I), { signal });
    return data;
  } finally {
    await client.close();
  }
}

function readTestRequest(body: unknown): TestRequest {
  const { id, config, credentials } = (body ?? {}) as Partial<TestRequest>;
  const areObjects = [config, credentials].every((part) => typeof part === 'object' && part);
  if (typeof id !== 'string' || !areObjects) {
    throw new IonError('ION_CONFIG', 'The request must hold an id, the config and credentials.');
  }
  return body as TestRequest;
}

/**
 * The client secret to test with. The stored one goes only where it goes anyway, so that nobody
 * who may edit a config node can send it elsewhere.
 */
function testSecret(
  deployed: IonConfigNode | undefined,
  values: ConfigValues,
  typed: string,
): string {
  const isStored = typed === '' || typed === UNCHANGED_PASSWORD || isVariable(typed);
  if (!isStored) return typed;
  if (!deployed && typed === '') return '';
  if (!deployed || destination(deployed.values) !== destination(values)) {
    throw new IonError(
      'ION_CONFIG',
      'The stored client secret is only sent to the URLs that are deployed. Enter the secret anew, or deploy first.',
    );
  }
  return deployed.credentials?.clientSecret ?? '';
}

function destination(values: ConfigValues): string {
  const { environment, apiUrl, authUrl, allowHttp = false, tls = '', proxy = '' } = values;
  const urls = environment === 'custom' ? [apiUrl, authUrl, allowHttp] : [];
  return JSON.stringify([environment, ...urls, tls, proxy]);
}

function isVariable(value: unknown): value is string {
  return typeof value === 'string' && /^\$\{[^}]+\}$/.test(value);
}

/**
 * Takes the deployed value in place of a `${VARIABLE}`: a variable that is not deployed is not
 * resolved, because the answers would tell what the server's environment holds.
 */
function withoutVariables<Values extends object>(
  values: Values,
  deployed: Partial<Values> | undefined,
): Values {
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    isVariable(value) ? deployed?.[name as keyof Values] : value,
  ]);
  return Object.fromEntries(entries);
}

/** Schemas are large and change rarely: one per client, until a refresh is asked for. */
const schemas = new WeakMap<IonClient, Promise<unknown>>();

/** Executes what stands in the dialog, with the deployed configuration. */
async function runOperation(
  RED: NodeAPI,
  id: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { query, variables, operationName, confirmed } = (body ?? {}) as Partial<RunRequest>;
  const { client } = requireDeployed(RED, id);
  const operation = parseOperation(query, operationName || undefined);
  if (operation.kind === 'mutation' && confirmed !== true) {
    throw new IonError('ION_CONFIG', 'A mutation is only run when it was confirmed.');
  }
  if (variables !== undefined && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw new IonError('ION_VARIABLES', 'The variables must be an object such as { "id": 1 }.');
  }
  const { data, attempts } = await client.request(operation, { variables, signal });
  return { data, attempts };
}

async function readSchema(RED: NodeAPI, req: Request): Promise<unknown> {
  const { client } = requireDeployed(RED, String(req.params.id));
  const known = schemas.get(client);
  if (known && req.query.refresh === undefined) return known;
  // Loaded on first use. Not by import(), which would load the library's second, ESM copy.
  const { getIntrospectionQuery } =
    require('graphql/utilities') as typeof import('graphql/utilities');
  const operation = parseOperation(getIntrospectionQuery());
  // Without the signal of the one who asked: others may wait for the same answer.
  const { signal } = new AbortController();
  const schema = client.request(operation, { signal }).then(({ data }) => data);
  schemas.set(client, known ?? schema);
  schema.then(
    () => schemas.set(client, schema),
    () => {
      if (schemas.get(client) === schema) schemas.delete(client);
    },
  );
  return schema;
}

function requireDeployed(RED: NodeAPI, id: string): IonConfigNode {
  const deployed = deployedConfig(RED, id);
  if (deployed) return deployed;
  throw new IonError('ION_NOT_FOUND', 'This ION config node is not deployed yet, or disabled.');
}

function deployedConfig(RED: NodeAPI, id: string): IonConfigNode | undefined {
  const node = RED.nodes.getNode(id) as IonConfigNode | null;
  return node?.type === 'ion-config' ? node : undefined;
}
