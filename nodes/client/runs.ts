import { IonError } from './errors.js';
import { parseOperation } from './operation.js';
import { type Page, type PageSource, type PagesOptions, pages } from './pages.js';
import { type FilterOperator, filterOperators } from './run-fields.js';

/** One row of filters: a column of `RunsInputFilters`, dotted for relations (`part.partNumber`). */
export interface RunsFilter {
  field: string;
  op: FilterOperator;
  value: unknown;
}

export interface RunsQuery {
  filters: RunsFilter[];
  /** A filter object of ION (`RunsInputFilters`), AND-ed with the rows. */
  filter?: Record<string, unknown> | undefined;
  /** Paths to select, such as `id` or `steps.fields.value`. */
  fields: string[];
  /** Values of `RunSortEnum`; empty: by id, because ION's cursors are offsets. */
  sort: string[];
}

/** A run as it was selected, with `edges` and `node` unwrapped at every level. */
export type Run = Record<string, unknown>;

export interface RunsPage {
  runs: Run[];
  page: Page;
}

const NAME = /^[_A-Za-z][_0-9A-Za-z]*$/;

/**
 * The runs that match, page by page.
 * @throws IonError `ION_QUERY` for a field, operator or sort that cannot be written as GraphQL
 */
export async function* readRuns(
  client: PageSource,
  query: RunsQuery,
  options: Omit<PagesOptions, 'variables'>,
): AsyncGenerator<RunsPage, void, undefined> {
  const operation = parseOperation(runsDocument(query.fields));
  const variables = {
    filters: runsFilter(query),
    sort: query.sort.length > 0 ? query.sort.map(checkedName) : ['ID_ASC'],
  };
  for await (const page of pages(client, operation, { ...options, variables })) {
    yield {
      runs: page.edges.map((edge) => flatten((edge as { node: unknown }).node) as Run),
      page,
    };
  }
}

/** The GraphQL text that reads these fields of runs. */
export function runsDocument(fields: readonly string[]): string {
  const tree = selectionTree(fields.length > 0 ? fields : ['id']);
  return `query Runs($filters: RunsInputFilters, $sort: [RunSortEnum]) {
  runs(filters: $filters, sort: $sort) {
    edges {
      node ${printSelection(tree, '      ')}
    }
  }
}`;
}

/** All conditions as one filter object of ION; `undefined` where there are none. */
export function runsFilter({ filters, filter }: RunsQuery): Record<string, unknown> | undefined {
  const conditions = filters.map(({ field, op, value }) => {
    const path = field.split('.').map(checkedName);
    if (!filterOperators.includes(op)) {
      throw new IonError(
        'ION_QUERY',
        `The filter on "${field}" has the operator "${op}". Use one of: ${filterOperators.join(', ')}.`,
      );
    }
    const condition: unknown = { [op]: filterValue(field, op, value) };
    return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), condition);
  });
  if (filter && Object.keys(filter).length > 0) conditions.push(filter);
  // Several keys of one filter object are only presumed to be AND-ed, `and_` is documented.
  return conditions.length > 1
    ? { and_: conditions }
    : (conditions[0] as Record<string, unknown> | undefined);
}

/** Unwraps `edges` and `node` at every level: what is left can go into a table. */
export function flatten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flatten);
  if (typeof value !== 'object' || value === null) return value;
  const { edges } = value as { edges?: unknown };
  if (Array.isArray(edges)) {
    return edges.map((edge: { node?: unknown } | null) => flatten(edge?.node));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flatten(item)]));
}

/** What these fields select of a run that holds more. */
export function selectFields(run: Run, fields: readonly string[]): Run {
  return project(run, selectionTree(fields)) as Run;
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

function filterValue(field: string, op: FilterOperator, value: unknown): unknown {
  if (value === undefined) {
    throw new IonError(
      'ION_VARIABLES',
      `The filter on "${field}" has no value: what it is taken from does not exist in this message.`,
    );
  }
  if (op === 'isnull') return value !== false && value !== 'false';
  if (op !== 'in') return value;
  // A list may be typed as "TODO, IN_PROGRESS".
  if (typeof value === 'string') return value.split(',').map((item) => item.trim());
  return Array.isArray(value) ? value : [value];
}

interface SelectionTree {
  [name: string]: SelectionTree;
}

function selectionTree(fields: readonly string[]): SelectionTree {
  // Without a prototype, so that no field name can mean anything but a field.
  const tree: SelectionTree = Object.create(null);
  for (const field of fields) {
    let branch = tree;
    for (const name of field.split('.').map(checkedName)) {
      branch[name] ??= Object.create(null) as SelectionTree;
      branch = branch[name];
    }
  }
  return tree;
}

function printSelection(tree: SelectionTree, indent: string): string {
  const lines = Object.entries(tree).map(([name, inner]) => {
    const isLeaf = Object.keys(inner).length === 0;
    return `${indent}  ${name}${isLeaf ? '' : ` ${printSelection(inner, `${indent}  `)}`}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw new IonError(
    'ION_QUERY',
    `"${name}" is not a name that ION's schema can have. Check the fields, filters and sort of the node.`,
  );
}
