import { cut, type GraphqlError, quote } from '../errors.js';
import type { FailureClass } from '../failures/classify-failure.js';
import { isWebPage, titleOf } from '../failures/web-page.js';
import { type HttpResponse, headerOf } from '../http/transport.js';
import type { Operation } from './operation.js';

/** Advice for the texts with which ION refuses a token (docs.firstresonance.io, error codes). */
const TOKEN_ADVICE: [RegExp, string][] = [
  [
    /unable to find appropriate rsa key/i,
    'The key belongs to another environment: select the environment in which the API key was created.',
  ],
  [
    /token is expired|not yet (valid|active)|\b(iat|nbf)\b/i,
    'Check the clocks of this machine, of the auth server and of ION.',
  ],
  [/please provide proper credentials/i, 'A proxy in between may remove the Authorization header.'],
];
const UNREADABLE_TOKEN = /unable to (parse|validate) authentication token/i;
const SCHEME_CHECK = 'Select the automatic authorization header in the ION config node.';
const KEY_CHECK = 'Check that the API key belongs to this environment and is enabled.';
const URL_CHECK =
  'Check the API URL in the ION config node, and the gateway, proxy or firewall in between.';
const SEND_FEWER = 'Send fewer messages or lower the number of concurrent requests.';

/** Permissions that a message names. */
const MAX_PERMISSIONS = 3;
/** Characters of a text that are searched for a title, or quoted. */
const MAX_SEARCHED = 16_384;

interface RefusedRequest {
  /** The client tries both forms of the authorization header. */
  isSchemeAutomatic: boolean;
  operation: Operation | undefined;
}

/** The message for GraphQL errors. ION's own text comes first, so that it can be searched for. */
export function errorsMessage(
  { status }: HttpResponse,
  { code, origin }: FailureClass,
  errors: GraphqlError[],
  { isSchemeAutomatic, operation }: RefusedRequest,
): string {
  const text = quote(errors.map((error) => error.message).join(' · '));
  if (code === 'ION_AUTH') {
    return `ION refused the access token: "${text}". ${tokenAdvice(text, isSchemeAutomatic)}`;
  }
  if (origin === 'service' && code === 'ION_RATE_LIMITED') {
    return `ION's rate limit was reached: "${text}". ${SEND_FEWER}`;
  }
  if (origin === 'service' && code !== 'ION_GRAPHQL') {
    const http = status === 200 ? '' : ` (HTTP ${status})`;
    return `ION returned a server error${http}: "${text}". ${serverErrorAdvice(status)}`;
  }
  if (code === 'ION_CONFLICT') {
    return `${text} (someone else changed it: read it again and write with the new etag)`;
  }
  if (code === 'ION_FORBIDDEN') {
    const needed = neededPermissions(operation);
    return `${text} (the API key has the permissions that its creator had when it was created${needed})`;
  }
  return text;
}

/** ION names the permission for a mutation after it: `UpdateRunStep` for updateRunStep. */
function neededPermissions(operation: Operation | undefined): string {
  if (operation?.kind !== 'mutation') return '';
  const names = operation.definition.selectionSet.selections.flatMap((each) =>
    each.kind === 'Field' ? each.name.value.replace(/^./, (letter) => letter.toUpperCase()) : [],
  );
  const needed = [...new Set(names)].slice(0, MAX_PERMISSIONS);
  return needed.length === 0 ? '' : `; this needs ${needed.join(', ')}`;
}

function tokenAdvice(text: string, isSchemeAutomatic: boolean): string {
  if (!isSchemeAutomatic && UNREADABLE_TOKEN.test(text)) return SCHEME_CHECK;
  return TOKEN_ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? KEY_CHECK;
}

/** The message for an HTTP status, which ION's web server or a gateway before it sent. */
export function statusMessage(
  response: HttpResponse,
  { code }: FailureClass,
  host: string,
): string {
  const { status } = response;
  const text = pageTitleOrText(response);
  const quoted = text && `: "${text}"`;
  if (code === 'ION_AUTH' && !isWebPage(response.text)) {
    return `ION refused the access token${quoted}. ${KEY_CHECK}`;
  }
  if (code === 'ION_RATE_LIMITED') {
    return `ION's rate limit was reached (HTTP 429${quoted}). ${SEND_FEWER}`;
  }
  if (code === 'ION_SERVER') {
    return `ION, or a gateway before it, returned a server error (HTTP ${status}${quoted}). ${serverErrorAdvice(status)}`;
  }
  if (status >= 300 && status < 400) {
    const location = quote(headerOf(response.headers, 'location') ?? 'nowhere');
    return `${host} redirects to ${location}. Redirects are not followed, so that the access token never reaches another host. ${URL_CHECK}`;
  }
  if (status === 413) {
    return `${host} refused the request (HTTP 413${quoted}). It is too large: send less in one message.`;
  }
  return `A gateway, proxy or firewall responded for ${host}, not ION (HTTP ${status}${quoted}). ${URL_CHECK}`;
}

/** The message for a successful HTTP status without a GraphQL response. */
export function notGraphqlMessage(response: HttpResponse, host: string, body: unknown): string {
  const { status } = response;
  const text = cut(response.text, MAX_SEARCHED);
  if (text.trim() === '') return `${host} sent an empty response (HTTP ${status}). ${URL_CHECK}`;
  if (body !== undefined) {
    // Data is not quoted, because it may hold a URL that permits an upload.
    const isQuoted = typeof body === 'object' && body !== null && !('data' in body);
    const quoted = isQuoted && !Array.isArray(body) ? `: ${quote(text)}` : '';
    return `${host} sent JSON that is not a GraphQL response (HTTP ${status}${quoted}). ${URL_CHECK}`;
  }
  if (isWebPage(text)) {
    const title = titleOf(text);
    const quoted = title ? ` "${quote(title)}"` : '';
    return `${host} sent a web page${quoted} instead of JSON (HTTP ${status}). ${URL_CHECK}`;
  }
  return `${host} sent a response that is not JSON (HTTP ${status}): "${quote(text)}". ${URL_CHECK}`;
}

function serverErrorAdvice(status: number): string {
  return status === 502 || status === 504
    ? 'ION ends a request after 30 s: request less data at a time, page by page or with fewer fields.'
    : 'Try again later, and see status.firstresonance.io.';
}

/** The title of a web page, or another text, as one line. */
function pageTitleOrText(response: HttpResponse): string {
  const text = cut(response.text, MAX_SEARCHED);
  const title = titleOf(text);
  return quote(title ?? (isWebPage(text) ? '' : text));
}
