import type { IonResponse } from '../client.js';
import { IonError, reasonOf } from '../errors.js';
import type { PageSource } from '../paging/page-reader.js';
import { failureAt, type Page, type PagesOptions, pages } from '../paging/paginator.js';
import { setProperty } from '../support/json.js';
import { MAX_TEXT_AT_ONCE } from '../support/long-json.js';
import { inSlices, type Slices } from '../support/slices.js';
import type { Resource } from './resources.js';
import { rowsOperation } from './rows-operation.js';
import { type RowsQuery, rowsVariables, type SelectionTree, selectionTree } from './rows-query.js';

/** A row with the selected fields, in which `edges` and `node` are unwrapped at every level. */
export type Row = Record<string, unknown>;

export interface RowsPage {
  rows: Row[];
  page: Page;
}

/**
 * The rows of a resource that match a query, page by page.
 * @throws IonError with `pages`, the number of pages that were delivered before the failure;
 * `ION_QUERY` for a field, operator or sort that is not valid in GraphQL, `ION_VARIABLES` for a filter
 * without a value
 */
export async function* readRows(
  client: PageSource,
  resource: Resource,
  query: RowsQuery,
  options: Omit<PagesOptions, 'variables'>,
): AsyncGenerator<RowsPage, void, undefined> {
  const operation = rowsOperation(resource, query);
  const variables = rowsVariables(query);
  for await (const page of pages(client, operation, { ...options, variables })) {
    const rows = await rowsIn(page).catch((thrown) => {
      throw failureAt(page, thrown);
    });
    yield { rows, page };
  }
}

async function rowsIn({ edges, response }: Page): Promise<Row[]> {
  let rows: unknown[];
  try {
    rows = (await flattenResponse({ edges }, response)) as unknown[];
  } catch (thrown) {
    throw new IonError('ION_RESPONSE', `ION's response cannot be read: ${reasonOf(thrown)}.`);
  }
  // ION returns null for a row that it cannot read itself.
  return rows.filter((row): row is Row => {
    if (row === null || row === undefined) return false;
    if (typeof row === 'object' && !Array.isArray(row)) return true;
    throw new IonError('ION_RESPONSE', 'ION returned a row that is not an object.');
  });
}

/** Flattens a part of a response like `flatten`, with pauses if the response is large. */
export function flattenResponse(
  part: unknown,
  { textLength = 0 }: Pick<IonResponse, 'textLength'>,
): unknown {
  if (textLength <= MAX_TEXT_AT_ONCE) return flatten(part);
  return inSlices((slices) => flattenInSlices(part, slices));
}

async function flattenInSlices(value: unknown, slices: Slices): Promise<unknown> {
  // Numbers and texts get no promise: a list may hold a million of them.
  const inner = (item: unknown) => {
    if (slices.isOver) return slices.pause().then(() => flattenInSlices(item, slices));
    return typeof item === 'object' && item !== null ? flattenInSlices(item, slices) : item;
  };
  const { edges } = (value ?? {}) as { edges?: unknown };
  const list = Array.isArray(edges) ? edges.map((edge) => edge?.node) : value;
  if (Array.isArray(list)) {
    const items: unknown[] = [];
    for (const item of list) {
      const flat = inner(item);
      items.push(flat instanceof Promise ? await flat : flat);
    }
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const object: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const flat = inner(item);
    setProperty(object, key, flat instanceof Promise ? await flat : flat);
  }
  return object;
}

/** Unwraps `edges` and `node` at every level, so that the rows fit into a table. */
export function flatten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flatten);
  if (typeof value !== 'object' || value === null) return value;
  const { edges } = value as { edges?: unknown };
  if (Array.isArray(edges)) {
    return edges.map((edge: { node?: unknown } | null) => flatten(edge?.node));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flatten(item)]));
}

/** The row with only these fields. */
export function selectFields(row: Row, fields: readonly string[]): Row {
  return project(row, selectionTree(fields)) as Row;
}

function project(value: unknown, tree: SelectionTree): unknown {
  const names = Object.keys(tree);
  if (names.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => project(item, tree));
  const object = value as Record<string, unknown>;
  return Object.fromEntries(
    names.map((name) => [name, project(object[name], tree[name] as SelectionTree)]),
  );
}
