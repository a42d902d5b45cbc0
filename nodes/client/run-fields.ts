// What a dialog offers for runs. Apart from rows.ts, so that the browser does not load the parser.

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

export const defaultFields = [
  'id',
  'title',
  'status',
  'steps.id',
  'steps.title',
  'steps.status',
] as const;
