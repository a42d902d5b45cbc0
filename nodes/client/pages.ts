import type { Answer, IonClient, RequestState } from './client.js';
import { argumentValue, type PagedOperation, pagedOperation } from './connection.js';
import { IonError, toIonError } from './errors.js';
import type { Operation } from './operation.js';

const SMALLEST_PAGE = 10;

export interface PagesOptions {
  variables?: Record<string, unknown> | undefined;
  /** Rows a page, where the document does not say so itself. */
  pageSize: number;
  /** Rows in all; 0: no limit. */
  limit: number;
  signal: AbortSignal;
  onState?: ((state: RequestState) => void) | undefined;
}

export interface Page {
  /** GraphQL's `data` of this page. */
  data: Record<string, unknown>;
  edges: unknown[];
  /** Rows in the whole list, where the server tells. */
  totalCount?: number;
  isLast: boolean;
  answer: Answer;
  /** Requests that were sent to the API so far. */
  attempts: number;
}

interface Connection {
  edges: unknown[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null; totalCount?: number };
}

/** Operations whose page info turned out to have no `totalCount`. */
const withoutTotalCount = new WeakSet<Operation>();

/**
 * The pages of the operation's connection, one after the other, to the end or to the limit.
 * @throws IonError with `pages`, the number that was delivered before the failure
 */
export async function* pages(
  client: IonClient,
  operation: Operation,
  options: PagesOptions,
): AsyncGenerator<Page, void, undefined> {
  const progress = { pages: 0, attempts: 0 };
  try {
    yield* sequentialPages(client, operation, options, progress);
  } catch (thrown) {
    const error = toIonError(thrown);
    error.attempts += progress.attempts;
    error.pages = progress.pages;
    throw error;
  }
}

async function* sequentialPages(
  client: IonClient,
  operation: Operation,
  options: PagesOptions,
  progress: { pages: number; attempts: number },
): AsyncGenerator<Page, void, undefined> {
  const { variables = {}, limit, signal, onState } = options;
  let paged = pagedOperation(operation, { totalCount: !withoutTotalCount.has(operation) });
  let pageSize = ownPageSize(paged, variables) ?? options.pageSize;
  let cursor = argumentValue(paged.ownAfter, operation, variables) ?? null;
  const cursors = new Set<unknown>([cursor]);
  let rows = 0;
  for (;;) {
    const wanted = () => (limit > 0 ? Math.min(pageSize, limit - rows) : pageSize);
    const pageVariables = () => ({
      ...variables,
      [paged.firstVariable]: wanted(),
      [paged.afterVariable]: cursor,
    });
    let answer: Answer;
    try {
      answer = await client.request(paged, {
        variables: pageVariables(),
        signal,
        isNew: progress.pages === 0,
        onState,
        onRetry(error) {
          if (isTooMuchAtOnce(error)) {
            pageSize = Math.max(Math.min(SMALLEST_PAGE, wanted()), Math.floor(wanted() / 2));
          }
          return pageVariables();
        },
      });
    } catch (thrown) {
      if (!lacksTotalCount(thrown) || withoutTotalCount.has(operation)) throw thrown;
      withoutTotalCount.add(operation);
      progress.attempts += (thrown as IonError).attempts;
      paged = pagedOperation(operation, { totalCount: false });
      continue;
    }
    progress.attempts += answer.attempts;
    const connection = connectionOf(answer.data, paged.path);
    if (!connection) {
      // A parent that is null (an id that does not exist) has no list, and that is no failure.
      progress.pages++;
      yield { data: answer.data, edges: [], isLast: true, answer, attempts: progress.attempts };
      return;
    }
    if (limit > 0) connection.edges.splice(limit - rows);
    const { edges, pageInfo } = connection;
    rows += edges.length;
    const isLast = !pageInfo.hasNextPage || (limit > 0 && rows >= limit);
    progress.pages++;
    yield {
      data: answer.data,
      edges,
      ...(typeof pageInfo.totalCount === 'number' && { totalCount: pageInfo.totalCount }),
      isLast,
      answer,
      attempts: progress.attempts,
    };
    if (isLast) return;
    cursor = pageInfo.endCursor ?? null;
    if (cursors.has(cursor)) {
      throw new IonError(
        'ION_RESPONSE',
        `ION says that "${paged.path.join('.')}" has more rows, but gives a cursor that was used before. The list was read up to row ${rows}.`,
      );
    }
    cursors.add(cursor);
  }
}

function ownPageSize(
  paged: PagedOperation,
  variables: Record<string, unknown>,
): number | undefined {
  const own = argumentValue(paged.ownFirst, paged, variables);
  return typeof own === 'number' && own > 0 ? own : undefined;
}

/** ION's gateway answers 502 after 30 s without a response; a smaller page may do. */
function isTooMuchAtOnce(error: IonError): boolean {
  return error.code === 'ION_TIMEOUT' || error.status === 502 || error.status === 504;
}

/** Some of ION's lists (API keys, logs) use a page info without counts. */
function lacksTotalCount(thrown: unknown): boolean {
  return (
    thrown instanceof IonError &&
    thrown.code === 'ION_GRAPHQL' &&
    (thrown.errors?.some(({ message }) => message.includes('totalCount')) ?? false)
  );
}

function connectionOf(data: Record<string, unknown>, path: string[]): Connection | undefined {
  let value: unknown = data;
  for (const key of path) {
    if (value === null || value === undefined) return undefined;
    if (Array.isArray(value)) {
      throw new IonError(
        'ION_QUERY',
        `"${path.join('.')}" lies inside a list, so that there is one for each of its entries, but only one can be paged.`,
      );
    }
    value = (value as Record<string, unknown>)[key];
  }
  if (value === null || value === undefined) return undefined;
  const { edges, pageInfo } = value as { edges?: unknown; pageInfo?: unknown };
  if (!Array.isArray(edges) || typeof pageInfo !== 'object' || pageInfo === null) {
    throw new IonError(
      'ION_RESPONSE',
      `The answer has no list of edges with page info at "${path.join('.')}".`,
    );
  }
  return value as Connection;
}
