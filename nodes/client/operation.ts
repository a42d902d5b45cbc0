import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { parse } from 'graphql/language';
import { IonError, quote, reasonOf } from './errors.js';
import { Recent } from './recent.js';
import type { OperationKind } from './retries.js';

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
const KEPT_OPERATIONS = 100;
/** In characters; a parsed document needs some fifty times the memory of its text. */
const LONGEST_KEPT = 20_000;
const kept = new Recent<string, Operation>(KEPT_OPERATIONS);

/**
 * Parses a document and picks the operation that runs.
 * @param operationName needed only where the document holds several operations
 * @throws IonError `ION_QUERY`, with line and column of a syntax error
 */
export function parseOperation(text: unknown, operationName?: string): Operation {
  if (typeof text !== 'string' || text.trim() === '') {
    throw new IonError(
      'ION_QUERY',
      `The query ${typeof text === 'string' ? 'is empty' : `must be text, not ${describe(text)}`}. Write a GraphQL query, or check where the node takes it from.`,
    );
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
  if (key.length > LONGEST_KEPT) return operation;
  kept.set(key, operation);
  return operation;
}

function parseDocument(text: string): DocumentNode {
  try {
    return parse(text, { noLocation: true });
  } catch (cause) {
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
      `The document has no operation named "${operationName}". It has: ${names || 'none'}.`,
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

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
