import type { PageSource } from '../paging/page-reader.js';
import type { PagesOptions } from '../paging/paginator.js';
import type { Resource } from './resources.js';
import { keyOf } from './row-version.js';
import { type Row, readRows } from './rows.js';

/**
 * The rows of a resource that changed last, by key, the newest first.
 * @param fields paths to select, such as `status` or `run.title`
 * @throws IonError as `readRows`
 */
export async function readNewestRows(
  client: PageSource,
  resource: Resource,
  fields: readonly string[],
  options: Omit<PagesOptions, 'variables'>,
): Promise<Map<string, Row>> {
  const query = { filters: [], fields: [...fields, 'id'], sort: ['_UPDATED_DESC'] };
  const found = new Map<string, Row>();
  for await (const { rows } of readRows(client, resource, query, options)) {
    for (const row of rows) found.set(keyOf(row.id), row);
  }
  return found;
}
