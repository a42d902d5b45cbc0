import type { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { createAuthenticator, Unauthorized } from '../auth/authenticator.js';
import type { SigningKey } from '../auth/signing-keys.js';
import type { Store } from '../data/store.js';
import type { Control } from '../faults/control.js';
import { type Exchange, json, type SandboxResponse } from '../http/exchange.js';
import type { Uploads } from '../http/uploads.js';
import type { ApiContext } from './context.js';
import { introspectionSwitch } from './introspection.js';
import { StaleEtag } from './mutations/common.js';
import { executableSchema } from './resolvers.js';

interface ApiOptions {
  key: SigningKey;
  store: Store;
  control: Control;
  uploads: Uploads;
}

/** The GraphQL API behind its auth layer. */
export function createApi({ key, store, control, uploads }: ApiOptions) {
  const authenticate = createAuthenticator(key, store, control);
  const build = (unknown: readonly string[]) => ({ unknown, schema: executableSchema(unknown) });
  let built = build(control.settings.unknown);
  const yoga = createYoga<ApiContext>({
    schema: () => {
      const { unknown } = control.settings;
      if (built.unknown !== unknown) built = build(unknown);
      return built.schema;
    },
    plugins: [introspectionSwitch(control), ionAnswers(control)],
    maskedErrors: false,
    landingPage: false,
    graphiql: false,
    logging: false,
  });

  return async (exchange: Exchange): Promise<SandboxResponse> => {
    let user: ApiContext['user'];
    try {
      user = authenticate(exchange.headers.authorization);
    } catch (error) {
      if (error instanceof Unauthorized) return refusal(401, error.message);
      throw error;
    }
    if (exchange.method !== 'POST') return refusal(405, 'Send a POST request.', { allow: 'POST' });
    try {
      JSON.parse(exchange.body.toString());
    } catch {
      return refusal(400, 'The request body is not JSON.');
    }
    const response = await yoga.fetch(
      'http://sandbox/graphql',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: exchange.body.toString(),
      },
      { store, control, uploads, user },
    );
    return {
      status: response.status,
      headers: {
        'content-type': response.headers.get('content-type') ?? 'application/json; charset=utf-8',
      },
      body: Buffer.from(await response.arrayBuffer()),
    };
  };
}

/** A response in the form of ION's own auth layer. */
export function refusal(status: number, message: string, headers = {}): SandboxResponse {
  return json(status, { errors: [{ message }] }, headers);
}

/** Responds as ION does: always HTTP 200, errors without codes. */
function ionAnswers(control: Control): Plugin<ApiContext> {
  return {
    onResultProcess({ result, setResultProcessor }) {
      if (Array.isArray(result) || !('errors' in result || 'data' in result)) return;
      setResultProcessor((_result, fetchAPI) => {
        const body = { ...result, errors: result.errors?.map(plainError) };
        return new fetchAPI.Response(JSON.stringify(body), {
          status: statusOf(result.errors, control),
          headers: { 'content-type': 'application/json; charset=utf-8' },
        });
      }, 'application/json');
    },
  };
}

function plainError({ message, locations, path, originalError }: GraphQLError) {
  const isStale = originalError instanceof StaleEtag;
  return { message, locations, path, ...(isStale && { code: 'CONCURRENCY_ERROR' }) };
}

function statusOf(errors: readonly GraphQLError[] | undefined, control: Control): number {
  // Yoga marks faults of the request itself, such as a missing query.
  const http = errors?.[0]?.extensions?.http as { status?: number; spec?: boolean } | undefined;
  if (http?.status && !http.spec) return http.status;
  const stale = errors?.some((error) => error.originalError instanceof StaleEtag);
  return stale && control.settings.etagConflict === 'status' ? 409 : 200;
}
