import { IonError } from '../errors.js';
import { hasControlCharacter, trimEnds } from '../support/trim-ends.js';

export interface HttpProxy {
  /** With user and password in it, percent-encoded, where the proxy asks for them. */
  url: string;
  /** Hosts that are reached directly. */
  except: string[];
}

/** URLs of proxies, empty for none. */
export interface Proxies {
  http: string;
  https: string;
  /** Hosts that are reached directly; without it, the environment variable `NO_PROXY` counts. */
  except?: string;
}

/**
 * The proxy that is set, else those of the environment, in which the small letters win.
 * @throws IonError `ION_CONFIG` for what cannot be a proxy
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

/** Of a name as DNS has them, or an address. */
const HOST = /^(?:[a-z\d._-]{1,253}|\[[\da-f:.]+\])$/;

/**
 * The URL of a proxy; without a scheme, http is meant, as curl and npm understand it.
 * @param what begins the sentence that says what is wrong
 * @throws IonError `ION_CONFIG` for what cannot be a proxy, without the text: it may hold a password
 */
export function proxyUrl(what: string, text: string): URL {
  const trimmed = trimEnds(text);
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(trimmed) ?? [];
  const url = parsed(scheme ? trimmed : `http://${trimmed}`);
  // A number alone would be read as an address.
  if (url && HOST.test(url.hostname) && !/^\d*$/.test(trimmed) && isPlain(url)) return url;
  const trouble = /^(?:https?:\/\/)?$/i.test(scheme ?? '')
    ? 'is not the URL of a proxy'
    : 'names a proxy of another kind than http and https';
  throw new IonError(
    'ION_CONFIG',
    `${what} ${trouble}. It should look like http://proxy.example.com:3128, with special characters in user and password percent-encoded.`,
  );
}

function parsed(text: string): URL | undefined {
  return hasControlCharacter(text) || !URL.canParse(text) ? undefined : new URL(text);
}

/** Whether it names a host with a port, a user and a password at most, all well-formed. */
function isPlain({ protocol, pathname, search, hash, username, password }: URL): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  try {
    decodeURIComponent(`${username}:${password}`);
  } catch {
    return false;
  }
  return pathname === '/' && !search && !hash;
}
