import { cut, type GraphqlError, IonError, type IonErrorCode, quote } from './errors.js';
import { JsonLimitError } from './json.js';
import { boundedCopy } from './json-size.js';
import { parseJson } from './long-json.js';
import { showsPiece } from './redaction.js';
import { parseRetryAfter } from './retries.js';
import { type HttpAnswer, headerOf } from './transport.js';

/** GraphQL's part of a successful answer. */
export interface GraphqlAnswer {
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
  [/token is expired/i, "Check this machine's clock and the auth server's."],
  [
    /unable to parse authentication token/i,
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
/** In characters; usual ids have 16 or 32. */
const MAX_TRACE_ID = 128;
/** Characters of an answer without JSON in which its title or its text is looked for. */
const MAX_SEARCHED = 16_384;

/** Words of GraphQL's own validation, which comes before any etag is compared. */
const INVALID_DOCUMENT =
  /of required type|cannot query field|unknown argument|got invalid value|is not defined by|is never used|used in position|expected type/i;

/**
 * The JSON of an answer, `undefined` if it is none; a promise only for a long one.
 * @throws IonError `ION_RESPONSE` for JSON that nobody can work with
 */
export function readBody(answer: HttpAnswer, host: string): unknown | Promise<unknown> {
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

function isFailure({ status }: HttpAnswer): boolean {
  return status < 200 || status > 299;
}

/**
 * Reads what the API answered. The body is read before the status is judged, because a 4xx or 5xx
 * may carry GraphQL errors, and a 200 may hold nothing but errors.
 * @param body its JSON, as `readBody` gives it
 * @param token what the request was authorized with
 * @throws IonError with the code of the failure; `ION_AUTH` with status 401 for a refused token
 */
export function readAnswer(
  answer: HttpAnswer,
  host: string,
  body: unknown,
  token = '',
): GraphqlAnswer {
  const traceId = traceIdOf(answer, token);
  const errors = graphqlErrors(body);
  const data = isObject(body) && isObject(body.data) ? body.data : undefined;
  if (errors || isFailure(answer)) {
    throw failure(answer, host, errors, data, traceId);
  }
  if (!data) {
    throw new IonError('ION_RESPONSE', notGraphql(answer, host, body), {
      status: answer.status,
      traceId,
      mayHaveRun: true,
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

/** Nothing where the header holds something else than an id, such as the token: a flow may log it. */
function traceIdOf({ headers }: HttpAnswer, token: string): string | undefined {
  const id = headerOf(headers, 'x-b3-trace-id');
  if (id === undefined || id.length > MAX_TRACE_ID || !/^[\w.:/=+-]+$/.test(id)) return undefined;
  return showsPiece(id, token) ? undefined : id;
}

function failure(
  answer: HttpAnswer,
  host: string,
  errors: GraphqlError[] | undefined,
  data: Record<string, unknown> | undefined,
  traceId: string | undefined,
): IonError {
  const { status } = answer;
  const retryAfterMs = parseRetryAfter(answer.headers);
  const details = { status, errors, data, traceId, mayHaveRun: tellsOfWork(data, errors) };
  // ION's own words come first: an engineer can search for them.
  const said = errors && quote(errors.map((error) => error.message).join(' · '));
  // An error with a path comes out of the execution: then the token was good, and the operation ran.
  const isRefused = !data && errors?.some(isAuthError) && !errors.some(hasPath);
  if (status === 401 || isRefused) {
    const advice = AUTH_ADVICE.find(([text]) => said !== undefined && text.test(said))?.[1];
    return new IonError(
      'ION_AUTH',
      `ION refused the access token${said ? `: "${said}"` : ''}. ${advice ?? 'Check that the API key belongs to this environment and is enabled.'}`,
      { ...details, status: 401 },
    );
  }
  if (status === 429) {
    return new IonError(
      'ION_RATE_LIMITED',
      `ION asks for fewer requests${said ? `: "${said}"` : ' (HTTP 429)'}. Send fewer messages or lower the concurrency.`,
      { ...details, retryAfterMs, transient: true },
    );
  }
  if (status >= 500) {
    const isPassing = status === 502 || status === 503 || status === 504;
    const advice =
      status === 502 || status === 504
        ? 'ION gives up after 30 s: ask for less at once, page by page or with fewer fields.'
        : 'Try again later, and see status.firstresonance.io.';
    return new IonError(
      'ION_SERVER',
      `ION has a fault (HTTP ${status})${said ? `: "${said}"` : ''}. ${advice}`,
      {
        ...details,
        retryAfterMs,
        transient: isPassing,
        // A 503 that names a time to come back turned the request away.
        mayHaveRun: details.mayHaveRun || !(status === 503 && retryAfterMs !== undefined),
      },
    );
  }
  if (status >= 300 && status < 400) {
    const location = quote(headerOf(answer.headers, 'location') ?? 'nowhere');
    return new IonError(
      'ION_RESPONSE',
      `${host} redirects to ${location}, which is not followed, so that the access token does not travel to another host. Check the API URL in the ION config node.`,
      { ...details, mayHaveRun: true },
    );
  }
  const code = codeOf(status, errors);
  if (said !== undefined) return new IonError(code, withAdvice(code, said), details);
  if (code === 'ION_GRAPHQL') {
    return new IonError('ION_RESPONSE', notGraphql(answer, host, undefined), details);
  }
  const advice = code === 'ION_NOT_FOUND' ? '. Check the API URL in the ION config node.' : '';
  return new IonError(code, withAdvice(code, `HTTP ${status} from ${host}${advice}`), details);
}

/** Whether a part of the operation had been executed before another part failed. */
function tellsOfWork(
  data: Record<string, unknown> | undefined,
  errors: GraphqlError[] | undefined,
): boolean {
  if (Object.values(data ?? {}).some((value) => value !== null)) return true;
  // Below the operation's own fields: in what one of them gave back.
  const isDeep = ({ path }: GraphqlError) => Array.isArray(path) && path.length > 1;
  return errors?.some(isDeep) ?? false;
}

/** Whether the error came out of the execution. */
export function hasPath({ path }: GraphqlError): boolean {
  return Array.isArray(path) && path.length > 0;
}

function codeOf(status: number, errors: GraphqlError[] | undefined): IonErrorCode {
  const says = (pattern: RegExp) => errors?.some((error) => pattern.test(error.message)) ?? false;
  // A document that forgets the etag is wrong for good, a stale etag only until it is read again.
  const isStale = says(/(?<![a-z])e-?tags?(?![a-z])/i) && !says(INVALID_DOCUMENT);
  if (status === 409 || isStale) return 'ION_CONFLICT';
  if (status === 403 || says(/\bpermissions?\b/i) || errors?.some(hasCode('FORBIDDEN'))) {
    return 'ION_FORBIDDEN';
  }
  if (status === 404) return 'ION_NOT_FOUND';
  return 'ION_GRAPHQL';
}

function withAdvice(code: IonErrorCode, said: string): string {
  switch (code) {
    case 'ION_CONFLICT':
      return `${said} (somebody else changed it: read it again and write with the new etag)`;
    case 'ION_FORBIDDEN':
      return `${said} (the API key has the permissions that its creator had when it was made)`;
    default:
      return said;
  }
}

/** ION answers 401 before GraphQL runs; other servers say the same under HTTP 200. */
function isAuthError(error: GraphqlError): boolean {
  return (
    hasCode('UNAUTHENTICATED')(error) || AUTH_ADVICE.some(([text]) => text.test(error.message))
  );
}

function hasCode(code: string): (error: GraphqlError) => boolean {
  return ({ extensions }) => isObject(extensions) && extensions.code === code;
}

function notGraphql(answer: HttpAnswer, host: string, body: unknown): string {
  const check = 'Check the API URL in the ION config node, and whether a proxy stands in between.';
  const { status } = answer;
  const text = cut(answer.text, MAX_SEARCHED);
  const title = titleOf(text);
  if (status >= 400) {
    const said = quote(title ?? text);
    const advice = status === 413 ? 'It is too large: send less in one message.' : check;
    return `${host} refused the request (HTTP ${status}${said && `: "${said}"`}). ${advice}`;
  }
  if (text.trim() === '') return `${host} sent an empty answer (HTTP ${status}). ${check}`;
  if (body !== undefined) {
    return `${host} answered JSON that is not a GraphQL answer (HTTP ${status}). ${check}`;
  }
  if (title !== undefined || /^\s*<(!doctype|html)/i.test(text)) {
    const named = title ? ` "${quote(title)}"` : '';
    return `${host} answered with a web page${named} instead of JSON (HTTP ${status}). ${check}`;
  }
  return `${host} answered with something that is not JSON (HTTP ${status}): "${quote(text)}". ${check}`;
}

/** The title of a web page; `undefined` for anything else. */
function titleOf(html: string): string | undefined {
  const lower = html.toLowerCase();
  const tag = lower.indexOf('<title');
  const begin = tag < 0 ? -1 : lower.indexOf('>', tag);
  if (begin < 0) return undefined;
  const end = lower.indexOf('<', begin);
  return html.slice(begin + 1, end < 0 ? undefined : end).trim();
}

/** A copy of the errors, as many and as much of them as anybody can use. */
function graphqlErrors(body: unknown): GraphqlError[] | undefined {
  if (!isObject(body) || !Array.isArray(body.errors) || body.errors.length === 0) return undefined;
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

function errorText(message: unknown): string {
  const isText = typeof message === 'string' && message.trim() !== '';
  return isText ? message : JSON.stringify(message || 'unknown error');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
