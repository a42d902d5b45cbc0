import type { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { createAuthenticator, Unauthorized } from '../auth/authenticator.js';
import type { SigningKey } from '../auth/signing-keys.js';
import type { Store } from '../data/store.js';
import type { Control } from '../faults/control.js';
import type { Settings } from '../faults/settings.js';
import { type Exchange, json, type SandboxResponse } from '../http/exchange.js';
import type { Uploads } from '../http/uploads.js';
import { coercion } from './coercion.js';
import type { ApiContext } from './context.js';
import { isSameSchema } from './dialect.js';
import { introspectionSwitch } from './introspection.js';
import { StaleEtag } from './mutations/common.js';
import { permissionCheck } from './permission-check.js';
import { executableSchema } from './resolvers.js';
import { introspectionText, standardIntrospection } from './standard-introspection.js';

interface ApiOptions {
  key: SigningKey;
  store: Store;
  control: Control;
  uploads: Uploads;
  /** The ID of the API key that the settings are about. */
  mainKeyId: number;
}

/** The GraphQL API behind its auth layer. */
export function createApi({ key, store, control, uploads, mainKeyId }: ApiOptions) {
  const authenticate = createAuthenticator(key, store, control);
  const build = () => {
    const dialect = { ...control.settings };
    return { dialect, schema: executableSchema(dialect) };
  };
  let built = build();
  const yoga = createYoga<ApiContext>({
    schema: () => {
      if (!isSameSchema(built.dialect, control.settings)) built = build();
      return built.schema;
    },
    plugins: [
      introspectionSwitch(control),
      standardIntrospection,
      ionAnswers(control),
      permissionCheck,
      coercion,
    ],
    // The body is complete, and no larger than the sandbox allows.
    maxRequestBodySize: false,
    maskedErrors: false,
    landingPage: false,
    graphiql: false,
    logging: false,
  });

  const answer = async (body: string, user: ReturnType<typeof authenticate>) => {
    const response = await yoga.fetch(
      'http://sandbox/graphql',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body,
      },
      { store, control, uploads, mainKeyId, ...user },
    );
    const type = response.headers.get('content-type') ?? 'application/json; charset=utf-8';
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: { 'content-type': type }, body: bytes };
  };

  return async (exchange: Exchange): Promise<SandboxResponse> => {
    let user: ReturnType<typeof authenticate>;
    try {
      user = authenticate(exchange.headers.authorization);
    } catch (error) {
      if (error instanceof Unauthorized) return refusal(401, error.message);
      throw error;
    }
    if (exchange.method !== 'POST') return refusal(405, 'Send a POST request.', { allow: 'POST' });
    let body: unknown;
    try {
      body = JSON.parse(exchange.body.toString());
    } catch {
      return refusal(400, 'The request body is not JSON.');
    }
    if (!Array.isArray(body) || !control.settings.arrayBatching) {
      return answer(exchange.body.toString(), user);
    }
    return inTurn(body, (operation) => answer(JSON.stringify(operation), user));
  };
}

/** The responses to the operations of one request, which run one after the other. */
async function inTurn(
  operations: readonly unknown[],
  answer: (operation: unknown) => Promise<SandboxResponse>,
): Promise<SandboxResponse> {
  const answers: unknown[] = [];
  for (const operation of operations) {
    const { body } = await answer(operation);
    answers.push(JSON.parse(body.toString()));
  }
  return json(200, answers);
}

/** A response in the form of ION's own auth layer. */
export function refusal(status: number, message: string, headers = {}): SandboxResponse {
  return json(status, { errors: [{ message }] }, headers);
}

/** Responds as ION does: HTTP 200, errors without codes, except a stale etag in some dialects. */
function ionAnswers({ settings }: Control): Plugin<ApiContext> {
  return {
    onResultProcess({ result, setResultProcessor }) {
      if (Array.isArray(result) || !('errors' in result || 'data' in result)) return;
      setResultProcessor((_result, fetchAPI) => {
        const body = {
          ...result,
          errors: result.errors?.map((each) => plainError(each, settings)),
        };
        return new fetchAPI.Response(introspectionText(result) ?? JSON.stringify(body), {
          status: statusOf(result.errors, settings),
          headers: { 'content-type': 'application/json; charset=utf-8' },
        });
      }, 'application/json');
    },
  };
}

/** Another text of a stale etag than the one that was seen. */
const OTHER_STALE_TEXT = 'Concurrency conflict: the etag is out of date.';

function plainError(error: GraphQLError, { etagError }: Settings) {
  const { locations, path } = error;
  if (!isStale(error)) return { message: error.message, locations, path };
  const message = etagError === 'other-text' ? OTHER_STALE_TEXT : error.message;
  return { message, locations, path, ...(etagError === 'code' && { code: 'CONCURRENCY_ERROR' }) };
}

const STALE_STATUS = { errors: 200, status: 409, 'bad-request': 400 };

function statusOf(errors: readonly GraphQLError[] | undefined, { etagConflict }: Settings): number {
  // Yoga marks faults of the request itself, such as a missing query; those in an operation have a place in it.
  const http = errors?.[0]?.extensions?.http as { status?: number; spec?: boolean } | undefined;
  if (http?.status && !http.spec && !errors?.[0]?.locations) return http.status;
  return errors?.some(isStale) ? STALE_STATUS[etagConflict] : 200;
}

function isStale({ originalError }: GraphQLError): boolean {
  return originalError instanceof StaleEtag;
}
