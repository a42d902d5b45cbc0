import { IonError, quote } from '../errors.js';
import { isLoopback } from '../support/is-loopback.js';
import { withoutTrailingSlashes } from '../support/paths.js';
import { hasControlCharacter, trimEnds } from '../support/trim-ends.js';

/** An environment that First Resonance runs. Hosts: ION manual, page "Access Tokens". */
export interface Environment {
  label: string;
  /** API base URL, without `/graphql`. */
  apiUrl: string;
  authUrl: string;
  appUrl: string;
}

export const environments = {
  production: {
    label: 'Production',
    apiUrl: 'https://api.buildwithion.com',
    authUrl: 'https://auth.buildwithion.com',
    appUrl: 'https://app.firstresonance.io',
  },
  staging: {
    label: 'Staging and sandbox',
    apiUrl: 'https://staging-api.buildwithion.com',
    authUrl: 'https://staging-auth.buildwithion.com',
    appUrl: 'https://staging.firstresonance.io',
  },
  'gov-production': {
    label: 'US Gov production',
    apiUrl: 'https://api-production-gov.buildwithion.com',
    authUrl: 'https://auth-production-gov.buildwithion.com',
    appUrl: 'https://app.ion-gov.com',
  },
  'gov-staging': {
    label: 'US Gov staging and sandbox',
    apiUrl: 'https://api-staging-gov.buildwithion.com',
    authUrl: 'https://auth-staging-gov.buildwithion.com',
    appUrl: 'https://staging.ion-gov.com',
  },
  'aus-production': {
    label: 'Australia production',
    apiUrl: 'https://api-production-aus.buildwithion.com',
    authUrl: 'https://auth-production-aus.buildwithion.com',
    appUrl: 'https://app.ion-aus.com',
  },
  'aus-staging': {
    label: 'Australia staging',
    apiUrl: 'https://api-staging-aus.buildwithion.com',
    authUrl: 'https://auth-staging-aus.buildwithion.com',
    appUrl: 'https://staging.ion-aus.com',
  },
} as const satisfies Record<string, Environment>;

export type EnvironmentName = keyof typeof environments | 'custom';

/** Limit for an entered URL, in characters. */
const MAX_URL = 2000;
/** Limit of DNS for a host name. */
const MAX_HOST = 253;

/** Path of the token endpoint on an auth server (ION manual, page "Access Tokens"). */
export const TOKEN_PATH = '/realms/api-keys/protocol/openid-connect/token';

export interface EndpointSettings {
  environment: EnvironmentName;
  /** API base URL, with or without `/graphql`; for `custom` only. */
  apiUrl?: string | undefined;
  /** Host or URL of the auth server, or a full token URL (ends in `/token`); for `custom` only. */
  authUrl?: string | undefined;
  /** @default the API base URL, as in the script of ION's manual */
  audience?: string | undefined;
  /**
   * Permits plain `http` to other machines.
   * @default false
   */
  allowHttp?: boolean | undefined;
}

export interface Endpoints {
  graphqlUrl: URL;
  tokenUrl: URL;
  audience: string;
}

/**
 * The URLs of an environment.
 * @throws IonError `ION_CONFIG` for an unknown environment or a URL that cannot be used
 */
export function resolveEndpoints(settings: EndpointSettings): Endpoints {
  const { environment } = settings;
  const preset: Environment | undefined = Object.hasOwn(environments, environment)
    ? environments[environment as keyof typeof environments]
    : undefined;
  if (environment !== 'custom' && !preset) {
    const name = typeof environment === 'string' ? ` "${quote(environment)}"` : '';
    throw new IonError(
      'ION_CONFIG',
      `The environment${name} is not known. Select one from the list in the ION config node.`,
    );
  }
  const allowHttp = settings.allowHttp ?? false;
  const api = parseUrl('API URL', preset?.apiUrl ?? settings.apiUrl, allowHttp);
  const auth = parseUrl('auth URL', preset?.authUrl ?? settings.authUrl, allowHttp);

  const basePath = withoutEnd(api.pathname, '/graphql');
  const authPath = withoutTrailingSlashes(auth.pathname);
  const tokenPath = authPath.endsWith('/token')
    ? authPath
    : withoutEnd(authPath, '/realms/api-keys') + TOKEN_PATH;
  return {
    graphqlUrl: withPath(api, `${basePath}/graphql`),
    tokenUrl: withPath(auth, tokenPath),
    audience: audienceOf(settings.audience) || api.origin + basePath,
  };
}

/** @throws IonError `ION_CONFIG` */
function audienceOf(entered: string | undefined): string {
  const audience = trimEnds(String(entered ?? ''));
  if (!hasControlCharacter(audience)) return audience;
  throw new IonError(
    'ION_CONFIG',
    'The audience in the ION config node contains a line break, a tab or another control character. Enter it again.',
  );
}

/** A copy with another path, which cannot change the host that was checked. */
function withPath(url: URL, path: string): URL {
  const result = new URL(url);
  result.pathname = path;
  return result;
}

/** @param label name of the setting in error texts */
function parseUrl(label: string, text: unknown, allowHttp: boolean): URL {
  const trimmed = typeof text === 'string' ? trimEnds(text) : text;
  if (!trimmed) {
    throw new IonError(
      'ION_CONFIG',
      `The ${label} is empty. Enter it in the ION config node, or select an environment other than "Custom URLs".`,
    );
  }
  const url = typeof trimmed === 'string' ? parseEnteredUrl(trimmed) : undefined;
  if (!url) {
    // The cause is omitted, because it contains the whole text.
    const given = typeof trimmed === 'string' ? ` "${quote(printable(trimmed))}"` : '';
    throw new IonError(
      'ION_CONFIG',
      `The ${label}${given} is not a valid URL. It should look like https://api.example.com.`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new IonError(
      'ION_CONFIG',
      `The ${label} for ${url.host} must be a plain URL, without user, password, "?" or "#". The API key belongs in the fields for client ID and client secret.`,
    );
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw new IonError(
      'ION_CONFIG',
      `The ${label} for ${url.host} uses plain http, which would send the client secret unencrypted. Use https, or allow http in the ION config node.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new IonError(
      'ION_CONFIG',
      `The ${label} starts with "${url.protocol}". Only https (and http on this machine) can be used.`,
    );
  }
  // Other programs read a host after two slashes.
  if (withoutTrailingSlashes(url.pathname).includes('//')) {
    throw new IonError(
      'ION_CONFIG',
      `The ${label} for ${url.host} has "//" in its path. Remove one slash.`,
    );
  }
  return url;
}

/** A URL, with https as the default scheme; `undefined` for a text that is not a URL. */
function parseEnteredUrl(text: string): URL | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  // `URL` ignores line breaks and tabs.
  if (text.length > MAX_URL || hasControlCharacter(text)) return undefined;
  if (!URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  return url.hostname.length > MAX_HOST ? undefined : url;
}

function withoutEnd(path: string, end: string): string {
  const trimmed = withoutTrailingSlashes(path);
  return trimmed.endsWith(end) ? trimmed.slice(0, -end.length) : trimmed;
}

/** A mistyped URL without the parts that may hold credentials: before an "@", and in a query. */
function printable(text: string): string {
  return text.replace(/^(\w+:\/\/)?.*@/s, '$1***@').replace(/[?#].*/s, '');
}
