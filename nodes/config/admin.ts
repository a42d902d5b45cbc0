import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { resolveEndpoints } from '../client/auth/environments.js';
import { IonClient } from '../client/client.js';
import { IonError, type IonErrorCode, quote, toIonError } from '../client/errors.js';
import { parseOperation } from '../client/graphql/operation.js';
import { checkDepth } from '../client/support/json.js';
import { writeJson } from '../client/support/long-json.js';
import { variableOf } from '../client/support/references.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Stored } from '../outbox/store/entries.js';
import { loadLevel } from '../outbox/store/load-level.js';
import { type ConfigValues, clientSettings, endpointSettings } from './client-settings.js';
import type { IonConfigNode } from './config-node.js';

/** In ION's documentation the query that tells whose key it is. */
const WHO_AM_I = '{ me { id name email organization { id domain } } }';

/** What Node-RED's editor holds in place of a stored password. */
const UNCHANGED_PASSWORD = '__PWRD__';

/** More than anybody looks at one by one; retry and discard also take all at once. */
const MAX_WRITES_SHOWN = 100;
/** In bytes of JSON; it stays in memory as long as its config node. */
const MAX_SCHEMA = 32 * 1024 * 1024;

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

/** A JSON text that can be sent as it is. */
class JsonText {
  /** Another one for each text. */
  readonly etag = `"${randomUUID()}"`;

  constructor(readonly bytes: Buffer) {}
}

/** Stands for a text that the client has already. */
class NotModified {
  constructor(readonly etag: string) {}
}

/** The refusal of a request whose content was not looked at. */
class BadRequest extends IonError {
  constructor(
    readonly httpStatus: 400 | 415,
    code: IonErrorCode,
    message: string,
  ) {
    super(code, message);
  }
}

/** The routes behind the editor's dialogs, each with Node-RED's own permissions. */
export function registerAdminRoutes(RED: NodeAPI): void {
  const { httpAdmin, auth } = RED;
  const read = auth.needsPermission('ion-config.read');
  const write = auth.needsPermission('ion-config.write');
  httpAdmin.post('/ion-config/test', write, (req, res) => {
    respond(res, (signal) => testConnection(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/:id/run', write, (req, res) => {
    respond(res, (signal) => runOperation(RED, idOf(req), bodyOf(req), signal));
  });
  httpAdmin.get('/ion-config/:id/outbox', read, (req, res) => {
    respond(res, () => readOutbox(RED, idOf(req)));
  });
  httpAdmin.post('/ion-config/:id/outbox', write, (req, res) => {
    respond(res, () => decideOnOutbox(RED, idOf(req), bodyOf(req)));
  });
  // A user who may only look at flows has no reason to make ION work.
  const readOrRefresh: RequestHandler = (req, res, next) =>
    (isRefresh(req) ? write : read)(req, res, next);
  httpAdmin.get('/ion-config/:id/schema', readOrRefresh, (req, res) => {
    respond(res, async () => {
      const schema = await readSchema(RED, idOf(req), isRefresh(req));
      const { etag } = schema;
      return req.headers['if-none-match'] === etag ? new NotModified(etag) : schema;
    });
  });
}

function idOf(req: Request): string {
  return String(req.params.id);
}

function isRefresh(req: Request): boolean {
  return req.query.refresh !== undefined;
}

/**
 * A web page of anybody can make a browser send a form, but JSON only after asking.
 * @throws BadRequest
 */
function bodyOf(req: Request): unknown {
  if (!req.is('application/json')) {
    throw new BadRequest(415, 'ION_CONFIG', 'The request must have a body of type JSON.');
  }
  try {
    checkDepth(req.body);
  } catch {
    throw new BadRequest(
      400,
      'ION_RESPONSE',
      'The variables, or another part of the request, are nested too deeply.',
    );
  }
  return req.body;
}

/** Answers with the result, or with what a flow would get to know of the failure. */
function respond(res: Response, work: (signal: AbortSignal) => Promise<unknown>): void {
  const left = new AbortController();
  res.on('close', () => left.abort());
  // An async function, so that a synchronous throw becomes a rejection.
  const result = async () => work(left.signal);
  result()
    .then((value) => sendJson(res, 200, value))
    .catch((thrown) => sendFailure(res, thrown))
    // The client is gone, or no answer can be written.
    .catch(() => res.destroy());
}

function sendFailure(res: Response, thrown: unknown): Promise<void> {
  const error = toIonError(thrown);
  const { code, message, errors, data } = error;
  const status = error instanceof BadRequest ? error.httpStatus : httpStatus(code);
  const short = () => sendJson(res, status, { code, message });
  return sendJson(res, status, { code, message, errors, data }).catch(short);
}

async function sendJson(res: Response, status: number, body: unknown): Promise<void> {
  if (body instanceof NotModified) {
    if (!res.headersSent && !res.destroyed) res.status(304).set('etag', body.etag).end();
    return;
  }
  const bytes = body instanceof JsonText ? body.bytes : await writeJson(body);
  if (res.headersSent || res.destroyed) return;
  if (body instanceof JsonText) res.set({ etag: body.etag, 'cache-control': 'no-store' });
  res.status(status).type('json').end(bytes);
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

/** The state of the outbox, under the names that docs/scaling.md gives for monitoring. */
async function readOutbox(RED: NodeAPI, id: string): Promise<unknown> {
  const outbox = await requireDeployed(RED, id).outbox.existing();
  if (!outbox) {
    return { waiting: 0, givenUp: 0, failing: [], refused: [], problem: await problemOfOutbox() };
  }
  const { pending, rejected, unreachableSince, reason, failing } = outbox.state;
  const shown = await outbox.rejected(MAX_WRITES_SHOWN);
  return {
    waiting: pending,
    givenUp: rejected,
    unreachableSince,
    reason: reason?.message,
    failing: failing
      .slice(0, MAX_WRITES_SHOWN)
      .map(({ stored, error, tries, since, nextTryAt }) => {
        const { code, message } = error;
        return { ...shownEntry(outbox, stored), error: { code, message }, tries, since, nextTryAt };
      }),
    refused: shown.map((stored) => {
      const { error, givenUpAt } = stored.entry;
      return { ...shownEntry(outbox, stored), givenUpAt, error };
    }),
  };
}

/** Why there cannot be an outbox on this machine. */
async function problemOfOutbox(): Promise<string | undefined> {
  return loadLevel().then(
    () => undefined,
    (thrown) => toIonError(thrown).message,
  );
}

function shownEntry(outbox: Outbox, stored: Stored): object {
  const { sequence, entry } = stored;
  return { sequence, ...outbox.summaryOf(stored), acceptedAt: entry.acceptedAt };
}

async function decideOnOutbox(RED: NodeAPI, id: string, body: unknown): Promise<unknown> {
  const { decision, sequences } = (body ?? {}) as { decision?: unknown; sequences?: unknown };
  const isList = Array.isArray(sequences) && sequences.every(Number.isInteger);
  const isDecision = decision === 'retry' || decision === 'discard' || decision === 'skip';
  if (!isDecision || !(isList || (sequences === 'all' && decision !== 'skip'))) {
    throw new IonError(
      'ION_CONFIG',
      'The request must hold a decision, "retry", "discard" or "skip", and the sequences or, for the first two, "all".',
    );
  }
  const outbox = await requireDeployed(RED, id).outbox.existing();
  await outbox?.decide(decision, isList ? (sequences as number[]) : undefined);
  return readOutbox(RED, id);
}

async function testConnection(RED: NodeAPI, body: unknown, signal: AbortSignal): Promise<unknown> {
  const { id, config, credentials } = readTestRequest(body);
  const deployed = deployedConfig(RED, id);
  const stored = deployed && storedTexts(RED, id);
  const values = withDeployedVariables(config, stored?.config, deployed?.values);
  const { clientId = '', clientSecret: typed = '' } = withDeployedVariables(
    credentials,
    stored?.credentials,
    deployed?.credentials,
  );
  // A wrong URL is the fault that the user can see, whichever secret would go there.
  resolveEndpoints(endpointSettings(values));
  const isStored = variableOf(credentials.clientSecret) !== undefined;
  const clientSecret = testSecret(deployed, values, isStored ? '' : typed);
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
  if (typeof id !== 'string' || !hasOnlyPlainValues(config) || !hasOnlyTexts(credentials)) {
    throw new IonError('ION_CONFIG', 'The request must hold an id, the config and credentials.');
  }
  return body as TestRequest;
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
 * The client secret to test with. The stored one goes only where it goes anyway, so that nobody
 * who may edit a config node can send it elsewhere.
 */
function testSecret(
  deployed: IonConfigNode | undefined,
  values: ConfigValues,
  typed: string,
): string {
  const isStored = typed === '' || typed === UNCHANGED_PASSWORD;
  if (!isStored) return typed;
  if (!deployed && typed === '') return '';
  if (!deployed || destination(deployed.values) !== destination(values)) {
    throw new IonError(
      'ION_CONFIG',
      'The stored client secret is only sent to the URLs that are deployed. Enter the secret again, or deploy first.',
    );
  }
  return deployed.credentials?.clientSecret ?? '';
}

function destination(values: ConfigValues): string {
  const { environment, apiUrl, authUrl, allowHttp = false, tls = '', proxy = '' } = values;
  const urls = environment === 'custom' ? [apiUrl, authUrl, allowHttp] : [];
  return JSON.stringify([environment, ...urls, tls, proxy]);
}

/**
 * What a flow file holds of a config node, with references to environment variables; nothing of a
 * copy of it, as an instance of a subflow has.
 */
function storedTexts(
  RED: NodeAPI,
  id: string,
): { config: object; credentials: object } | undefined {
  let config: object | undefined;
  RED.nodes.eachNode((node) => {
    if (node.id === id) config = node;
  });
  return config && { config, credentials: RED.nodes.getCredentials(id) ?? {} };
}

/**
 * The values of the dialog with the deployed value in place of a reference to an environment
 * variable. One that is not deployed is not resolved, because the answers would tell what the
 * server's environment holds.
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
      `The environment variable ${quote(variable)} is only read on a deploy: deploy this configuration, and test it then.`,
    );
  };
  const entries = Object.entries(values).map(([name, value]) => [name, resolve(name, value)]);
  return Object.fromEntries(entries);
}

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
  const { data, attempts } = await client.request(operation, {
    variables,
    signal,
    isEditor: true,
  });
  return { data, attempts };
}

interface Schema {
  known?: JsonText;
  reading?: Promise<JsonText> | undefined;
}

/** Schemas are large and change rarely: one per client, until a refresh is asked for. */
const schemas = new WeakMap<IonClient, Schema>();

/** All who ask while it is being read get the same answer. */
async function readSchema(RED: NodeAPI, id: string, refresh: boolean): Promise<JsonText> {
  const { client } = requireDeployed(RED, id);
  const schema = schemas.get(client) ?? {};
  schemas.set(client, schema);
  if (schema.known && !refresh) return schema.known;
  schema.reading ??= introspect(client).finally(() => {
    schema.reading = undefined;
  });
  schema.known = await schema.reading;
  return schema.known;
}

async function introspect(client: IonClient): Promise<JsonText> {
  // Loaded on first use. Not by import(), which would load the library's second, ESM copy.
  const { getIntrospectionQuery } =
    require('graphql/utilities') as typeof import('graphql/utilities');
  const operation = parseOperation(getIntrospectionQuery());
  // Without the signal of the one who asked: others may wait for the same answer.
  const { signal } = new AbortController();
  const { data } = await client.request(operation, { signal, isEditor: true });
  const bytes = await writeJson(data);
  if (bytes.length <= MAX_SCHEMA) return new JsonText(bytes);
  throw new IonError('ION_RESPONSE', 'The schema of this ION is too large for the dialogs.');
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
