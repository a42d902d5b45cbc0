import type { IonClient } from '../../client/client.js';
import { probePages } from '../../client/paging/page-probe.js';
import { type CheckLine, ok, unknown } from './check-line.js';
import type { DescribedUser } from './described-users.js';

/** Asked for if no node reads a list. */
const DEFAULT_ROWS = 100;

/** The form of cursors, counts, and whether ION accepts the largest page of the deployed nodes. */
export async function checkPaging(
  client: IonClient,
  users: readonly DescribedUser[],
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const sizes = users.flatMap(({ work }) => work?.pageSize ?? []);
  const wanted = Math.max(...(sizes.length > 0 ? sizes : [DEFAULT_ROWS]));
  const { rows, cursors, hasCount } = await probePages(client, wanted, signal);
  return [
    cursorLine(cursors),
    hasCount
      ? ok('counts', 'counts.present')
      : ok('counts', 'counts.missing', { advice: 'counts.sequential' }),
    rows < wanted
      ? ok('pageSize', 'pageSize.limited', { values: { wanted, rows }, advice: 'pageSize.split' })
      : ok('pageSize', 'pageSize.accepted', { values: { rows } }),
  ];
}

function cursorLine(cursors: 'offset' | 'opaque' | undefined): CheckLine {
  if (cursors === 'offset') return ok('cursors', 'cursors.offset');
  if (cursors === 'opaque') return ok('cursors', 'cursors.opaque', { advice: 'counts.sequential' });
  return unknown('cursors', 'cursors.noRows');
}
