import { type GraphqlError, IonError, type IonErrorCode, quote } from './errors.js';
import { parseRetryAfter } from './retries.js';
import { type HttpAnswer, headerOf } from './transport.js';

/** GraphQL's part of a successful answer. */
export interface GraphqlAnswer {
  data: Record<string, unknown>;
  extensions?: Record<string, unknown> | undefined;
  traceId?: string | undefined;
  /** ION's clock when it answered (response header `date`). */
  date?: string | undefined;
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

/** Words of GraphQL's own validation, which comes before any etag is compared. */
const INVALID_DOCUMENT =
  /of required type|cannot query field|unknown argument|got invalid value|is not defined by|is never used|used in position|expected type/i;

/**
 * Reads what the API answered. The body is read before the status is judged, because a 4xx or 5xx
 * may carry GraphQL errors, and a 200 may hold nothing but errors.
 * @throws IonError with the code of the failure; `ION_AUTH` with status 401 for a refused token
 */
export function readAnswer(answer: HttpAnswer, host: string): GraphqlAnswer {
  const traceId = headerOf(answer.headers, 'x-b3-trace-id');
  const body = parseJson(answer.text);
  const errors = graphqlErrors(body);
  const data = isObject(body) && isObject(body.data) ? body.data : undefined;
  if (errors || answer.status < 200 || answer.status > 299) {
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
  };
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
  const { status, text } = answer;
  // Bounded, because the search would take for ever in a text that is made for it.
  const title = /<title[^<>]{0,200}>([^<]{0,1000})/i.exec(text)?.[1]?.trim();
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

function graphqlErrors(body: unknown): GraphqlError[] | undefined {
  if (!isObject(body) || !Array.isArray(body.errors) || body.errors.length === 0) return undefined;
  return body.errors.map((entry: unknown) => {
    const message = isObject(entry) ? entry.message : entry;
    return { ...(isObject(entry) && entry), message: errorText(message) };
  });
}

function errorText(message: unknown): string {
  if (typeof message === 'string' && message.trim() !== '') return message;
  try {
    return JSON.stringify(message || 'unknown error');
  } catch {
    // Nested too deeply to be written.
    return 'unknown error';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
