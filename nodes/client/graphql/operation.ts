import type { ArgumentNode, DocumentNode, FieldNode, OperationDefinitionNode } from 'graphql';
import { IonError, quote, reasonOf } from '../errors.js';
import { describe } from '../support/describe.js';
import { LruCache } from '../support/lru-cache.js';
import { parse } from './language.js';

/** `mutation` stands for everything that must not be executed twice. */
export type OperationKind = 'query' | 'mutation';

/** One operation of a GraphQL document, ready to be sent. */
export interface Operation {
  /** The document that is sent. */
  text: string;
  kind: OperationKind;
  /** The operation's name; `undefined` for an anonymous operation. */
  name: string | undefined;
  document: DocumentNode;
  definition: OperationDefinitionNode;
  /** Whether this package wrote the document, not the user. */
  isOwn?: boolean;
  /** Parts that are left out if ION's schema lacks them. */
  wishes?: Wishes;
  /** The operations that share the document, if there are several. */
  members?: readonly MemberOperation[];
}

/** One of the operations that share a document. */
export interface MemberOperation {
  operation: Operation;
  /** The response keys of its root fields, by their aliases in the document. */
  keys: ReadonlyMap<string, string>;
}

/** An operation that a node sends. */
export interface SentOperation {
  operation: Operation;
  /** Known before the first message; values that a message brings are null. */
  variables?: Record<string, unknown>;
  /** Whether only exceptional work needs it, such as cleaning up. */
  isRare?: boolean;
}

/** Parts of an operation that this package can do without. */
export interface Wishes {
  /** Fields and arguments, each with a text that stands for the same part in all documents. */
  nodes: ReadonlyMap<FieldNode | ArgumentNode, string>;
  /** Paths inside variables, such as `input.active`. Lists and `and_`, `or_` are not part of a path. */
  inputs: readonly string[];
}

/** Number of parsed documents in the cache, because a flow repeats the same texts. */
const OPERATION_CACHE_SIZE = 100;
/**
 * Limit for all texts in the cache, in characters. A parsed document is some fifty times as large.
 */
const MAX_CACHE_CHARACTERS = 100_000;
const cache = new LruCache<string, Operation>(OPERATION_CACHE_SIZE, MAX_CACHE_CHARACTERS);
/** Limit for a document, in characters. ION rejects longer documents anyway. */
const MAX_DOCUMENT = 1_000_000;
/** Limit for the tokens of a document: parsing more of them would block the event loop too long. */
const MAX_TOKENS = 50_000;

/**
 * Parses a document and selects the operation to run.
 * @param operationName required for a document with several operations
 * @throws IonError `ION_QUERY`, with line and column of a syntax error
 */
export function parseOperation(text: unknown, operationName?: string): Operation {
  if (typeof text !== 'string') throw noQuery(`must be text, not ${describe(text)}`);
  if (text.length > MAX_DOCUMENT) {
    throw new IonError(
      'ION_QUERY',
      `The query is longer than ${MAX_DOCUMENT} characters. Use variables for values, or split it.`,
    );
  }
  if (text.trim() === '') throw noQuery('is empty');
  if ((operationName ?? '') !== '' && typeof operationName !== 'string') {
    throw new IonError('ION_QUERY', 'The operation name must be text.');
  }
  const key = `${operationName ?? ''}\n${text}`;
  const known = cache.get(key);
  if (known) return known;
  const document = parseDocument(text);
  const definition = selectOperation(document, operationName);
  if (definition.operation === 'subscription') {
    throw new IonError('ION_QUERY', 'ION has no subscriptions. Use a query or a mutation.');
  }
  const operation: Operation = {
    text,
    kind: definition.operation,
    name: definition.name?.value,
    document,
    definition,
  };
  cache.set(key, operation, key.length);
  return operation;
}

function noQuery(problem: string): IonError {
  return new IonError(
    'ION_QUERY',
    `The query ${problem}. Enter a GraphQL query, or check the property that holds it.`,
    { reason: { key: 'emptyQuery' } },
  );
}

function parseDocument(text: string): DocumentNode {
  try {
    return parse(text, { noLocation: true, maxTokens: MAX_TOKENS });
  } catch (cause) {
    if (/tokens\. Parsing aborted/.test(reasonOf(cause))) {
      throw new IonError(
        'ION_QUERY',
        `The query has more than ${MAX_TOKENS} tokens. Use variables for values, or split it.`,
      );
    }
    const { locations } = cause as { locations?: { line: number; column: number }[] };
    const location = locations?.[0];
    const problem = location
      ? `has a syntax error in line ${location.line}, column ${location.column}`
      : 'cannot be read';
    const reason = quote(reasonOf(cause).replace(/^Syntax Error: /, ''));
    throw new IonError('ION_QUERY', `The query ${problem}: ${reason}`, {
      cause,
      ...(location && { reason: { key: 'syntaxError', name: String(location.line) } }),
    });
  }
}

function selectOperation(
  document: DocumentNode,
  operationName: string | undefined,
): OperationDefinitionNode {
  const operations = document.definitions.filter(
    (definition) => definition.kind === 'OperationDefinition',
  );
  const names = quote(
    operations.map((operation) => operation.name?.value ?? '(unnamed)').join(', '),
  );
  if (operationName) {
    const named = operations.find((operation) => operation.name?.value === operationName);
    if (named) return named;
    throw new IonError(
      'ION_QUERY',
      `The document has no operation named "${quote(operationName)}". It has: ${names || 'none'}.`,
    );
  }
  const [first, ...others] = operations;
  if (!first) throw new IonError('ION_QUERY', 'The document contains no query and no mutation.');
  if (others.length > 0) {
    throw new IonError(
      'ION_QUERY',
      `The document contains several operations (${names}). Set the name of the operation to run.`,
    );
  }
  return first;
}

/** The names of the variables without which ION rejects an operation. */
export function requiredVariables({ definition }: Operation): string[] {
  return (definition.variableDefinitions ?? [])
    .filter(({ type, defaultValue }) => type.kind === 'NonNullType' && !defaultValue)
    .map(({ variable }) => variable.name.value);
}
