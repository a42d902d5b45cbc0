import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { parse } from 'graphql/language';
import { IonError, quote, reasonOf } from '../errors.js';
import { describe } from '../support/describe.js';
import { LruCache } from '../support/lru-cache.js';

/** `mutation` stands for everything that must not be executed twice. */
export type OperationKind = 'query' | 'mutation';

/** One operation of a GraphQL document, ready to be sent. */
export interface Operation {
  /** The document, as it is sent. */
  text: string;
  kind: OperationKind;
  /** The operation's name, where it has one. */
  name: string | undefined;
  document: DocumentNode;
  definition: OperationDefinitionNode;
}

/** Parsed documents are kept, because a flow sends the same text again and again. */
const OPERATION_CACHE_SIZE = 100;
/** In characters, all together; a parsed document needs some fifty times the memory of its text. */
const MAX_CACHE_CHARACTERS = 100_000;
const kept = new LruCache<string, Operation>(OPERATION_CACHE_SIZE, MAX_CACHE_CHARACTERS);
/** In characters; ION answers longer documents with an error anyway. */
const MAX_DOCUMENT = 1_000_000;
/** Words and signs: parsing more of them takes too long for everybody else in the process. */
const MAX_TOKENS = 50_000;

/**
 * Parses a document and picks the operation that runs.
 * @param operationName needed only where the document holds several operations
 * @throws IonError `ION_QUERY`, with line and column of a syntax error
 */
export function parseOperation(text: unknown, operationName?: string): Operation {
  if (typeof text !== 'string') throw noText(`must be text, not ${describe(text)}`);
  if (text.length > MAX_DOCUMENT) {
    throw new IonError(
      'ION_QUERY',
      `The query is longer than ${MAX_DOCUMENT} characters. Put values into variables, or split it.`,
    );
  }
  if (text.trim() === '') throw noText('is empty');
  if ((operationName ?? '') !== '' && typeof operationName !== 'string') {
    throw new IonError('ION_QUERY', 'The operation name is not a text.');
  }
  const key = `${operationName ?? ''}\n${text}`;
  const known = kept.get(key);
  if (known) return known;
  const document = parseDocument(text);
  const definition = pickOperation(document, operationName);
  if (definition.operation === 'subscription') {
    throw new IonError('ION_QUERY', 'ION has no subscriptions: write a query or a mutation.');
  }
  const operation: Operation = {
    text,
    kind: definition.operation,
    name: definition.name?.value,
    document,
    definition,
  };
  kept.set(key, operation, key.length);
  return operation;
}

function noText(problem: string): IonError {
  return new IonError(
    'ION_QUERY',
    `The query ${problem}. Write a GraphQL query, or check where the node takes it from.`,
  );
}

function parseDocument(text: string): DocumentNode {
  try {
    return parse(text, { noLocation: true, maxTokens: MAX_TOKENS });
  } catch (cause) {
    if (/tokens\. Parsing aborted/.test(reasonOf(cause))) {
      throw new IonError(
        'ION_QUERY',
        `The query has more than ${MAX_TOKENS} words and signs. Put values into variables, or split it.`,
      );
    }
    const { locations } = cause as { locations?: { line: number; column: number }[] };
    const place = locations?.[0];
    const what = place
      ? `has a syntax error in line ${place.line}, column ${place.column}`
      : 'cannot be read';
    const reason = quote(reasonOf(cause).replace(/^Syntax Error: /, ''));
    throw new IonError('ION_QUERY', `The query ${what}: ${reason}`, { cause });
  }
}

function pickOperation(
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
  if (!first) throw new IonError('ION_QUERY', 'The document holds no query and no mutation.');
  if (others.length > 0) {
    throw new IonError(
      'ION_QUERY',
      `The document holds several operations (${names}). Set the operation name of the one to run.`,
    );
  }
  return first;
}
