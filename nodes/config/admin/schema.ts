import type { NodeAPI } from 'node-red';
import type { IonClient } from '../../client/client.js';
import { IonError } from '../../client/errors.js';
import { introspectionOperation } from '../../client/graphql/introspection.js';
import { writeJson } from '../../client/support/long-json.js';
import { withClientOfDialog } from './client-of-dialog.js';
import { requireDeployedConfig } from './deployed-config.js';
import { JsonText } from './respond.js';

/** In JSON; a schema stays in memory as long as its config node. */
const MAX_SCHEMA_BYTES = 32 * 1024 * 1024;

interface CachedSchema {
  text?: JsonText;
  reading?: Promise<JsonText> | undefined;
}

/** Schemas are large and change rarely: one per client, until a refresh. */
const schemas = new WeakMap<IonClient, CachedSchema>();

/** @returns the schema of an environment; concurrent requests share one introspection */
export async function readSchema(RED: NodeAPI, id: string, refresh: boolean): Promise<JsonText> {
  const { client } = requireDeployedConfig(RED, id);
  const schema = schemas.get(client) ?? {};
  schemas.set(client, schema);
  if (schema.text && !refresh) return schema.text;
  // Not the signal of one request, because others may wait for the same result.
  schema.reading ??= introspect(client, new AbortController().signal).finally(() => {
    schema.reading = undefined;
  });
  schema.text = await schema.reading;
  return schema.text;
}

/** @returns the schema of an environment, with the values of a config node that is not deployed */
export async function readUndeployedSchema(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<JsonText> {
  return withClientOfDialog(RED, body, (client) => introspect(client, signal));
}

async function introspect(client: IonClient, signal: AbortSignal): Promise<JsonText> {
  const { data } = await client.request(introspectionOperation(), { signal, isEditor: true });
  const bytes = await writeJson(data);
  if (bytes.length <= MAX_SCHEMA_BYTES) return new JsonText(bytes);
  throw new IonError(
    'ION_RESPONSE',
    'The schema of this ION environment is too large for the dialogs.',
  );
}
