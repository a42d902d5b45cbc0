import type { TokenEndpointResponse } from 'oauth4webapi';
import { IonError } from '../errors.js';
import type { HttpResponse, Transport } from '../http/transport.js';
import { isPlainObject, JsonLimitError, parseShortJson } from '../support/json.js';
import type { ApiKey } from './api-key.js';
import { tokenFailure } from './token-failure.js';

/** Lifetime of a token without `expires_in`, in seconds. */
const DEFAULT_LIFETIME = 60;
/** Limit for a response, in characters: a token of some KiB and a few properties. */
const MAX_RESPONSE = 100_000;
/** Limit for a token, in characters. Few servers accept longer headers. */
const MAX_TOKEN = 16_384;

export interface TokenRequestOptions {
  tokenUrl: URL;
  key: ApiKey;
  audience: string;
  transport: Pick<Transport, 'post'>;
  /** Another URL at which the auth server has no token endpoint. */
  missingAt?: URL;
}

/** The source and the lifetime of an access token. */
export interface TokenGrant {
  /** The URL of the token endpoint that issued it. */
  url: string;
  lifetimeMs: number;
}

export interface GrantedToken extends TokenGrant {
  value: string;
}

/**
 * Requests an access token: client credentials grant with the key in the form body (ION manual,
 * "Access Tokens").
 * @throws IonError
 */
export async function requestToken(
  { tokenUrl, key, audience, transport, missingAt }: TokenRequestOptions,
  signal: AbortSignal,
): Promise<GrantedToken> {
  const oauth = await import('oauth4webapi');
  const server = { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href };
  const client = { client_id: key.clientId };
  let received: HttpResponse | undefined;
  try {
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretPost(key.clientSecret),
      { audience },
      {
        // The environment decides whether plain http is allowed.
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: async (_url, { headers, body }) => {
          const request = { url: tokenUrl, headers, body: String(body), signal };
          received = readable(await transport.post({ peer: 'auth', ...request }), tokenUrl);
          return toFetchResponse(received);
        },
      },
    );
    const grant = await oauth.processClientCredentialsResponse(server, client, response);
    return readGrant(grant, tokenUrl);
  } catch (thrown) {
    if (thrown instanceof IonError || !received) throw thrown;
    throw tokenFailure(thrown, received, tokenUrl, missingAt);
  }
}

/**
 * The response with a limited text. A failed response keeps its beginning, because its status says
 * enough.
 * @throws IonError `ION_RESPONSE` for a successful response that is too long or nested too deeply
 */
function readable(response: HttpResponse, { host }: URL): HttpResponse {
  const { status } = response;
  const text = response.text.slice(0, MAX_RESPONSE);
  if (status < 200 || status > 299) return { ...response, text };
  const isTooLong = text.length < response.text.length;
  if (!isTooLong && !isTooDeep(text)) return { ...response, text: normalizedGrant(text) };
  const reason = isTooLong ? `longer than ${MAX_RESPONSE} characters` : 'nested too deeply';
  const message = `The response of the auth server ${host} cannot be used: it is ${reason}.`;
  throw new IonError('ION_RESPONSE', message, { status });
}

function isTooDeep(text: string): boolean {
  try {
    parseShortJson(text);
    return false;
  } catch (thrown) {
    return thrown instanceof JsonLimitError;
  }
}

/**
 * The properties of a grant that matter, in the form that the OAuth library expects. Gateways and
 * auth servers add properties that are null, and use other names for the token type.
 */
function normalizedGrant(text: string): string {
  try {
    const grant = parseShortJson(text);
    if (!isPlainObject(grant) || typeof grant.access_token !== 'string') return text;
    const { access_token, expires_in: given } = grant;
    const expires_in = given === null || given === '' ? Number.NaN : Number(given);
    const isKnown = Number.isFinite(expires_in) && expires_in >= 0;
    return JSON.stringify({ access_token, token_type: 'bearer', ...(isKnown && { expires_in }) });
  } catch {
    return text;
  }
}

function toFetchResponse({ status, text }: HttpResponse): Response {
  const hasNoBody = status === 204 || status === 205 || status === 304;
  // Other headers are omitted, because the OAuth library prefers a challenge to the body's reason.
  return new Response(hasNoBody ? null : text, {
    status,
    headers: { 'content-type': 'application/json' },
  });
}

function readGrant(
  { access_token: value, expires_in }: TokenEndpointResponse,
  { href: url }: URL,
): GrantedToken {
  const problem = 'The auth server granted an access token that cannot be sent';
  if (!/^[\x21-\x7e]+$/.test(value)) throw new IonError('ION_RESPONSE', `${problem}.`);
  if (value.length > MAX_TOKEN) {
    const message = `${problem}: it is longer than ${MAX_TOKEN} characters.`;
    throw new IonError('ION_RESPONSE', message);
  }
  return { value, url, lifetimeMs: Math.max(0, expires_in ?? DEFAULT_LIFETIME) * 1000 };
}
