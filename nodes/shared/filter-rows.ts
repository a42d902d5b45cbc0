import type { Node, NodeAPI } from 'node-red';
import type { FilterOperator } from '../client/graphql/filter-operators.js';
import type { RowsFilter } from '../client/lists/rows-query.js';
import type { Message } from './message.js';
import { typedValue } from './typed-values.js';

/** One row of filters, as the editor stores it. */
export interface FilterRow {
  field: string;
  op: FilterOperator;
  value: string;
  valueType: string;
}

/**
 * The filters with the values that they have for this message.
 * @throws IonError `ION_VARIABLES` for a value that cannot be evaluated
 */
export function readFilters(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  rows: readonly FilterRow[] | undefined,
): Promise<RowsFilter[]> {
  const filters = (rows ?? []).map(async (row): Promise<RowsFilter> => {
    const { field, op, value, valueType } = row;
    const what = `The filter on "${field}"`;
    const input = { value, type: valueType, what, code: 'ION_VARIABLES' } as const;
    return { field, op, value: await typedValue(RED, node, msg, input) };
  });
  return Promise.all(filters);
}
