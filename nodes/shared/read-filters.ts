import type { Node, NodeAPI } from 'node-red';
import type { RowOperator } from '../client/graphql/filter-operators.js';
import type { RowsFilter } from '../client/lists/rows-query.js';
import type { FilterRow } from './filter-row.js';
import type { Message } from './message.js';
import { missingSource } from './missing-source.js';
import { typedValue } from './typed-value.js';

/** The filters before a message, without values. */
export function unevaluated(rows: readonly FilterRow[] | undefined): RowsFilter[] {
  return (rows ?? []).map(({ field, op }) => ({ field, op: op as RowOperator, value: null }));
}

/**
 * Evaluates the filters for a message.
 * @throws IonError `ION_VARIABLES` for a value that cannot be evaluated
 */
export function readFilters(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  rows: readonly FilterRow[] | undefined,
): Promise<RowsFilter[]> {
  const filters = (rows ?? []).map(async (row): Promise<RowsFilter> => {
    const { field, value, valueType } = row;
    // The query rejects an operator that the client does not know.
    const op = row.op as RowOperator;
    const subject = `The filter on "${field}"`;
    const input = { value, type: valueType, subject, code: 'ION_VARIABLES' } as const;
    const found = await typedValue(RED, node, msg, input);
    if (found !== undefined) return { field, op, value: found };
    return { field, op, value: found, missing: missingSource(valueType, value) };
  });
  return Promise.all(filters);
}
