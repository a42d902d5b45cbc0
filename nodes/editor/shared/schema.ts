// The schema of an environment, as the dialogs use it: read by the server with the API key, kept by
// the page as long as the server has the same one.

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

/** What the server says of a failure. */
export interface ServerError {
  code: string;
  message: string;
  /** GraphQL's own errors, and the data that came with them. */
  errors?: unknown[];
  data?: unknown;
}

interface Loaded {
  schema: Introspection;
  /** Tells whether the server still has the same one. */
  etag: string | null;
}

const loaded = new Map<string, Loaded>();
const loading = new Map<string, Promise<Introspection>>();

/**
 * The schema of a running config node's environment. The server is asked each time, because what
 * is deployed may lead to another ION by now; it sends a schema again only if it is another one.
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

async function readSchema(config: string, refresh: boolean): Promise<Introspection> {
  const known = loaded.get(config);
  const url = `ion-config/${encodeURIComponent(config)}/schema${refresh ? '?refresh=1' : ''}`;
  const headers = known?.etag ? { 'if-none-match': known.etag } : {};
  const { value, etag } = await send<Introspection | undefined>({ url, headers });
  const schema = value ?? known?.schema;
  if (!schema) throw { code: 'ION_RESPONSE', message: url } satisfies ServerError;
  loaded.set(config, { schema, etag });
  return schema;
}

interface RequestSettings {
  url: string;
  method?: 'GET' | 'POST';
  body?: object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A request to this package's admin routes. Rejects with a `ServerError`. */
export async function request<Result>(settings: RequestSettings): Promise<Result> {
  return (await send<Result>(settings)).value;
}

function send<Result>(settings: RequestSettings): Promise<{ value: Result; etag: string | null }> {
  const { url, method = 'GET', body, headers = {}, signal } = settings;
  return new Promise((resolve, reject) => {
    // The editor's own ajax settings add the root path and the user's access token.
    const sent = $.ajax({
      url,
      method,
      headers,
      ...(body && { data: JSON.stringify(body), contentType: 'application/json' }),
    });
    signal?.addEventListener('abort', () => sent.abort(), { once: true });
    sent.then(
      (value: Result, _status, answer) =>
        resolve({ value, etag: answer.getResponseHeader('etag') }),
      (failed: JQuery.jqXHR) => reject(serverError(failed)),
    );
  });
}

function serverError({ responseJSON, status, statusText }: JQuery.jqXHR): ServerError {
  const { code, message, ...details } = (responseJSON ?? {}) as Partial<ServerError>;
  return {
    code: code ?? `HTTP ${status}`,
    message: message ?? statusText,
    ...details,
  };
}

/** The named type behind lists and "not null". */
export function namedType(type: TypeReference): string {
  return type.ofType ? namedType(type.ofType) : String(type.name);
}
