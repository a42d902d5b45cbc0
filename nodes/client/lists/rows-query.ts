// The query that reads a list, as text and variables. Apart from rows.ts, so that the dialog can show
// it without loading the parser.
import { IonError } from '../errors.js';
import { type FilterOperator, filterOperators } from '../graphql/filter-operators.js';
import type { Resource } from './resources.js';

/** One row of filters: a column of the list's input type, dotted for relations (`part.partNumber`). */
export interface RowsFilter {
  field: string;
  op: FilterOperator;
  value: unknown;
}

export interface RowsQuery {
  filters: RowsFilter[];
  /** A filter object of ION (such as `RunsInputFilters`), AND-ed with the rows. */
  filter?: Record<string, unknown> | undefined;
  /** Paths to select, such as `id` or `steps.fields.value`. */
  fields: string[];
  /** Values of the list's sort enum; empty: by id, because ION's cursors are offsets. */
  sort: string[];
}

const NAME = /^[_A-Za-z][_0-9A-Za-z]*$/;

/** The GraphQL text that reads these fields of a resource's rows. */
export function rowsDocument({ list, filters, sort }: Resource, fields: readonly string[]): string {
  const tree = selectionTree(fields.length > 0 ? fields : ['id']);
  return `query ${operationName(list)}($filters: ${filters}, $sort: [${sort}]) {
  ${list}(filters: $filters, sort: $sort) {
    edges {
      node ${printSelection(tree, '      ')}
    }
  }
}`;
}

/** What the operation that reads a list is called, which ION may note in its logs. */
export function operationName(list: string): string {
  return list.charAt(0).toUpperCase() + list.slice(1);
}

/**
 * The variables of that text.
 * @param toValue what a row's condition says, for a preview that knows no value yet
 * @throws IonError for a field, operator or sort that cannot be written as GraphQL
 */
export function rowsVariables(query: RowsQuery, toValue = filterValue) {
  return {
    filters: rowsFilter(query, toValue),
    sort: query.sort.length > 0 ? query.sort.map(checkedName) : ['ID_ASC'],
  };
}

/** All conditions as one filter object of ION; `undefined` where there are none. */
export function rowsFilter(
  { filters, filter }: RowsQuery,
  toValue = filterValue,
): Record<string, unknown> | undefined {
  const conditions = filters.map((row) => {
    const { field, op } = row;
    const path = field.split('.').map(checkedName);
    if (!filterOperators.includes(op)) {
      throw new IonError(
        'ION_QUERY',
        `The filter on "${field}" has the operator "${op}". Use one of: ${filterOperators.join(', ')}.`,
      );
    }
    const condition: unknown = { [op]: toValue(row) };
    return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), condition);
  });
  if (filter && Object.keys(filter).length > 0) conditions.push(filter);
  // Several keys of one filter object are only presumed to be AND-ed, `and_` is documented.
  return conditions.length > 1
    ? { and_: conditions }
    : (conditions[0] as Record<string, unknown> | undefined);
}

/** The value as ION's filters take it. */
export function filterValue({ field, op, value }: RowsFilter): unknown {
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

/** Fields by name, each with what is selected of it. */
export interface SelectionTree {
  [name: string]: SelectionTree;
}

export function selectionTree(fields: readonly string[]): SelectionTree {
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
