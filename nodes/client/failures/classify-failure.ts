import type { GraphqlError, IonError, IonErrorCode, Origin } from '../errors.js';
import { isPlainObject } from '../support/json.js';
import { serviceTrouble } from './service-trouble.js';

/** What follows from who answered, and from what they said. */
export interface FailureClass {
  origin: Origin;
  code: IonErrorCode;
  /** Another try may succeed without anybody changing anything. */
  transient: boolean;
  /** The operation may have been executed. */
  mayHaveRun: boolean;
  /** It is known not to have been executed, so that a mutation may be sent again. */
  notRun: boolean;
}

/** Of an answer of the API that holds no data. */
export interface FailedResponse {
  status: number;
  /** `undefined` where the body is no answer of GraphQL. */
  errors: GraphqlError[] | undefined;
  data: Record<string, unknown> | undefined;
  /** The header `Retry-After`, in ms; `undefined` where there is none that can be understood. */
  retryAfterMs: number | undefined;
}

/** Statuses that say that the request was not looked at (RFC 9110 and 8470). */
const NOT_LOOKED_AT: ReadonlySet<number> = new Set([408, 421, 425, 429]);
/** The same request would be refused again: it is too large. */
const TOO_LARGE: ReadonlySet<number> = new Set([413, 414, 431]);

/** Words of GraphQL's own validation, which comes before any etag is compared. */
const INVALID_DOCUMENT =
  /of required type|cannot query field|unknown argument|got invalid value|is not defined by|is never used|used in position|expected type/i;

/** Texts by which ION's own auth layer refuses a token (API reference, error codes; 2025 reports). */
const REFUSED_TOKEN =
  /unable to find appropriate rsa key|(^|[:.\]] ?|\b(the|your|access|auth|authentication|jwt|bearer) )token is (expired|not yet valid)|unable to (parse|validate) authentication token|please provide proper credentials|^\s*(error: )?(unauthori[sz]ed|unauthenticated)[.!]?\s*$/i;

/** What the API's answer says about the operation: who may refuse it is decided here alone. */
export function classifyApiFailure(answer: FailedResponse): FailureClass {
  if (answer.errors) return byIon(answer, answer.errors);
  const verdict = byGateway(answer);
  const hasRun = tellsOfWork(answer.data, []);
  return hasRun ? { ...verdict, mayHaveRun: true, notRun: false } : verdict;
}

/** What the token endpoint's answer says; about the operation it never says anything. */
export function classifyTokenFailure(
  status: number,
  oauthError: string | undefined,
  isWebPage: boolean,
): FailureClass {
  const passing = { origin: 'auth', transient: true, mayHaveRun: false, notRun: true } as const;
  if (status === 429) return { ...passing, code: 'ION_RATE_LIMITED' };
  if (status >= 500) return { ...passing, code: 'ION_SERVER' };
  // Auth servers say so as well, with an error that is none of OAuth.
  if (status === 404) return { ...passing, code: 'ION_NOT_FOUND' };
  if (oauthError !== undefined && OAUTH_ERROR.test(oauthError)) {
    if (PASSING_OAUTH.test(oauthError)) return { ...passing, code: 'ION_SERVER' };
    return { ...passing, code: 'ION_AUTH', transient: false };
  }
  if (status === 401 && !isWebPage) return { ...passing, code: 'ION_AUTH', transient: false };
  return { ...passing, code: status === 408 ? 'ION_TIMEOUT' : 'ION_RESPONSE' };
}

/** As OAuth writes errors; gateways and web servers have others, such as "Forbidden". */
const OAUTH_ERROR = /^[a-z][a-z\d_.-]*$/;
/** Errors of an auth server about itself (RFC 6749, 4.1.2.1; RFC 8628, 3.5; Keycloak). */
const PASSING_OAUTH =
  /^(temporarily_unavailable|server_error|slow_down|too_many_requests|unknown_error|internal_server_error|rate_limit\w*)$/i;

/**
 * Whether the operation itself was refused, by ION or because it makes no sense: it will be again.
 * Anything else is an outage, or trouble with this one operation that may pass.
 */
export function isRefusal({ origin, code }: IonError): boolean {
  return origin === 'operation' || (origin === 'local' && REFUSED_HERE.has(code));
}

const REFUSED_HERE: ReadonlySet<IonErrorCode> = new Set([
  'ION_QUERY',
  'ION_VARIABLES',
  'ION_GRAPHQL',
  'ION_CONFLICT',
  'ION_FORBIDDEN',
  'ION_NOT_FOUND',
]);

/** Whether the error came out of the execution. */
export function hasPath({ path }: GraphqlError): boolean {
  return Array.isArray(path) && path.length > 0;
}

/** Whether the token was refused because the API's clock is behind the auth server's. */
export function isTooYoung({ errors }: IonError): boolean {
  return errors?.some(({ message }) => TOO_YOUNG.test(message)) ?? false;
}

const TOO_YOUNG =
  /not yet (valid|active)|jwt not active|\b(iat|nbf)\b|(issued|used) in the future|before (it was )?issued/i;

function byIon(answer: FailedResponse, errors: GraphqlError[]): FailureClass {
  const { status, data, retryAfterMs } = answer;
  const says = (pattern: RegExp) => errors.some((error) => pattern.test(error.message));
  const has = (pattern: RegExp) => errors.some((error) => codesIn(error).some(matches(pattern)));
  const hasRun = tellsOfWork(data, errors);
  const refused = (code: IonErrorCode): FailureClass => ({
    // Without any words it is no statement about the operation.
    origin: errors.some(hasWords) ? 'operation' : 'service',
    code,
    transient: false,
    mayHaveRun: hasRun,
    notRun: false,
  });

  const isRefusedToken = says(REFUSED_TOKEN) || has(/^(UNAUTHENTICATED|UNAUTHORIZED)$/);
  // With a path, other fields may have run, unless the data shows that they did not.
  const isBefore = !hasRun && (data !== undefined || !errors.some(hasPath));
  if (status === 401 || (isRefusedToken && isBefore && !says(PERMISSION))) {
    // Where it was not executed, a mutation may go out again with a new token.
    return { ...refused('ION_AUTH'), origin: 'service', notRun: !hasRun };
  }
  const trouble = serviceTrouble(errors.map(({ message }) => message));
  if (trouble === undefined) {
    // A document that forgets the etag is wrong for good, a stale etag only until it is read again.
    const isStale = says(/(?<![a-z])e-?tags?(?![a-z])/i) && !says(INVALID_DOCUMENT);
    if (status === 409 || isStale || says(CONCURRENCY) || has(CONCURRENCY)) {
      return refused('ION_CONFLICT');
    }
    if (status === 403 || says(PERMISSION) || has(/^FORBIDDEN$/)) {
      return refused('ION_FORBIDDEN');
    }
  }
  const passing = (code: IonErrorCode, notRun: boolean): FailureClass => ({
    origin: 'service',
    code,
    transient: true,
    mayHaveRun: !notRun,
    notRun,
  });
  // A request that was turned away was not executed, unless something shows that it was.
  const isTurnedAway = !hasRun && !errors.some(hasPath);
  if (status === 429 || trouble === 'rate' || has(RATE_CODE)) {
    return passing('ION_RATE_LIMITED', isTurnedAway);
  }
  if (status >= 500) {
    return passing('ION_SERVER', isTurnedAway && status === 503 && retryAfterMs !== undefined);
  }
  if (NOT_LOOKED_AT.has(status)) {
    return passing(status === 408 ? 'ION_TIMEOUT' : 'ION_SERVER', isTurnedAway);
  }
  const isOfService = (error: GraphqlError) =>
    codesIn(error).some(matches(SERVICE_CODE)) || serviceTrouble([error.message]) !== undefined;
  if (errors.every(isOfService)) return passing('ION_SERVER', isTurnedAway);
  if (status === 404) return refused('ION_NOT_FOUND');
  return refused('ION_GRAPHQL');
}

const PERMISSION = /\bpermissions?\b/i;
const CONCURRENCY = /(?<![A-Z])CONCURRENCY_ERROR(?![A-Z])/;
/** Codes by which GraphQL servers speak of themselves (Apollo, Hasura, Hot Chocolate, gRPC). */
const SERVICE_CODE =
  /^(INTERNAL(_SERVER)?(_ERROR)?|SERVER_ERROR|SERVICE_UNAVAILABLE|(TEMPORARILY_)?UNAVAILABLE|(GATEWAY_|REQUEST_)?TIME_?OUT|BAD_GATEWAY|DEADLINE_EXCEEDED|DOWNSTREAM(_SERVICE)?_ERROR|SUBGRAPH_\w+|ABORTED|DATABASE_ERROR|DB_ERROR|UNEXPECTED(_ERROR)?|UNKNOWN(_ERROR)?|OPERATION_CANCELED|50\d)$/;
const RATE_CODE =
  /^(RATE_?LIMIT(ED|_EXCEEDED)?|TOO_MANY_REQUESTS|THROTTLED|RESOURCE_EXHAUSTED|QUOTA_EXCEEDED|429)$/;

function byGateway({ status, retryAfterMs }: FailedResponse): FailureClass {
  const verdict = (code: IonErrorCode, more: Partial<FailureClass>): FailureClass => ({
    origin: 'gateway',
    code,
    transient: true,
    mayHaveRun: false,
    notRun: false,
    ...more,
  });
  if (status === 401) return verdict('ION_AUTH', { transient: false, notRun: true });
  if (status === 429) return verdict('ION_RATE_LIMITED', { notRun: true });
  if (status >= 500) {
    // A 503 that names a time to come back turned the request away.
    const notRun = status === 503 && retryAfterMs !== undefined;
    return verdict('ION_SERVER', { mayHaveRun: !notRun, notRun });
  }
  if (status < 400) return verdict('ION_RESPONSE', { mayHaveRun: true });
  const notRun = NOT_LOOKED_AT.has(status);
  if (TOO_LARGE.has(status)) return verdict('ION_RESPONSE', { transient: false });
  return verdict(GATEWAY_CODES[status] ?? 'ION_RESPONSE', { notRun });
}

const GATEWAY_CODES: Record<number, IonErrorCode> = {
  403: 'ION_FORBIDDEN',
  404: 'ION_NOT_FOUND',
  408: 'ION_TIMEOUT',
  409: 'ION_CONFLICT',
};

/** Whether a part of the operation had been executed before another part failed. */
function tellsOfWork(data: Record<string, unknown> | undefined, errors: GraphqlError[]): boolean {
  // Below the operation's own fields: in what one of them gave back.
  if (errors.some(({ path }) => Array.isArray(path) && path.length > 1)) return true;
  const failed = new Set(errors.filter(hasPath).map(({ path }) => (path as unknown[])[0]));
  // One that is null without an error of its own has run, if others failed.
  return Object.entries(data ?? {}).some(
    ([name, value]) => value !== null || (failed.size > 0 && !failed.has(name)),
  );
}

function hasWords({ message }: GraphqlError): boolean {
  return message.trim() !== '' && !/^"?unknown error"?$/.test(message);
}

/** Codes in an error, wherever servers put them, in capitals. */
function codesIn({ code, type, extensions }: GraphqlError): string[] {
  const more = isPlainObject(extensions)
    ? [extensions.code, extensions.type, extensions.errorCode, extensions.classification]
    : [];
  return [code, type, ...more].flatMap((each) =>
    typeof each === 'string' || typeof each === 'number' ? String(each).toUpperCase() : [],
  );
}

function matches(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text);
}
