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

/** In characters; a longer text is no URL that anybody entered. */
const MAX_URL = 2000;
/** The longest host name that DNS allows. */
const MAX_HOST = 253;

/** Path of the token endpoint on an auth server (ION manual, page "Access Tokens"). */
export const TOKEN_PATH = '/realms/api-keys/protocol/openid-connect/token';

export interface EndpointSettings {
  environment: EnvironmentName;
  /** `custom` only: base URL, with or without `/graphql`. */
  apiUrl?: string | undefined;
  /** `custom` only: host or URL of the auth server, or a full token URL (ends in `/token`). */
  authUrl?: string | undefined;
  /** Empty: the API base URL, as the manual's script sends. */
  audience?: string | undefined;
  /** Permits plain `http` to another host than this machine. */
  allowHttp?: boolean | undefined;
}

export interface Endpoints {
  graphqlUrl: URL;
  tokenUrl: URL;
  audience: string;
}

/**
 * The URLs that an environment stands for.
 * @throws IonError `ION_CONFIG` for an unknown environment or a URL that cannot be used.
 */
export function resolveEndpoints(settings: EndpointSettings): Endpoints {
  const { environment } = settings;
  const preset: Environment | undefined =
    environment !== 'custom' && Object.hasOwn(environments, environment)
      ? environments[environment]
      : undefined;
  if (environment !== 'custom' && !preset) {
    const name = typeof environment === 'string' ? ` "${quote(environment)}"` : '';
    throw new IonError(
      'ION_CONFIG',
      `The environment${name} is not known. Choose one from the list in the ION config node.`,
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
    'The audience in the ION config node has a line break, a tab or another control character in it. Enter it again.',
  );
}

/** The host stays the one that was checked, whatever the path looks like. */
function withPath(url: URL, path: string): URL {
  const result = new URL(url);
  result.pathname = path;
  return result;
}

function parseUrl(what: string, text: unknown, allowHttp: boolean): URL {
  const trimmed = typeof text === 'string' ? trimEnds(text) : text;
  if (!trimmed) {
    throw new IonError(
      'ION_CONFIG',
      `The ${what} is empty. Enter it in the ION config node, or choose another environment than "custom".`,
    );
  }
  const url = typeof trimmed === 'string' ? parsed(trimmed) : undefined;
  if (!url) {
    // Without the cause, which repeats the whole text.
    const given = typeof trimmed === 'string' ? ` "${quote(printable(trimmed))}"` : '';
    throw new IonError(
      'ION_CONFIG',
      `The ${what}${given} is not a valid URL. It should look like https://api.example.com.`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new IonError(
      'ION_CONFIG',
      `The ${what} for ${url.host} must be a plain URL, without user, password, "?" or "#". The API key belongs in the fields for client ID and client secret.`,
    );
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw new IonError(
      'ION_CONFIG',
      `The ${what} for ${url.host} uses plain http, which would send the client secret unencrypted. Use https, or allow http in the ION config node.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new IonError(
      'ION_CONFIG',
      `The ${what} starts with "${url.protocol}". Only https (and http on this machine) can be used.`,
    );
  }
  // Other programs read what follows two slashes as a host.
  if (withoutTrailingSlashes(url.pathname).includes('//')) {
    throw new IonError(
      'ION_CONFIG',
      `The ${what} for ${url.host} has "//" in its path. Remove one slash.`,
    );
  }
  return url;
}

/** A host alone means https; `undefined` for what is no URL that anybody entered. */
function parsed(text: string): URL | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  // A URL is parsed without the line breaks and tabs that stand in it.
  if (text.length > MAX_URL || hasControlCharacter(text)) return undefined;
  if (!URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  return url.hostname.length > MAX_HOST ? undefined : url;
}

function withoutEnd(path: string, end: string): string {
  const trimmed = withoutTrailingSlashes(path);
  return trimmed.endsWith(end) ? trimmed.slice(0, -end.length) : trimmed;
}

/** A mistyped URL may hold credentials, before an "@" or in a query: they are not repeated. */
function printable(text: string): string {
  return text
    .replace(/^(\w+:\/\/)?.*@/s, '$1***@')
    .replace(/[?#].*/s, '')
    .slice(0, 100);
}
