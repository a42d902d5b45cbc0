import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError, quote, reasonOf } from '../client/errors.js';
import { type Operation, parseOperation } from '../client/graphql/operation.js';
import { plainVariables } from '../client/graphql/variables.js';
import { describe } from '../client/support/describe.js';
import type { NewGraphqlWrite } from '../outbox/graphql-writes.js';
import { requireResolved } from '../shared/environment-references.js';
import type { Message } from '../shared/message.js';
import { requireNumber } from '../shared/property-checks.js';
import { typedValue } from '../shared/typed-value.js';

/** The properties of `ion-graphql` that concern its outbox; a flow of version 1.0.0 has none of them. */
export interface OutboxProperties extends NodeDef {
  delivery?: 'direct' | 'outbox';
  order?: string;
  orderType?: 'str' | 'msg' | 'flow' | 'global' | 'jsonata' | 'env';
  prepare?: string;
  prepareVariables?: string;
  alreadyDone?: string;
  /** In hours. */
  keepFor?: number | string;
}

/** A mutation with its variables. */
interface Mutation {
  operation: Operation;
  operationName: string;
  variables: Record<string, unknown> | undefined;
}

const HOUR_MS = 3_600_000;
/** Limit for an order key, in characters. */
const MAX_ORDER_KEY = 500;

/**
 * The write of a message.
 * @throws IonError `ION_QUERY` for a query, `ION_VARIABLES`, `ION_CONFIG`
 */
export async function readOutboxWrite(
  RED: NodeAPI,
  node: Node,
  config: OutboxProperties,
  msg: Message,
  { operation, operationName, variables }: Mutation,
): Promise<NewGraphqlWrite> {
  requireMutation(operation);
  const { prepare = '', prepareVariables = '', alreadyDone = '', keepFor } = config;
  return {
    query: operation.text,
    operationName,
    variables: plainVariables(variables),
    orderKey: (await readOrderKey(RED, node, config, msg, variables)) || node.id,
    ...{ prepare, prepareVariables, alreadyDone },
    keepForMs: requireNumber('ion-graphql', 'keepFor', keepFor) * HOUR_MS,
  };
}

/**
 * Checks the properties that are the same for each message.
 * @returns the query of `prepare`
 * @throws IonError `ION_QUERY` for a `prepare` that is no query, `ION_VARIABLES` for an expression
 * with a syntax error, `ION_CONFIG`
 */
export function checkOutboxProperties(
  RED: NodeAPI,
  node: Node,
  { prepare = '', prepareVariables = '', alreadyDone = '', keepFor }: OutboxProperties,
): Operation | undefined {
  requireNumber('ion-graphql', 'keepFor', keepFor);
  checkExpression(RED, node, 'Variables to send', prepareVariables);
  checkExpression(RED, node, 'Already done', alreadyDone);
  requireResolved('The query of "Prepare"', prepare, 'ION_QUERY');
  if (prepare === '') return undefined;
  const operation = parsePrepare(prepare);
  if (operation.kind === 'query') return operation;
  throw new IonError(
    'ION_QUERY',
    '"Prepare" holds a mutation, but it is run before each try. Enter a query.',
  );
}

/** @throws IonError `ION_QUERY` */
export function requireMutation({ kind }: Operation): void {
  if (kind === 'mutation') return;
  throw new IonError(
    'ION_QUERY',
    'The outbox delivers mutations, but this is a query. Set the delivery of the node to immediate.',
    { reason: { key: 'noMutation' } },
  );
}

function parsePrepare(text: string): Operation {
  try {
    return parseOperation(text);
  } catch (thrown) {
    throw new IonError('ION_QUERY', `"Prepare": ${reasonOf(thrown)}`, { cause: thrown });
  }
}

function checkExpression(RED: NodeAPI, node: Node, label: string, text: string): void {
  requireResolved(`The expression "${label}"`, text, 'ION_VARIABLES');
  if (text === '') return;
  try {
    RED.util.prepareJSONataExpression(text, node);
  } catch (thrown) {
    const reason = quote(reasonOf(thrown));
    const message = `The expression "${label}" cannot be read: ${reason}`;
    throw new IonError('ION_VARIABLES', message, { cause: thrown });
  }
}

async function readOrderKey(
  RED: NodeAPI,
  node: Node,
  { order: value = '', orderType: type = 'str' }: OutboxProperties,
  msg: Message,
  variables: Mutation['variables'],
): Promise<string> {
  if (value === '') return '';
  const input = { value, type, subject: 'The order key', code: 'ION_VARIABLES' } as const;
  // In all expressions of the node, `variables` are those of the mutation, whatever their source.
  const context = type === 'jsonata' ? { ...msg, variables } : msg;
  const key = (await typedValue(RED, node, context, input)) ?? '';
  const isKey = ['string', 'number', 'bigint', 'boolean'].includes(typeof key);
  const text = String(isKey ? key : '');
  if (isKey && text.length <= MAX_ORDER_KEY) return text;
  const found = isKey ? `text of ${text.length} characters` : describe(key);
  throw new IonError(
    'ION_VARIABLES',
    `The order key must be a text of at most ${MAX_ORDER_KEY} characters or a number, not ${found}.`,
  );
}
