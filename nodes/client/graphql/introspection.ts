import { type Operation, parseOperation } from './operation.js';

/** The query for the whole schema. */
export function introspectionOperation(): Operation {
  // Loaded on first use. Not by import(), which would load the library's second, ESM copy.
  const { getIntrospectionQuery } =
    require('graphql/utilities') as typeof import('graphql/utilities');
  return parseOperation(getIntrospectionQuery());
}
