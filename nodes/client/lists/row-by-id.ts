import type { IonClient } from '../client.js';
import { IonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import type { Resource } from './resources.js';
import { flattenResponse, type Row } from './rows.js';
import { type RowsQuery, rowsDocument, rowsVariables } from './rows-query.js';

/**
 * The row with that id as it is now, where it fulfils the query's filters as well.
 * @returns `undefined` where there is none
 */
export async function readRow(
  client: Pick<IonClient, 'request'>,
  resource: Resource,
  id: unknown,
  query: RowsQuery,
  signal: AbortSignal,
): Promise<Row | undefined> {
  const filters = [...query.filters, { field: 'id', op: 'eq', value: id } as const];
  const variables = rowsVariables({ ...query, filters });
  const operation = parseOperation(rowsDocument(resource, query.fields));
  // Of an event that ION was told is taken, so that it is let in even when the queue is full.
  const answer = await client.request(operation, { variables, signal, isNew: false });
  const rows = await flattenResponse(answer.data[resource.list], answer);
  if (!Array.isArray(rows)) {
    throw new IonError('ION_RESPONSE', `ION's answer has no list "${resource.list}".`);
  }
  return (rows as (Row | null)[])[0] ?? undefined;
}
