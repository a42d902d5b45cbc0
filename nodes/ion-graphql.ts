import type { Node, NodeAPI } from 'node-red';
import type { IonClient } from './client/client.js';
import { closedError, IonError, toIonError, withSentence } from './client/errors.js';
import type { Origin } from './client/graphql/mutation-log.js';
import { type Operation, parseOperation, requiredVariables } from './client/graphql/operation.js';
import type { TraceContext } from './client/http/trace-context.js';
import type { PageSize } from './client/paging/page-reader.js';
import { pagedOperation } from './client/paging/paged-operation.js';
import { failureAt, type Page, pages } from './client/paging/paginator.js';
import { describe } from './client/support/describe.js';
import { isPlainObject } from './client/support/json.js';
import { Slices } from './client/support/slices.js';
import { requireConfig, statusWithConfig } from './config/find-config.js';
import type { NodeWork } from './config/node-work.js';
import { outboxResults } from './config/outbox-results.js';
import { registerUser } from './config/register-user.js';
import {
  checkOutboxProperties,
  type OutboxProperties,
  readOutboxWrite,
  requireMutation,
} from './graphql/outbox-write.js';
import { graphqlMigrations } from './migrations/ion-graphql.js';
import { graphqlEntry } from './outbox/graphql-writes.js';
import { requireResolved, requireResolvedChoices } from './shared/environment-references.js';
import { handleMessages, type MessageTools } from './shared/handle-messages.js';
import type { Message, MessageDetails } from './shared/message.js';
import { migratedConfig } from './shared/migrated-config.js';
import { missingSource } from './shared/missing-source.js';
import { NOT_SENT } from './shared/node-status.js';
import { requireOutput } from './shared/output-property.js';
import { requireDelivery, requireNumber, requirePageSize } from './shared/property-checks.js';
import { Sequence } from './shared/sequence.js';
import { traceOf } from './shared/trace-of.js';
import { jsonValue, typedValue } from './shared/typed-value.js';

interface IonGraphqlConfig extends OutboxProperties {
  config: string;
  query: string;
  queryType: 'graphql' | 'msg' | 'flow' | 'global' | 'jsonata' | 'env';
  variables: string;
  variablesType: 'json' | 'msg' | 'flow' | 'global' | 'jsonata' | 'env';
  operationName: string;
  pages: 'one' | 'all' | 'stream';
  pageSize: number | string;
  limit: number | string;
  output: string;
}

type Variables = Record<string, unknown> | undefined;

/** The operations of nodes, whose texts stay the same until the next deploy. */
const parsedTexts = new WeakMap<IonGraphqlConfig, Operation>();

/** The request of one message. */
interface Request {
  client: IonClient;
  msg: Message;
  operation: Operation;
  variables: Variables;
  config: IonGraphqlConfig;
  trace: TraceContext | undefined;
  origin: Origin;
}

export default (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-graphql', function (this: Node, saved: IonGraphqlConfig) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, graphqlMigrations, saved);
    const status = statusWithConfig(RED, this, config);
    registerUser(RED, this, config, () => workOf(RED, this, config));
    const outbox = outboxResults(RED, this, status, config);
    const origin = { node: this.id };
    let isChecked = false;
    handleMessages(RED, this, status, config.output, async (msg, tools) => {
      const ion = requireConfig(RED, config);
      const trace = traceOf(ion, msg);
      if (!isChecked) checkReferences(config);
      if (config.delivery === 'outbox') {
        await outbox.accept(ion, msg, tools, async () => {
          if (!isChecked) checkOutboxProperties(RED, this, config);
          isChecked = true;
          const mutation = await readRequest(RED, this, config, msg);
          const write = await readOutboxWrite(RED, this, config, msg, mutation);
          return { entry: () => graphqlEntry({ ...write, trace }) };
        });
        return;
      }
      isChecked = true;
      const read = readRequest(RED, this, config, msg);
      const { operation, variables } = read instanceof Promise ? await read : read;
      const { client } = ion;
      const request: Request = { client, msg, operation, variables, config, trace, origin };
      try {
        await sendResult(RED, request, tools);
      } catch (thrown) {
        throw withMissingVariables(thrown, request);
      }
    });
  });
};

type RequestInput = Pick<Request, 'operation' | 'variables'> & { operationName: string };

/** No promise if both are in the node and the message, which saves a turn of the event loop. */
function readRequest(
  RED: NodeAPI,
  node: Node,
  config: IonGraphqlConfig,
  msg: Message,
): RequestInput | Promise<RequestInput> {
  if (config.queryType !== 'graphql') return readFromMessage(RED, node, config, msg);
  const operation = parseText(config);
  const given = readVariables(RED, node, config, msg);
  return given instanceof Promise
    ? given.then((value) => inputOf(config, operation, value))
    : inputOf(config, operation, given);
}

async function readFromMessage(
  RED: NodeAPI,
  node: Node,
  config: IonGraphqlConfig,
  msg: Message,
): Promise<RequestInput> {
  const operation = await readOperation(RED, node, config, msg);
  return inputOf(config, operation, await readVariables(RED, node, config, msg));
}

function readVariables(RED: NodeAPI, node: Node, config: IonGraphqlConfig, msg: Message): unknown {
  return config.variables === '' ? undefined : typedValue(RED, node, msg, variablesInput(config));
}

function inputOf(config: IonGraphqlConfig, operation: Operation, given: unknown): RequestInput {
  const { operationName = '' } = config;
  return { operation, operationName, variables: variablesOf(config, given) };
}

function sendResult(RED: NodeAPI, request: Request, tools: MessageTools): Promise<void> {
  if (request.config.pages === 'all') return sendAll(request, tools);
  if (request.config.pages === 'stream') return sendPages(RED, request, tools);
  return sendOne(request, tools);
}

/** Texts of GraphQL servers about a variable without a value. */
const NOT_PROVIDED = /of required type|non-null|not provided/i;

/** Adds to ION's refusal of a missing variable that the message has no variables at all. */
function withMissingVariables(
  thrown: unknown,
  { operation, variables, config }: Request,
): IonError {
  const error = toIonError(thrown);
  const { origin, errors = [] } = error;
  if (
    variables !== undefined ||
    origin !== 'operation' ||
    requiredVariables(operation).length === 0
  )
    return error;
  const isAboutVariable = errors.some(({ message }) => NOT_PROVIDED.test(message));
  const why = missingSource(config.variablesType, config.variables);
  if (!isAboutVariable || why === undefined) return error;
  const reason = { key: 'noValue', name: `${config.variablesType}.${config.variables}` } as const;
  return error.with({
    message: withSentence(error.message, `${why}.`),
    ...(config.variablesType !== 'jsonata' && { reason }),
  });
}

function parseText(config: IonGraphqlConfig): Operation {
  const known = parsedTexts.get(config);
  if (known) return known;
  const { query, operationName } = config;
  requireResolved('The query', query, 'ION_QUERY');
  const operation = parseOperation(query, operationName);
  parsedTexts.set(config, operation);
  return operation;
}

/** @throws IonError for a reference to an environment variable that was not replaced, or another delivery */
function checkReferences(config: IonGraphqlConfig): void {
  requireResolvedChoices('ion-graphql', config, ['pages']);
  requireDelivery('ion-graphql', config.delivery);
  requireResolved('The name of the operation', config.operationName, 'ION_QUERY');
}

function workOf(RED: NodeAPI, node: Node, config: IonGraphqlConfig): NodeWork {
  requireOutput(RED, config.output || 'payload');
  checkReferences(config);
  if (config.variablesType === 'json' && config.variables !== '') {
    variablesOf(config, jsonValue(variablesInput(config)));
  }
  if (config.delivery === 'outbox') return outboxWorkOf(RED, node, config);
  if (config.queryType !== 'graphql') return { operations: [], isOpen: true };
  const operation = parseText(config);
  if (config.pages !== 'all' && config.pages !== 'stream') return { operations: [{ operation }] };
  // Also checks that there is a list.
  const paged = pagedOperation(operation);
  const { pageSize } = pagingOf(config);
  return { operations: [{ operation: paged }], pageSize };
}

function outboxWorkOf(RED: NodeAPI, node: Node, config: IonGraphqlConfig): NodeWork {
  const prepare = checkOutboxProperties(RED, node, config);
  const operations = prepare ? [{ operation: prepare }] : [];
  if (config.queryType !== 'graphql') return { operations, isOpen: true, usesOutbox: true };
  const operation = parseText(config);
  requireMutation(operation);
  return { operations: [{ operation }, ...operations], usesOutbox: true };
}

async function readOperation(
  RED: NodeAPI,
  node: Node,
  config: IonGraphqlConfig,
  msg: Message,
): Promise<Operation> {
  const { query, queryType, operationName } = config;
  const input = { value: query, type: queryType, subject: 'The query', code: 'ION_QUERY' } as const;
  return parseOperation(await typedValue(RED, node, msg, input), operationName);
}

function variablesInput({ variables: value, variablesType: type }: IonGraphqlConfig) {
  return { value, type, subject: 'The variables', code: 'ION_VARIABLES' } as const;
}

/** @throws IonError `ION_VARIABLES` for a value that is not an object */
function variablesOf({ variables, variablesType }: IonGraphqlConfig, value: unknown): Variables {
  if (value === undefined || isPlainObject(value)) return value;
  const found = describe(value);
  throw new IonError(
    'ION_VARIABLES',
    `The variables (${variablesType}: ${String(variables).slice(0, 60)}) must be an object such as { "id": 1 }, not ${found}.`,
    { reason: { key: 'noObject' } },
  );
}

async function sendOne(
  { client, msg, operation, variables, trace, origin }: Request,
  { signal, onState, send, status }: MessageTools,
): Promise<void> {
  const response = await client.request(operation, { variables, signal, onState, trace, origin });
  const { data, attempts, traceId, extensions, dryRun } = response;
  const { kind, name } = operation;
  const notSent = dryRun && [dryRun];
  send(msg, data, { operation: kind, name, attempts, pages: 1, traceId, extensions, notSent });
  status(dryRun ? NOT_SENT : { key: 'succeeded' });
}

/** Sends one message, whose connection holds the edges of all pages. */
async function sendAll(request: Request, tools: MessageTools): Promise<void> {
  const all: unknown[] = [];
  for await (const page of readPages(request, tools, true)) {
    for (const edge of page.edges) all.push(edge);
    if (!page.isLast) continue;
    // The list of the last page is filled in place, because the query may alias its path.
    page.edges.length = 0;
    for (const edge of all) page.edges.push(edge);
    sendPage(request, page, request.msg, tools);
  }
  tools.status({ key: 'rows', count: all.length });
}

/** Sends one message per page, as it arrives. */
async function sendPages(RED: NodeAPI, request: Request, tools: MessageTools): Promise<void> {
  const sequence = new Sequence(RED, request.msg);
  let count = 0;
  const slices = new Slices();
  for await (const page of readPages(request, tools, false)) {
    if (slices.isOver) await slices.pause();
    if (tools.signal.aborted) throw failureAt(page, closedError());
    count = page.rowsSoFar;
    sendPage(request, page, sequence.next(page.isLast), tools);
  }
  tools.status({ key: 'rows', count });
}

function sendPage(request: Request, page: Page, msg: Message, { send }: MessageTools): void {
  try {
    send(msg, page.data, pageDetails(request, page));
  } catch (thrown) {
    throw failureAt(page, thrown);
  }
}

function readPages(
  { client, operation, variables, config, trace }: Request,
  { signal, onState }: MessageTools,
  isCollected: boolean,
): AsyncIterable<Page> {
  const paging = pagingOf(config);
  return pages(client, operation, { ...paging, variables, signal, onState, trace, isCollected });
}

/** @throws IonError `ION_CONFIG` */
function pagingOf({ pageSize, limit }: IonGraphqlConfig): { pageSize: PageSize; limit: number } {
  return {
    pageSize: requirePageSize('ion-graphql', pageSize),
    limit: requireNumber('ion-graphql', 'limit', limit),
  };
}

function pageDetails({ operation }: Request, page: Page): MessageDetails {
  const { attempts, number, edges, totalCount, response } = page;
  const { kind, name } = operation;
  const { traceId, extensions } = response;
  const count = edges.length;
  return {
    operation: kind,
    name,
    attempts,
    pages: number,
    count,
    totalCount,
    traceId,
    extensions,
  };
}
