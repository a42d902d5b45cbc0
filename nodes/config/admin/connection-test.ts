import type { NodeAPI } from 'node-red';
import { WHO_AM_I } from '../check/who-am-i.js';
import { withClientOfDialog } from './client-of-dialog.js';

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
