import { IonError } from '../errors.js';
import { hasControlCharacter, trimEnds } from '../support/trim-ends.js';

export interface HttpProxy {
  /** With percent-encoded user and password, if the proxy requires them. */
  url: string;
  /** Hosts without a proxy. */
  except: string[];
}

/** Proxy URLs; empty for no proxy. */
export interface Proxies {
  http: string;
  https: string;
  /**
   * Hosts without a proxy, separated by commas.
   * @default the environment variable `NO_PROXY`
   */
  except?: string;
}

/**
 * The proxies of the settings, or else of the environment variables; lower-case names win.
 * @returns `undefined` for no proxy
 * @throws IonError `ION_CONFIG` for a URL that cannot be a proxy
 */
export function proxiesFor(set: HttpProxy | undefined): Proxies | undefined {
  if (set) {
    const { href } = proxyUrl('The URL of the proxy configuration', set.url);
    return { http: href, https: href, except: set.except.join(',') };
  }
  const http = proxyOfVariable('http_proxy', 'HTTP_PROXY');
  const https = proxyOfVariable('https_proxy', 'HTTPS_PROXY');
  return http || https ? { http, https } : undefined;
}

function proxyOfVariable(...names: string[]): string {
  const name = names.find((each) => process.env[each] !== undefined);
  const value = trimEnds(name ? (process.env[name] ?? '') : '');
  return value && proxyUrl(`The environment variable ${name}`, value).href;
}

/** A DNS name or an IP address. */
const HOST = /^(?:[a-z\d._-]{1,253}|\[[\da-f:.]+\])$/;

/**
 * The URL of a proxy. The default scheme is http, as in curl and npm.
 * @param source subject of the error message
 * @throws IonError `ION_CONFIG`, without the text, because it may hold a password
 */
export function proxyUrl(source: string, text: string): URL {
  const trimmed = trimEnds(text);
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(trimmed) ?? [];
  const url = parseProxyUrl(scheme ? trimmed : `http://${trimmed}`);
  // `URL` reads a bare number as an IP address.
  if (url && HOST.test(url.hostname) && !/^\d*$/.test(trimmed) && isPlainUrl(url)) return url;
  const problem = /^(?:https?:\/\/)?$/i.test(scheme ?? '')
    ? 'is not the URL of a proxy'
    : 'names a proxy that is neither http nor https';
  throw new IonError(
    'ION_CONFIG',
    `${source} ${problem}. It should look like http://proxy.example.com:3128, with special characters in user and password percent-encoded.`,
  );
}

function parseProxyUrl(text: string): URL | undefined {
  return hasControlCharacter(text) || !URL.canParse(text) ? undefined : new URL(text);
}

/** Whether the URL has nothing but a host, a port, a user and a password, all well-formed. */
function isPlainUrl({ protocol, pathname, search, hash, username, password }: URL): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  try {
    decodeURIComponent(`${username}:${password}`);
  } catch {
    return false;
  }
  return pathname === '/' && !search && !hash;
}
