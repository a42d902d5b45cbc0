// The schema of an environment, as the dialogs use it. The server reads it with the API key; the page
// keeps it as long as the server has the same one.
import { adminResponse, type ServerError } from './admin-request.js';

export interface TypeReference {
  kind: string;
  name: string | null;
  ofType: TypeReference | null;
}

export interface Field {
  name: string;
  description: string | null;
  args: { name: string; type: TypeReference }[];
  type: TypeReference;
  isDeprecated: boolean;
}

export interface SchemaType {
  kind: string;
  name: string;
  description: string | null;
  fields: Field[] | null;
  inputFields: { name: string; description: string | null; type: TypeReference }[] | null;
  enumValues: { name: string; description: string | null }[] | null;
}

/** GraphQL's introspection result. */
export interface Introspection {
  __schema: { types: SchemaType[]; queryType: { name: string } };
}

interface Loaded {
  schema: Introspection;
  /** Sent with the next request, so that the server sends the schema only if it changed. */
  etag: string | null;
}

const loaded = new Map<string, Loaded>();
const loading = new Map<string, Promise<Introspection>>();

/**
 * The schema of a running config node's environment. The server is asked each time, because a deploy
 * may have changed the environment; it sends a schema again only if it changed.
 * Rejects with a `ServerError`, for example if the config node is not deployed yet.
 */
export function loadSchema(config: string, { refresh = false } = {}): Promise<Introspection> {
  const underWay = loading.get(config);
  if (underWay && !refresh) return underWay;
  const schema = readSchema(config, refresh).finally(() => {
    if (loading.get(config) === schema) loading.delete(config);
  });
  loading.set(config, schema);
  return schema;
}

/** The schema that was loaded last for a config node. */
export function loadedSchema(config: string): Introspection | undefined {
  return loaded.get(config)?.schema;
}

async function readSchema(config: string, refresh: boolean): Promise<Introspection> {
  const cached = loaded.get(config);
  const url = `ion-config/${encodeURIComponent(config)}/schema${refresh ? '?refresh=1' : ''}`;
  const headers = cached?.etag ? { 'if-none-match': cached.etag } : {};
  const { value, etag } = await adminResponse<Introspection | undefined>({ url, headers });
  const schema = value ?? cached?.schema;
  if (!schema) throw { code: 'ION_RESPONSE', message: url } satisfies ServerError;
  loaded.set(config, { schema, etag });
  return schema;
}

/** The named type behind lists and "not null". */
export function namedType(type: TypeReference): string {
  return type.ofType ? namedType(type.ofType) : String(type.name);
}
