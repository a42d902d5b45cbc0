import type Provider from 'oidc-provider';
import type { AdapterPayload } from 'oidc-provider';
import type { ApiKeyRow } from '../data/model.js';
import type { Store } from '../data/store.js';
import type { Control } from '../faults/control.js';
import { capture, type Exchange, json, type SandboxResponse } from '../http/exchange.js';
import type { SigningKey } from './signing-keys.js';

/** Path of the realm of API keys in Keycloak, which ION uses. */
const REALM = '/realms/api-keys';
/** Beginning of the paths of Keycloak before version 17. */
const OLD_PREFIX = '/auth';

interface AuthServerOptions {
  /** Origin, and a prefix for the server of another environment. */
  baseUrl: string;
  /** The audience of the tokens. */
  apiUrl: string;
  key: SigningKey;
  store: Store;
  control: Control;
  /** Id of the API key that the setting `keyEnabled` is about. */
  mainKeyId: number;
}

interface AuthServer {
  /** Whether a path belongs to this server, at its present or its old place. */
  owns(path: string): boolean;
  answer(this: void, exchange: Exchange): Promise<SandboxResponse>;
}

/** An OAuth 2.0 server that answers client-credentials requests like ION's Keycloak realm. */
export async function createAuthServer(options: AuthServerOptions): Promise<AuthServer> {
  const { apiUrl, baseUrl, control, key, store } = options;
  const OidcProvider = await loadProvider();
  const findClient = (clientId: string) => {
    const apiKey = store.apiKeys.find((row) => row.clientId === clientId);
    if (!apiKey?.enabled) return undefined;
    if (apiKey.id === options.mainKeyId && !control.settings.keyEnabled) return undefined;
    return clientMetadata(apiKey);
  };
  const provider = new OidcProvider(baseUrl + REALM, {
    adapter: (model: string) => storage(model === 'Client' ? findClient : () => undefined),
    jwks: { keys: [key.jwk] },
    routes: {
      token: '/protocol/openid-connect/token',
      jwks: '/protocol/openid-connect/certs',
      authorization: '/protocol/openid-connect/auth',
      userinfo: '/protocol/openid-connect/userinfo',
      end_session: '/protocol/openid-connect/logout',
    },
    clientAuthMethods: ['client_secret_post'],
    clientBasedCORS: () => false,
    ttl: { ClientCredentials: () => control.settings.tokenLifetime },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => apiUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: control.settings.tokenLifetime,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ generation: control.tokenGeneration }),
  });
  provider.use(likeKeycloak);
  const listener = provider.callback();
  const prefixOf = (base: string) => withoutSlash(new URL(base).pathname) + REALM;
  const prefixes = { new: prefixOf(baseUrl), old: prefixOf(baseUrl + OLD_PREFIX) };
  return {
    owns: (path) => Object.values(prefixes).some((prefix) => path.startsWith(prefix)),
    async answer(exchange) {
      const place = exchange.path.startsWith(prefixes.new) ? 'new' : 'old';
      const { tokenPath } = control.settings;
      if (tokenPath !== 'both' && tokenPath !== place) {
        return json(404, { error: 'Unable to find matching target resource method' });
      }
      return capture(listener, exchange, exchange.path.slice(prefixes[place].length));
    },
  };
}

function withoutSlash(path: string): string {
  return path === '/' ? '' : path;
}

function clientMetadata(apiKey: ApiKeyRow): AdapterPayload {
  return {
    client_id: apiKey.clientId,
    client_secret: apiKey.clientSecret,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
}

/** The provider's storage: clients are ION's API keys, tokens are not kept. */
function storage(find: (id: string) => AdapterPayload | undefined) {
  const nothing = async () => undefined;
  return {
    find: async (id: string) => find(id),
    findByUid: nothing,
    findByUserCode: nothing,
    upsert: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  };
}

interface TokenBody {
  error?: string;
  error_description?: string;
  access_token?: string;
}

/** Adds the members and texts of Keycloak's responses that the provider's lack. */
async function likeKeycloak(context: { body: unknown; status: number }, next: () => Promise<void>) {
  await next();
  const body = (context.body ?? {}) as TokenBody;
  if (body.error === 'invalid_client') {
    context.status = 401;
    body.error_description = 'Invalid client or Invalid client credentials';
  }
  if (body.access_token) {
    Object.assign(body, { refresh_expires_in: 0, 'not-before-policy': 0, scope: 'profile email' });
  }
}

let loading: Promise<typeof Provider> | undefined;

/**
 * Loads the provider without the warning that it prints on Node 20, which this package supports and
 * the provider's tests do not cover. The tests of the sandbox show that the grant used here works.
 */
function loadProvider(): Promise<typeof Provider> {
  loading ??= (async () => {
    const { warn } = console;
    console.warn = (...args: unknown[]) => {
      if (!String(args[0]).includes('Unsupported runtime')) warn(...args);
    };
    try {
      return (await import('oidc-provider')).default;
    } finally {
      console.warn = warn;
    }
  })();
  return loading;
}
