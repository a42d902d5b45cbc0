import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.js';

export interface GraphQLAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of any shape.
  data?: any;
  errors?: { message: string; locations?: unknown; path?: unknown; extensions?: unknown }[];
}

/** A sandbox with the few calls that its tests make. */
export interface TestSandbox extends Sandbox {
  token(base?: string): Promise<string>;
  post(body: string, headers?: Record<string, string>): Promise<Response>;
  /** Runs an operation with a token that is requested once. */
  run(query: string, variables?: object): Promise<GraphQLAnswer>;
  /** The same, for an operation that must succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of any shape.
  ask(query: string, variables?: object): Promise<any>;
  /** The message of the only error that an operation must fail with. */
  refusal(query: string, variables?: object): Promise<string>;
  http(method: string, path: string, body?: unknown): Promise<Response>;
}

export function requestToken(
  base: string,
  clientId: string,
  clientSecret: string,
  more: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${base}/realms/api-keys/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      ...more,
    }),
  });
}

export async function start(options: SandboxOptions = {}): Promise<TestSandbox> {
  const sandbox = await startSandbox({ port: 0, ...options });
  const { clientId, clientSecret, url } = sandbox;
  let known: string | undefined;
  const token = async (base = sandbox.authUrl) => {
    const response = await requestToken(base, clientId, clientSecret);
    const { access_token } = (await response.json()) as { access_token: string };
    return access_token;
  };
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const run = async (query: string, variables?: object) => {
    known ??= await token();
    const response = await post(JSON.stringify({ query, variables }), { authorization: known });
    return (await response.json()) as GraphQLAnswer;
  };
  return {
    ...sandbox,
    token,
    post,
    run,
    async ask(query, variables) {
      const { data, errors } = await run(query, variables);
      if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
      return data;
    },
    async refusal(query, variables) {
      const { errors } = await run(query, variables);
      if (errors?.length !== 1) throw new Error(`expected one error, got ${errors?.length ?? 0}`);
      return String(errors[0]?.message);
    },
    http: (method, path, body) =>
      fetch(`${url}/_sandbox/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}
