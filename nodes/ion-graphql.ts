import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from './client/errors.js';
import { type Operation, parseOperation } from './client/operation.js';
import { type Page, pages } from './client/pages.js';
import {
  type Message,
  type MessageDetails,
  type MessageTools,
  onMessage,
} from './runtime/on-message.js';
import { Sequence } from './runtime/sequence.js';
import { typedValue } from './runtime/typed-values.js';

interface IonGraphqlConfig extends NodeDef {
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

export = (RED: NodeAPI): void => {
  RED.nodes.registerType('ion-graphql', function (this: Node, config: IonGraphqlConfig) {
    RED.nodes.createNode(this, config);
    onMessage(RED, this, config, async (msg, tools) => {
      const operation = await readOperation(RED, this, config, msg);
      const variables = await readVariables(RED, this, config, msg);
      if (config.pages === 'all') return sendAll(config, msg, operation, variables, tools);
      if (config.pages === 'stream') {
        return sendPages(RED, config, msg, operation, variables, tools);
      }
      return sendOne(config, msg, operation, variables, tools);
    });
  });
};

async function readOperation(
  RED: NodeAPI,
  node: Node,
  config: IonGraphqlConfig,
  msg: Message,
): Promise<Operation> {
  const { query, queryType, operationName } = config;
  if (queryType === 'graphql') return parseOperation(query, operationName);
  const input = { value: query, type: queryType, what: 'The query', code: 'ION_QUERY' } as const;
  return parseOperation(await typedValue(RED, node, msg, input), operationName);
}

async function readVariables(
  RED: NodeAPI,
  node: Node,
  config: IonGraphqlConfig,
  msg: Message,
): Promise<Variables> {
  const { variables, variablesType } = config;
  if (variables === '') return undefined;
  const value = await typedValue(RED, node, msg, {
    value: variables,
    type: variablesType,
    what: 'The variables',
    code: 'ION_VARIABLES',
  });
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Variables;
  }
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new IonError(
    'ION_VARIABLES',
    `The variables (${variablesType}: ${variables.slice(0, 60)}) must be an object such as { "id": 1 }, not ${found}.`,
  );
}

async function sendOne(
  { output }: IonGraphqlConfig,
  msg: Message,
  operation: Operation,
  variables: Variables,
  { client, signal, onState, send, status }: MessageTools,
): Promise<void> {
  const answer = await client.request(operation, { variables, signal, onState });
  const { data, attempts, traceId, extensions } = answer;
  send(msg, output, data, { ...about(operation), attempts, pages: 1, traceId, extensions });
  status({ key: 'answered' });
}

/** One message whose connection holds the edges of all pages. */
async function sendAll(
  config: IonGraphqlConfig,
  msg: Message,
  operation: Operation,
  variables: Variables,
  { client, signal, onState, send, status }: MessageTools,
): Promise<void> {
  const edges: unknown[] = [];
  let pageCount = 0;
  for await (const page of pages(client, operation, {
    ...paging(config),
    variables,
    signal,
    onState,
  })) {
    pageCount++;
    for (const edge of page.edges) edges.push(edge);
    if (!page.isLast) continue;
    // The last page's own list becomes the whole one, whatever aliases lead to it.
    page.edges.length = 0;
    for (const edge of edges) page.edges.push(edge);
    const details = pageDetails(operation, page, pageCount, edges.length);
    send(msg, config.output, page.data, details);
    status({ key: 'rows', count: edges.length });
  }
}

/** One message per page, as it arrives. */
async function sendPages(
  RED: NodeAPI,
  config: IonGraphqlConfig,
  msg: Message,
  operation: Operation,
  variables: Variables,
  { client, signal, onState, send, status }: MessageTools,
): Promise<void> {
  const sequence = new Sequence(RED, msg);
  let pageCount = 0;
  let count = 0;
  for await (const page of pages(client, operation, {
    ...paging(config),
    variables,
    signal,
    onState,
  })) {
    pageCount++;
    count += page.edges.length;
    const details = pageDetails(operation, page, pageCount, page.edges.length);
    send(sequence.next(page.isLast), config.output, page.data, details);
  }
  status({ key: 'rows', count });
}

function paging({ pageSize, limit }: IonGraphqlConfig): { pageSize: number; limit: number } {
  return { pageSize: Number(pageSize) || 100, limit: Number(limit) || 0 };
}

function about({ kind, name }: Operation): Pick<MessageDetails, 'operation' | 'name'> {
  return { operation: kind, name };
}

function pageDetails(
  operation: Operation,
  { attempts, totalCount, answer: { traceId, extensions } }: Page,
  pageCount: number,
  count: number,
): MessageDetails {
  return {
    ...about(operation),
    attempts,
    pages: pageCount,
    count,
    totalCount,
    traceId,
    extensions,
  };
}
