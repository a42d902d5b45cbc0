import type { NodeAPI } from 'node-red';
import { parseOperation } from '../../client/graphql/operation.js';
import { clientOfDialog } from './client-of-dialog.js';

/** ION's documented query for the owner of an API key. */
const WHO_AM_I = '{ me { id name email organization { id domain } } }';

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
  const client = clientOfDialog(RED, body);
  const { authScheme: first } = client;
  try {
    const { data } = await client.request(parseOperation(WHO_AM_I), { signal });
    const { authScheme } = client;
    return authScheme === first ? data : { ...data, authScheme };
  } finally {
    await client.close();
  }
}
