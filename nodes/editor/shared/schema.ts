// The schema of an environment, as the dialogs use it. The server reads it with the API key; the page
// keeps it as long as the server has the same one.
import { adminRequest, adminResponse, type ServerError } from './admin-request.js';
import { type ConfigSettings, changedSettingsOf, withSettings } from './config-settings.js';

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
/** The schema that was last read with values that are not deployed. */
let undeployed: { key: string; schema: Introspection } | undefined;

/**
 * The schema of a config node's environment, with its values in the editor if they are not deployed.
 * For deployed values the server is asked each time, because a deploy may have changed the
 * environment; it sends a schema again only if it changed.
 * Rejects with a `ServerError`.
 * @param config the ID of the running config node
 */
export function loadSchema(config: string, { refresh = false } = {}): Promise<Introspection> {
  const settings = changedSettingsOf(config);
  const key = settings ? JSON.stringify(settings) : config;
  const underWay = loading.get(key);
  if (underWay && !refresh) return underWay;
  const reading = withSettings(
    config,
    () => readSchema(config, refresh),
    (settings) => readUndeployed(settings, refresh),
  );
  const schema = reading.finally(() => {
    if (loading.get(key) === schema) loading.delete(key);
  });
  loading.set(key, schema);
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

async function readUndeployed(settings: ConfigSettings, refresh: boolean): Promise<Introspection> {
  const key = JSON.stringify(settings);
  if (undeployed?.key === key && !refresh) return undeployed.schema;
  const schema = await adminRequest<Introspection>({
    url: 'ion-config/schema',
    method: 'POST',
    body: settings,
  });
  undeployed = { key, schema };
  return schema;
}

/** The named type behind lists and "not null". */
export function namedType(type: TypeReference): string {
  return type.ofType ? namedType(type.ofType) : String(type.name);
}
