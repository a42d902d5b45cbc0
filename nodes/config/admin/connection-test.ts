import type { NodeAPI } from 'node-red';
import { shownOwner } from '../check/shown-owner.js';
import { WHO_AM_I } from '../check/who-am-i.js';
import { settingsOfDialog, withClientOfDialog } from './client-of-dialog.js';
import { deployedConfig } from './deployed-config.js';

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
    rememberOwner(RED, body, client.endpoint, data.me);
    return authScheme === first ? data : { ...data, authScheme };
  });
}

/** The sidebar shows the owner, if the deployed config node has the same key and API. */
function rememberOwner(RED: NodeAPI, body: unknown, endpoint: string, me: unknown): void {
  const { key } = settingsOfDialog(RED, body).settings;
  const deployed = deployedConfig(RED, (body as { id: string }).id);
  const { clientId, clientSecret } = deployed?.credentials ?? {};
  if (!deployed || clientId !== key.clientId || clientSecret !== key.clientSecret) return;
  try {
    if (deployed.client.endpoint === endpoint) deployed.owner = shownOwner(me) ?? deployed.owner;
  } catch {
    // Its deployed settings cannot work.
  }
}
