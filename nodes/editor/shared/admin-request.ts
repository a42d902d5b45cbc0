// Requests to the admin routes of this package.

/** A failure as the admin routes report it. */
export interface ServerError {
  code: string;
  message: string;
  /** Whether the config node of the request is deployed, if that is the reason. */
  isDeployed?: false;
  /** GraphQL's own errors, and the data that came with them. */
  errors?: unknown[];
  data?: unknown;
}

export interface AdminRequest {
  /** Relative to the editor's root. */
  url: string;
  method?: 'GET' | 'POST';
  body?: object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface AdminResponse<Result> {
  value: Result;
  etag: string | null;
}

/** The result of an admin route. Rejects with a `ServerError`. */
export async function adminRequest<Result>(request: AdminRequest): Promise<Result> {
  return (await adminResponse<Result>(request)).value;
}

/** The result of an admin route with its etag. Rejects with a `ServerError`. */
export function adminResponse<Result>(request: AdminRequest): Promise<AdminResponse<Result>> {
  const { url, method = 'GET', body, headers = {}, signal } = request;
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
      (value: Result, _status, response) =>
        resolve({ value, etag: response.getResponseHeader('etag') }),
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
