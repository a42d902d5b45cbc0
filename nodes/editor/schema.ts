// The schema of an environment, as the dialogs use it: read by the server with the API key, kept by
// the page until a refresh is asked for.

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

const loaded = new Map<string, Promise<Introspection>>();

/**
 * The schema of a deployed config node's environment.
 * Rejects with a `ServerError`, for example where the config node is not deployed yet.
 */
export function loadSchema(config: string, { refresh = false } = {}): Promise<Introspection> {
  const known = loaded.get(config);
  if (known && !refresh) return known;
  const url = `ion-config/${encodeURIComponent(config)}/schema${refresh ? '?refresh=1' : ''}`;
  const schema = request<Introspection>({ url });
  loaded.set(config, schema);
  schema.catch(() => loaded.delete(config));
  return schema;
}

/** A request to this package's admin routes. Rejects with a `ServerError`. */
export function request<Result>(settings: {
  url: string;
  method?: 'GET' | 'POST';
  body?: object;
  signal?: AbortSignal;
}): Promise<Result> {
  const { url, method = 'GET', body, signal } = settings;
  return new Promise((resolve, reject) => {
    // The editor's own ajax settings add the root path and the user's access token.
    const sent = $.ajax({
      url,
      method,
      ...(body && { data: JSON.stringify(body), contentType: 'application/json' }),
    });
    signal?.addEventListener('abort', () => sent.abort(), { once: true });
    sent.then(resolve, (failed: JQuery.jqXHR) => reject(serverError(failed)));
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
