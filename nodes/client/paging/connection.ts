import { IonError } from '../errors.js';
import type { PagedOperation } from './paged-operation.js';

/** A connection in a response. */
export interface Connection {
  /** The list that `data` holds, not a copy. */
  edges: unknown[];
  startCursor: unknown;
  endCursor: unknown;
  hasNextPage: boolean;
  /** Rows in the whole list; `undefined` if the server does not report it. */
  totalCount: number | undefined;
}

/** Rows in one response, whatever page size was requested. */
const MAX_PAGE_ROWS = 100_000;

/**
 * The connection in a response's `data`; `undefined` if one of its parents is null.
 * @throws IonError `ION_RESPONSE` if it is not a connection or too large, `ION_QUERY` if it lies
 * inside a list
 */
export function connectionIn(
  data: Record<string, unknown>,
  { path, edgesKey }: PagedOperation,
): Connection | undefined {
  const name = path.join('.');
  let value: unknown = data;
  for (const key of path) {
    if (value === null || value === undefined) return undefined;
    if (Array.isArray(value)) {
      throw new IonError(
        'ION_QUERY',
        `"${name}" lies inside a list, so each entry has its own, but only one connection can be paged.`,
      );
    }
    value = (value as Record<string, unknown>)[key];
  }
  if (value === null || value === undefined) return undefined;
  const { [edgesKey]: edges, pageInfo } = value as Record<string, unknown>;
  if (!Array.isArray(edges) || typeof pageInfo !== 'object' || pageInfo === null) {
    throw new IonError(
      'ION_RESPONSE',
      `ION's response has no list of edges with page info at "${name}".`,
    );
  }
  if (edges.length > MAX_PAGE_ROWS) {
    throw new IonError(
      'ION_RESPONSE',
      `One page of "${name}" has more than ${MAX_PAGE_ROWS} rows. Set a smaller page size.`,
    );
  }
  const { startCursor, endCursor, hasNextPage, totalCount } = pageInfo as Record<string, unknown>;
  // An ION without this field has no more rows after an empty page.
  const isUnknown = hasNextPage === undefined;
  return {
    edges,
    startCursor,
    endCursor,
    hasNextPage: isUnknown
      ? edges.length > 0 && typeof endCursor === 'string'
      : hasNextPage === true,
    totalCount: typeof totalCount === 'number' ? totalCount : undefined,
  };
}
