import type { IonClient } from '../../client/client.js';
import { MAX_AUTO_ROWS } from '../../client/paging/page-growth.js';
import { probePages } from '../../client/paging/page-probe.js';
import { type CheckLine, ok, unknown } from './check-line.js';
import type { DescribedUser } from './described-users.js';

/** Asked for if no node reads a list. */
const DEFAULT_ROWS = 100;

/**
 * The form of cursors, counts, and whether ION accepts the largest page of the deployed nodes. An
 * automatic page size never exceeds what ION accepts, so that a refusal says nothing against a node.
 */
export async function checkPaging(
  client: IonClient,
  users: readonly DescribedUser[],
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const sizes = users.flatMap(({ work }) => work?.pageSize ?? []);
  const numbers = sizes.filter((size) => size !== 'auto');
  const fixed = Math.max(sizes.length > 0 ? 0 : DEFAULT_ROWS, ...numbers);
  const wanted = numbers.length < sizes.length ? Math.max(fixed, MAX_AUTO_ROWS) : fixed;
  const { rows, cursors, hasCount } = await probePages(client, wanted, signal);
  return [
    cursorLine(cursors),
    hasCount
      ? ok('counts', 'counts.present')
      : ok('counts', 'counts.missing', { advice: 'counts.sequential' }),
    sizeLine(rows, fixed, wanted),
  ];
}

function sizeLine(rows: number, fixed: number, wanted: number): CheckLine {
  if (rows === wanted) return ok('pageSize', 'pageSize.accepted', { values: { rows } });
  if (rows >= fixed) return ok('pageSize', 'pageSize.adapted', { values: { rows } });
  const values = { wanted: fixed, rows };
  return ok('pageSize', 'pageSize.limited', { values, advice: 'pageSize.split' });
}

function cursorLine(cursors: 'offset' | 'opaque' | undefined): CheckLine {
  if (cursors === 'offset') return ok('cursors', 'cursors.offset');
  if (cursors === 'opaque') return ok('cursors', 'cursors.opaque', { advice: 'counts.sequential' });
  return unknown('cursors', 'cursors.noRows');
}
