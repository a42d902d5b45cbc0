// The query that reads a list, as text and variables. The dialog imports this file to show the query,
// so it must not load the GraphQL parser.
import { IonError } from '../errors.js';
import { type RowOperator, rowOperators } from '../graphql/filter-operators.js';
import type { Resource } from './resources.js';

/** One row of filters: a column of the list's input type, dotted for relations (`part.partNumber`). */
export interface RowsFilter {
  field: string;
  op: RowOperator;
  value: unknown;
  /** Why there is no value, such as "msg.payload does not exist". */
  missing?: string | undefined;
}

export interface RowsQuery {
  filters: RowsFilter[];
  /** A filter object of ION (such as `RunsInputFilters`), AND-ed with `filters`. */
  filter?: Record<string, unknown> | undefined;
  /** Paths to select, such as `id` or `steps.fields.value`. */
  fields: string[];
  /** Fields that nobody chose, which are left out if ION's schema lacks them. */
  wished?: readonly string[] | undefined;
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
 * @param toCondition gives the condition of a filter; a preview, which has no values yet, passes
 * another one
 * @throws IonError `ION_QUERY` for a field, operator or sort that is not valid in GraphQL,
 * `ION_VARIABLES` for a filter without a value
 */
export function rowsVariables(query: RowsQuery, toCondition = filterCondition) {
  return {
    filters: rowsFilter(query, toCondition),
    sort: query.sort.length > 0 ? query.sort.map(checkedName) : ['ID_ASC'],
  };
}

/** All conditions as one filter object of ION; `undefined` without conditions. */
export function rowsFilter(
  { filters, filter }: RowsQuery,
  toCondition = filterCondition,
): Record<string, unknown> | undefined {
  const conditions = filters.map((row) => {
    const { field, op } = row;
    const path = field.split('.').map(checkedName);
    if (!rowOperators.includes(op)) {
      throw new IonError(
        'ION_QUERY',
        `The filter on "${field}" has the unknown operator "${op}". Use one of: ${rowOperators.join(', ')}.`,
      );
    }
    const condition = toCondition(row, String(path.pop()));
    return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), condition);
  });
  if (filter && Object.keys(filter).length > 0) conditions.push(filter);
  // ION documents `and_`, but not how several keys of one filter object are combined.
  return conditions.length > 1
    ? { and_: conditions }
    : (conditions[0] as Record<string, unknown> | undefined);
}

/**
 * The condition on a column in the form that ION expects.
 * @throws IonError `ION_VARIABLES` for a filter without a value
 */
export function filterCondition(filter: RowsFilter, column: string): unknown {
  const value = filterValue(filter);
  return filter.op === 'notin'
    ? noneOf(column, value as unknown[])
    : { [column]: { [filter.op]: value } };
}

/**
 * In SQL, a comparison with null never holds, so an empty column needs its own condition: it is none
 * of the values, unless null is one of them.
 */
function noneOf(column: string, values: readonly unknown[]): unknown {
  const others = values
    .filter((value) => value !== null)
    .map((value) => ({ [column]: { neq: value } }));
  const isEmpty = (isnull: boolean) => ({ [column]: { isnull } });
  if (others.length < values.length) return { and_: [isEmpty(false), ...others] };
  if (others.length === 0) return { or_: [isEmpty(true), isEmpty(false)] };
  return { or_: [isEmpty(true), { and_: others }] };
}

/** @throws IonError `ION_VARIABLES` for a filter without a value */
function filterValue({ field, op, value, missing }: RowsFilter): unknown {
  if (value === undefined) {
    const why = missing ?? 'its source does not exist in this message';
    throw new IonError('ION_VARIABLES', `The filter on "${field}" has no value: ${why}.`, {
      reason: { key: 'noValue', name: field },
    });
  }
  if (op === 'isnull') return value !== false && value !== 'false';
  if (op !== 'in' && op !== 'notin') return value;
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
