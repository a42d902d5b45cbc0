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
