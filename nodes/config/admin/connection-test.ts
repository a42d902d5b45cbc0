import type { NodeAPI } from 'node-red';
import { ownOperation } from '../../client/graphql/own-operation.js';
import { clientOfDialog } from './client-of-dialog.js';

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

/** Asks ION for the owner of the API key, with the values of a dialog. */
export async function testConnection(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const client = clientOfDialog(RED, body);
  try {
    const { data } = await client.request(WHO_AM_I, { signal });
    return data;
  } finally {
    await client.close();
  }
}
