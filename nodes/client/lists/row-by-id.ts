import type { IonClient } from '../client.js';
import { IonError } from '../errors.js';
import type { PageSource } from '../paging/page-reader.js';
import type { PagesOptions } from '../paging/paginator.js';
import type { Resource } from './resources.js';
import { keyOf } from './row-version.js';
import { flattenResponse, type Row, readRows, selectFields } from './rows.js';
import { rowsOperation } from './rows-operation.js';
import { type RowsQuery, rowsVariables } from './rows-query.js';

/**
 * The current state of the row with this id.
 * @returns `undefined` if there is no such row, or if it does not match the query's filters
 * @throws IonError as `rowsVariables`, `ION_RESPONSE` without a list, or the error of the request
 */
export async function readRow(
  client: Pick<IonClient, 'request'>,
  resource: Resource,
  id: unknown,
  query: RowsQuery,
  signal: AbortSignal,
): Promise<Row | undefined> {
  const filters = [...query.filters, { field: 'id', op: 'eq', value: id } as const];
  const filtered = { ...query, filters };
  const variables = rowsVariables(filtered);
  const operation = rowsOperation(resource, filtered);
  // Not a new message: the webhook was already accepted, so a full queue must not reject it.
  const response = await client.request(operation, { variables, signal, isNew: false });
  const rows = await flattenResponse(response.data[resource.list], response);
  if (!Array.isArray(rows)) {
    throw new IonError('ION_RESPONSE', `ION's response has no list "${resource.list}".`);
  }
  return (rows as (Row | null)[])[0] ?? undefined;
}

/**
 * The rows with these ids that match the query's filters, by key, with the query's fields.
 * @throws IonError as `readRows`
 */
export async function readMatchingRows(
  client: PageSource,
  resource: Resource,
  ids: readonly unknown[],
  query: RowsQuery,
  options: Omit<PagesOptions, 'variables' | 'limit'>,
): Promise<Map<string, Row>> {
  const filters = [...query.filters, { field: 'id', op: 'in', value: ids } as const];
  const fields = [...query.fields, 'id'];
  const found = new Map<string, Row>();
  for await (const { rows } of readRows(
    client,
    resource,
    { ...query, filters, fields, wished: query.wished?.filter((each) => each !== 'id') },
    { ...options, limit: 0 },
  )) {
    for (const row of rows) found.set(keyOf(row.id), selectFields(row, query.fields));
  }
  return found;
}
