// The query that reads a list, as text and variables. The dialog imports this file to show the query,
// so it must not load the GraphQL parser.
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
  /** A filter object of ION (such as `RunsInputFilters`), AND-ed with `filters`. */
  filter?: Record<string, unknown> | undefined;
  /** Paths to select, such as `id` or `steps.fields.value`. */
  fields: string[];
  /** Values of the list's sort enum; empty: `ID_ASC`, because offset cursors need a stable order. */
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

/** Name of the operation that reads a list, which may appear in ION's logs. */
export function operationName(list: string): string {
  return list.charAt(0).toUpperCase() + list.slice(1);
}

/**
 * The variables of `rowsDocument`.
 * @param toValue gives the value of a filter; a preview, which has no values yet, passes another one
 * @throws IonError `ION_QUERY` for a field, operator or sort that is not valid in GraphQL,
 * `ION_VARIABLES` for a filter without a value
 */
export function rowsVariables(query: RowsQuery, toValue = filterValue) {
  return {
    filters: rowsFilter(query, toValue),
    sort: query.sort.length > 0 ? query.sort.map(checkedName) : ['ID_ASC'],
  };
}

/** All conditions as one filter object of ION; `undefined` without conditions. */
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
        `The filter on "${field}" has the unknown operator "${op}". Use one of: ${filterOperators.join(', ')}.`,
      );
    }
    const condition: unknown = { [op]: toValue(row) };
    return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), condition);
  });
  if (filter && Object.keys(filter).length > 0) conditions.push(filter);
  // ION documents `and_`, but not how several keys of one filter object are combined.
  return conditions.length > 1
    ? { and_: conditions }
    : (conditions[0] as Record<string, unknown> | undefined);
}

/**
 * The value of a filter in the form that ION expects.
 * @throws IonError `ION_VARIABLES` for a filter without a value
 */
export function filterValue({ field, op, value }: RowsFilter): unknown {
  if (value === undefined) {
    throw new IonError(
      'ION_VARIABLES',
      `The filter on "${field}" has no value: its source does not exist in this message.`,
    );
  }
  if (op === 'isnull') return value !== false && value !== 'false';
  if (op !== 'in') return value;
  // Users may type a list such as "TODO, IN_PROGRESS".
  if (typeof value === 'string') return value.split(',').map((item) => item.trim());
  return Array.isArray(value) ? value : [value];
}

/** Fields by name, each with the fields that are selected inside it. */
export interface SelectionTree {
  [name: string]: SelectionTree;
}

/** @throws IonError `ION_QUERY` for a name that is not valid in GraphQL */
export function selectionTree(fields: readonly string[]): SelectionTree {
  // No prototype, so that a field may be called "constructor".
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
    `"${name}" is not a valid name in GraphQL. Check the fields, filters and sort of the node.`,
  );
}
