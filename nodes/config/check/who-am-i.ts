import { ownOperation } from '../../client/graphql/own-operation.js';

/** ION's documented query for the owner of an API key. */
export const WHO_AM_I = ownOperation(
  `{
  me {
    id
    ... on User @wished {
      name
      email
      organization { ... on Organization @wished { id domain } }
    }
  }
}`,
);

/** The owner of an API key, as far as ION has these fields. */
export interface Owner {
  name?: unknown;
  email?: unknown;
  organization?: { domain?: unknown } | null;
}
