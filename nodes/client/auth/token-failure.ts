import { IonError, quote } from '../errors.js';
import { classifyTokenFailure } from '../failures/classify-failure.js';
import { isWebPage, titleOf } from '../failures/web-page.js';
import { parseRetryAfter } from '../http/retry-after.js';
import type { HttpResponse } from '../http/transport.js';
import { parseShortJson } from '../support/json.js';

/** Characters of a response that are searched for the title of a web page. */
const MAX_PAGE = 16_384;

const CHECK =
  'Check the auth URL in the ION config node, and the gateway, proxy or firewall in between.';

/**
 * The error of a token request that got a response without a token.
 * @param cause the error of the OAuth library
 * @param missingAt another URL, at which there is no token endpoint
 */
export function tokenFailure(
  cause: unknown,
  response: HttpResponse,
  url: URL,
  missingAt?: URL,
): IonError {
  const { status, headers, text } = response;
  const { error, description } = oauthError(text);
  const title = webPageTitle(text);
  const failure = classifyTokenFailure(status, error, title !== undefined);
  const reason = [error, description].flatMap((each) => (each ? quote(each) : [])).join(', ');
  const quoted = reason || (title && `"${quote(title)}"`);
  const details = quoted ? `: ${quoted}` : '';
  const message = (): string => {
    switch (failure.code) {
      case 'ION_RATE_LIMITED':
        return `The rate limit of ${url.host} for token requests was reached (HTTP 429${details}).`;
      case 'ION_SERVER':
        return `The auth server ${url.host}, or a gateway before it, returned a server error (HTTP ${status}${details}). Try again later.`;
      case 'ION_NOT_FOUND':
        return `${url.host} has no token endpoint at ${missingAt ? `${missingAt.href} or ${url.href}` : url.pathname} (HTTP 404${details}). ${CHECK}`;
      case 'ION_AUTH':
        return `The auth server ${url.host} refused the API key (HTTP ${status}${details}). ${adviceOn(error)}`;
      default: {
        const { location } = headers;
        const pointer = location === undefined ? '' : `, redirected to ${quote(String(location))}`;
        return `${url.host} did not respond to the token request like an auth server (HTTP ${status}${pointer}${details}). ${CHECK}`;
      }
    }
  };
  return new IonError(failure.code, message(), {
    ...failure,
    cause,
    status,
    ...(failure.transient && { retryAfterMs: parseRetryAfter(headers) }),
  });
}

/** The next step after an error of RFC 6749, 5.2. */
function adviceOn(error: string | undefined): string {
  switch (error) {
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return 'If the client secret is right, the key is not allowed to request tokens in this way: create a new API key in ION.';
    case 'invalid_request':
    case 'invalid_scope':
    case 'invalid_target':
      return 'Check the audience in the ION config node, and client ID and client secret.';
    default:
      return 'Check client ID and client secret, that the key is enabled, and that it belongs to this environment.';
  }
}

/** The title of a web page, `''` for a page without a title; `undefined` for any other text. */
function webPageTitle(text: string): string | undefined {
  const begin = text.slice(0, MAX_PAGE);
  return isWebPage(begin) ? (titleOf(begin) ?? '') : undefined;
}

/** The error of RFC 6749, 5.2, whatever the status: some servers send it with HTTP 200. */
function oauthError(text: string): { error?: string; description?: string } {
  try {
    const { error, error_description: description } = parseShortJson(text) as Record<
      string,
      unknown
    >;
    if (typeof error !== 'string') return {};
    return { error, ...(typeof description === 'string' && { description }) };
  } catch {
    return {};
  }
}
