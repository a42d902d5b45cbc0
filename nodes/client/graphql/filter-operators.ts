/** Operators of ION's scalar filters (ION schema, `StringFilter` and its siblings). */
export const filterOperators = [
  'eq',
  'neq',
  'in',
  'gt',
  'gte',
  'lt',
  'lte',
  'like',
  'notlike',
  'ilike',
  'notilike',
  'isnull',
] as const;
export type FilterOperator = (typeof filterOperators)[number];

/** Operators of a row in a dialog. ION has no `notin`, so it is composed of others. */
export type RowOperator = FilterOperator | 'notin';
export const rowOperators: readonly RowOperator[] = filterOperators.flatMap((operator) =>
  operator === 'in' ? [operator, 'notin'] : [operator],
);
