import type { IonClient } from '../client.js';
import { toIonError } from '../errors.js';
import { ownOperation } from '../graphql/own-operation.js';
import { smallerPage } from '../graphql/page-refusal.js';
import { offsetOf } from './cursors.js';

/** The form of the pages of a list. */
export interface PageProbe {
  /** Rows of the largest page that ION accepted, at most as many as were asked for. */
  rows: number;
  /** `undefined` if the list has no rows. */
  cursors: 'offset' | 'opaque' | undefined;
  /** Whether the page info has the number of all rows. */
  hasCount: boolean;
}

interface FirstPage {
  edges?: { cursor?: unknown }[] | null;
  pageInfo?: { endCursor?: unknown; totalCount?: unknown } | null;
}

const FIRST_PAGE = ownOperation(
  `query FirstPage($first: Int) {
  runs(first: $first) {
    edges { cursor node { id } }
    pageInfo { endCursor ... on IonPageInfo @wished { totalCount } }
  }
}`,
);
/** Halves any page size that a node can have. */
const MAX_TRIES = 20;

/**
 * Asks for the first page of ION's runs, with fewer rows as long as ION refuses their number.
 * @throws IonError
 */
export async function probePages(
  client: Pick<IonClient, 'request'>,
  wanted: number,
  signal: AbortSignal,
): Promise<PageProbe> {
  let rows = wanted;
  for (let tries = 1; ; tries++) {
    try {
      const { data } = await client.request(FIRST_PAGE, { variables: { first: rows }, signal });
      const { edges, pageInfo } = (data.runs ?? {}) as FirstPage;
      const cursor = pageInfo?.endCursor ?? edges?.at(-1)?.cursor ?? undefined;
      const isOffset = offsetOf(cursor) !== undefined;
      return {
        rows,
        cursors: cursor === undefined ? undefined : isOffset ? 'offset' : 'opaque',
        hasCount: typeof pageInfo?.totalCount === 'number',
      };
    } catch (thrown) {
      const smaller = smallerPage(rows, toIonError(thrown));
      if (!smaller || tries === MAX_TRIES) throw thrown;
      rows = smaller.rows;
    }
  }
}
