import type { NodeAPI } from 'node-red';
import { ownOperation } from '../../client/graphql/own-operation.js';
import { withClientOfDialog } from './client-of-dialog.js';

/** ION's documented query for the owner of an API key. */
const WHO_AM_I = ownOperation(
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

/**
 * Asks ION for the owner of the API key, with the values of a dialog.
 * @returns the data of ION, and the scheme of the authorization header if it is not the first one
 * that the client tried
 */
export async function testConnection(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  return withClientOfDialog(RED, body, async (client) => {
    const { authScheme: first } = client;
    const { data } = await client.request(WHO_AM_I, { signal });
    const { authScheme } = client;
    return authScheme === first ? data : { ...data, authScheme };
  });
}
