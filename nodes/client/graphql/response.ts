import { showsPiece } from '../auth/redaction.js';
import { cut, type GraphqlError, IonError, quote } from '../errors.js';
import { classifyApiFailure, type FailureClass } from '../failures/classify-failure.js';
import { isWebPage, titleOf } from '../failures/web-page.js';
import { parseRetryAfter } from '../http/retry-policy.js';
import { type HttpResponse, headerOf } from '../http/transport.js';
import { JsonLimitError } from '../support/json.js';
import { boundedCopy, weightOf } from '../support/json-size.js';
import { parseJson } from '../support/long-json.js';
import type { Operation } from './operation.js';

/** GraphQL's part of a successful answer. */
export interface GraphqlResponse {
  data: Record<string, unknown>;
  extensions?: Record<string, unknown> | undefined;
  traceId?: string | undefined;
  /** ION's clock when it answered (response header `date`). */
  date?: string | undefined;
  /** Characters of the whole answer, by which its reader sees how much work it may be. */
  textLength?: number | undefined;
}

/**
 * Texts by which ION's own auth layer refuses a request, and what to do about them
 * (docs.firstresonance.io, API reference, error codes).
 */
const AUTH_ADVICE: [RegExp, string][] = [
  [
    /unable to find appropriate rsa key/i,
    'The key belongs to another environment: choose the environment in which the API key was made.',
  ],
  [
    /token is expired|not yet (valid|active)|\b(iat|nbf)\b/i,
    'Check the clocks of this machine, of the auth server and of ION.',
  ],
  [
    /unable to (parse|validate) authentication token/i,
    'Try the other authorization scheme in the ION config node.',
  ],
  [/please provide proper credentials/i, 'A proxy in between may remove the Authorization header.'],
];

/** Limits for all `errors` of one answer together. */
const MAX_ERRORS = 100;
const MAX_ERROR_VALUES = 10_000;
const MAX_ERROR_CHARACTERS = 100_000;
/** Characters of one text in an error. */
const MAX_ERROR_MESSAGE = 10_000;
const MAX_ERROR_DEPTH = 8;
/** Of the data beside errors, as `weightOf` measures it: some 50,000 to 100,000 values. */
const MAX_DATA_WEIGHT = 200_000;
const GRAPHQL_KEYS: ReadonlySet<string> = new Set(['data', 'errors', 'extensions']);
/** In characters; usual ids have 16 or 32. */
const MAX_TRACE_ID = 128;
/** Characters of an answer without JSON in which its title or its text is looked for. */
const MAX_SEARCHED = 16_384;

const AUTH_CHECK = 'Check that the API key belongs to this environment and is enabled.';
const CHECK =
  'Check the API URL in the ION config node, and the gateway, proxy or firewall in between.';
const FEWER = 'Send fewer messages or lower the concurrency.';
const SMALLER = 'It is too large: send less in one message.';

/**
 * The JSON of an answer, `undefined` if it is none; a promise only for a long one.
 * @throws IonError `ION_RESPONSE` for JSON that nobody can work with
 */
export function readBody(answer: HttpResponse, host: string): unknown | Promise<unknown> {
  const unreadable = (thrown: unknown): undefined => {
    // The HTTP status explains a failure better than a body that cannot be read.
    if (!(thrown instanceof JsonLimitError) || isFailure(answer)) return undefined;
    const text = `The answer of ${host} cannot be used. ${thrown.message}`;
    throw new IonError('ION_RESPONSE', text, { status: answer.status, mayHaveRun: true });
  };
  try {
    const body = parseJson(answer.text);
    return body instanceof Promise ? body.catch(unreadable) : body;
  } catch (thrown) {
    return unreadable(thrown);
  }
}

function isFailure({ status }: HttpResponse): boolean {
  return status < 200 || status > 299;
}

/**
 * Reads what the API answered. The body is read before the status is judged, because a 4xx or 5xx
 * may carry GraphQL errors, and a 200 may hold nothing but errors.
 * @param body its JSON, as `readBody` gives it
 * @param token what the request was authorized with
 * @param operation what was asked, of which the answer must hold something
 * @throws IonError with the code of the failure; `ION_AUTH` with status 401 for a refused token
 */
export function readResponse(
  answer: HttpResponse,
  host: string,
  body: unknown,
  token = '',
  operation?: Operation,
): GraphqlResponse {
  const traceId = traceIdOf(answer, token);
  const errors = graphqlErrors(body, isFailure(answer));
  const data = isObject(body) && isObject(body.data) ? body.data : undefined;
  if (errors || isFailure(answer)) {
    throw failure(answer, host, errors, data, traceId);
  }
  if (!data || (operation && !isAnswerTo(operation, data))) {
    throw new IonError('ION_RESPONSE', notGraphql(answer, host, body), {
      ...classifyApiFailure({ status: answer.status, errors, data, retryAfterMs: undefined }),
      status: answer.status,
      traceId,
    });
  }
  const extensions = (body as Record<string, unknown>).extensions;
  return {
    data,
    extensions: isObject(extensions) ? extensions : undefined,
    traceId,
    date: headerOf(answer.headers, 'date'),
    textLength: answer.text.length,
  };
}

/** GraphQL answers each field, if only by `null`; JSON of something else may have `data` as well. */
function isAnswerTo({ definition }: Operation, data: Record<string, unknown>): boolean {
  return definition.selectionSet.selections.some(
    (each) =>
      each.kind !== 'Field' ||
      (each.directives?.length ?? 0) > 0 ||
      Object.hasOwn(data, (each.alias ?? each.name).value),
  );
}

/** Nothing where the header holds something else than an id, such as the token: a flow may log it. */
function traceIdOf({ headers }: HttpResponse, token: string): string | undefined {
  const id = headerOf(headers, 'x-b3-trace-id');
  if (id === undefined || id.length > MAX_TRACE_ID || !/^[\w.:/=+-]+$/.test(id)) return undefined;
  return showsPiece(id, token) ? undefined : id;
}

function failure(
  answer: HttpResponse,
  host: string,
  errors: GraphqlError[] | undefined,
  data: Record<string, unknown> | undefined,
  traceId: string | undefined,
): IonError {
  const retryAfterMs = parseRetryAfter(answer.headers);
  const verdict = classifyApiFailure({ status: answer.status, errors, data, retryAfterMs });
  const text = errors
    ? textOfErrors(answer, verdict, errors)
    : textOfGateway(answer, verdict, host);
  return new IonError(verdict.code, text, {
    ...verdict,
    // A token that GraphQL refuses is refused like any other.
    status: verdict.code === 'ION_AUTH' ? 401 : answer.status,
    errors,
    data: isSmall(data) ? data : undefined,
    traceId,
    ...(verdict.transient && { retryAfterMs }),
  });
}

/** A failed message is copied for Catch nodes at once, which takes too long for more. */
function isSmall(data: unknown): boolean {
  return weightOf(data, MAX_DATA_WEIGHT) <= MAX_DATA_WEIGHT;
}

/** ION's own words come first: an engineer can search for them. */
function textOfErrors(
  { status }: HttpResponse,
  { code, origin }: FailureClass,
  errors: GraphqlError[],
): string {
  const said = quote(errors.map((error) => error.message).join(' · '));
  if (code === 'ION_AUTH') {
    const advice = AUTH_ADVICE.find(([text]) => text.test(said))?.[1] ?? AUTH_CHECK;
    return `ION refused the access token: "${said}". ${advice}`;
  }
  if (origin === 'service' && code !== 'ION_GRAPHQL') {
    const under = status === 200 ? '' : ` (HTTP ${status})`;
    if (code === 'ION_RATE_LIMITED') return `ION asks for fewer requests: "${said}". ${FEWER}`;
    return `ION has a fault${under}: "${said}". ${adviceOnFault(status)}`;
  }
  switch (code) {
    case 'ION_CONFLICT':
      return `${said} (somebody else changed it: read it again and write with the new etag)`;
    case 'ION_FORBIDDEN':
      return `${said} (the API key has the permissions that its creator had when it was made)`;
    default:
      return said;
  }
}

/** What answered is not known: ION's own web server, or a gateway, a firewall, a proxy before it. */
function textOfGateway(answer: HttpResponse, { code }: FailureClass, host: string): string {
  const { status } = answer;
  const said = shownText(answer);
  const named = said && `: "${said}"`;
  switch (code) {
    case 'ION_AUTH':
      if (isWebPage(answer.text)) break;
      return `ION refused the access token${said && `: "${said}"`}. ${AUTH_CHECK}`;
    case 'ION_RATE_LIMITED':
      return `ION asks for fewer requests (HTTP 429${named}). ${FEWER}`;
    case 'ION_SERVER':
      return `ION, or a gateway before it, has a fault (HTTP ${status}${named}). ${adviceOnFault(status)}`;
  }
  if (status >= 300 && status < 400) {
    const location = quote(headerOf(answer.headers, 'location') ?? 'nowhere');
    return `${host} redirects to ${location}, which is not followed, so that the access token does not travel to another host. ${CHECK}`;
  }
  if (status === 413) return `${host} refused the request (HTTP 413${named}). ${SMALLER}`;
  return `A gateway, proxy or firewall answered for ${host}, not ION (HTTP ${status}${named}). ${CHECK}`;
}

function adviceOnFault(status: number): string {
  return status === 502 || status === 504
    ? 'ION gives up after 30 s: ask for less at once, page by page or with fewer fields.'
    : 'Try again later, and see status.firstresonance.io.';
}

/** The title of a web page, or the text that came in its place, as one line. */
function shownText(answer: HttpResponse): string {
  const text = cut(answer.text, MAX_SEARCHED);
  const title = titleOf(text);
  return quote(title ?? (isWebPage(text) ? '' : text));
}

function notGraphql(answer: HttpResponse, host: string, body: unknown): string {
  const { status } = answer;
  const text = cut(answer.text, MAX_SEARCHED);
  if (text.trim() === '') return `${host} sent an empty answer (HTTP ${status}). ${CHECK}`;
  if (body !== undefined) {
    // Data is not shown: it may hold what permits an upload.
    const said = isObject(body) && !('data' in body) ? `: ${quote(text)}` : '';
    return `${host} answered JSON that is not a GraphQL answer (HTTP ${status}${said}). ${CHECK}`;
  }
  if (isWebPage(text)) {
    const title = titleOf(text);
    const named = title ? ` "${quote(title)}"` : '';
    return `${host} answered with a web page${named} instead of JSON (HTTP ${status}). ${CHECK}`;
  }
  return `${host} answered with something that is not JSON (HTTP ${status}): "${quote(text)}". ${CHECK}`;
}

/** A copy of the errors, as many and as much of them as anybody can use. */
function graphqlErrors(body: unknown, isFailure: boolean): GraphqlError[] | undefined {
  if (!isObject(body) || !Array.isArray(body.errors) || body.errors.length === 0) return undefined;
  if (isOfGateway(body, body.errors, isFailure)) return undefined;
  const budget = {
    values: MAX_ERROR_VALUES,
    characters: MAX_ERROR_CHARACTERS,
    text: MAX_ERROR_MESSAGE,
  };
  return body.errors.slice(0, MAX_ERRORS).map((entry: unknown) => {
    const copy = boundedCopy(entry, budget, MAX_ERROR_DEPTH);
    if (!isObject(copy)) return { message: errorText(copy) };
    return { ...copy, message: errorText(copy.message) };
  });
}

/** A gateway's JSON has errors as well: beside other properties, or in forms that GraphQL has not. */
function isOfGateway(
  body: Record<string, unknown>,
  errors: unknown[],
  isFailure: boolean,
): boolean {
  const hasData = isObject(body.data);
  const isForeign = Object.keys(body).some((key) => !GRAPHQL_KEYS.has(key));
  if (isForeign && (isFailure || !hasData)) return true;
  return !hasData && !errors.some((each) => isObject(each) && typeof each.message === 'string');
}

function errorText(message: unknown): string {
  const isText = typeof message === 'string' && message.trim() !== '';
  return isText ? message : JSON.stringify(message || 'unknown error');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
