import type { GraphqlError, IonError, IonErrorCode, Origin } from '../errors.js';
import { isPlainObject } from '../support/json.js';
import { serviceTrouble } from './service-trouble.js';

/** A failure, classified by its source and its texts. */
export interface FailureClass {
  origin: Origin;
  code: IonErrorCode;
  /** Another try may succeed although nobody changes anything. */
  transient: boolean;
  /** The server may have executed the operation. */
  mayHaveRun: boolean;
  /** The server certainly did not execute the operation, so a mutation may be sent again. */
  notRun: boolean;
}

/** A response of the API that is not a success. */
export interface FailedResponse {
  status: number;
  /** `undefined` if the body is not a GraphQL response. */
  errors: GraphqlError[] | undefined;
  data: Record<string, unknown> | undefined;
  /** The header `Retry-After`, in ms; `undefined` without a valid one. */
  retryAfterMs: number | undefined;
}

/** Statuses of a request that the server did not process (RFC 9110 and 8470). */
const NOT_PROCESSED: ReadonlySet<number> = new Set([408, 421, 425, 429]);
/** Statuses of a request that is too large, so it would be refused again. */
const TOO_LARGE: ReadonlySet<number> = new Set([413, 414, 431]);

/** Texts of GraphQL's validation, which comes before ION compares etags. */
const INVALID_DOCUMENT =
  /of required type|cannot query field|unknown argument|(got|has) invalid value|is not defined by|is never used|used in position|expected type|unknown (field|type)|does not exist in/i;

/** Texts with which ION refuses a token (API reference, error codes; reports of 2025). */
const REFUSED_TOKEN =
  /unable to find appropriate rsa key|(^|[:.\]] ?|\b(the|your|access|auth|authentication|jwt|bearer) )token is (expired|not yet valid)|unable to (parse|validate) authentication token|please provide proper credentials|^\s*(error: )?(unauthori[sz]ed|unauthenticated)[.!]?\s*$/i;

/**
 * Classifies a failed response of the API. Nothing else decides whether ION rejected an operation.
 */
export function classifyApiFailure(response: FailedResponse): FailureClass {
  if (response.errors) return classifyErrors(response, response.errors);
  const failure = classifyStatus(response);
  const hasRun = showsExecution(response.data, []);
  return hasRun ? { ...failure, mayHaveRun: true, notRun: false } : failure;
}

/**
 * Classifies a failed response of the token endpoint, which never says anything about an operation.
 */
export function classifyTokenFailure(
  status: number,
  oauthError: string | undefined,
  isWebPage: boolean,
): FailureClass {
  const passing = { origin: 'auth', transient: true, mayHaveRun: false, notRun: true } as const;
  if (status === 429) return { ...passing, code: 'ION_RATE_LIMITED' };
  if (status >= 500) return { ...passing, code: 'ION_SERVER' };
  // Auth servers add an error that is not from OAuth.
  if (status === 404) return { ...passing, code: 'ION_NOT_FOUND' };
  if (oauthError !== undefined && OAUTH_ERROR.test(oauthError)) {
    if (PASSING_OAUTH.test(oauthError)) return { ...passing, code: 'ION_SERVER' };
    return { ...passing, code: 'ION_AUTH', transient: false };
  }
  if (status === 401 && !isWebPage) return { ...passing, code: 'ION_AUTH', transient: false };
  return { ...passing, code: status === 408 ? 'ION_TIMEOUT' : 'ION_RESPONSE' };
}

/** The form of OAuth's errors. Gateways and web servers have others, such as "Forbidden". */
const OAUTH_ERROR = /^[a-z][a-z\d_.-]*$/;
/** Errors of an auth server about its own state (RFC 6749, 4.1.2.1; RFC 8628, 3.5; Keycloak). */
const PASSING_OAUTH =
  /^(temporarily_unavailable|server_error|slow_down|too_many_requests|unknown_error|internal_server_error|rate_limit\w*)$/i;

/**
 * Whether the operation itself was rejected, by ION or by this package, so that another try fails
 * too. Any other failure is an outage, or may be temporary.
 */
export function isOperationRejected({ origin, code }: IonError): boolean {
  return origin === 'operation' || (origin === 'local' && REJECTED_LOCALLY.has(code));
}

const REJECTED_LOCALLY: ReadonlySet<IonErrorCode> = new Set([
  'ION_QUERY',
  'ION_VARIABLES',
  'ION_GRAPHQL',
  'ION_CONFLICT',
  'ION_FORBIDDEN',
  'ION_NOT_FOUND',
]);

/** Whether a text is one of GraphQL's validation, before anything is executed. */
export function isOfValidation({ message }: GraphqlError): boolean {
  return INVALID_DOCUMENT.test(message);
}

/** Whether the error comes from the execution of a field. */
export function hasPath({ path }: GraphqlError): boolean {
  return Array.isArray(path) && path.length > 0;
}

/** Whether the token was refused because the API's clock is behind the auth server's. */
export function isNotYetValid({ errors }: IonError): boolean {
  return errors?.some(({ message }) => NOT_YET_VALID.test(message)) ?? false;
}

/** Whether a refusal shows that the API could read the token. */
export function wasRead({ errors }: IonError): boolean {
  return errors?.some(({ message }) => /rsa key|token is expired/i.test(message)) ?? false;
}

const NOT_YET_VALID =
  /not yet (valid|active)|jwt not active|\b(iat|nbf)\b|(issued|used) in the future|before (it was )?issued/i;

function classifyErrors(response: FailedResponse, errors: GraphqlError[]): FailureClass {
  const { status, data, retryAfterMs } = response;
  const says = (pattern: RegExp) => errors.some((error) => pattern.test(error.message));
  const has = (pattern: RegExp) => errors.some((error) => codesIn(error).some(matches(pattern)));
  const hasRun = showsExecution(data, errors);
  const rejected = (code: IonErrorCode): FailureClass => ({
    // An error without a text says nothing about the operation.
    origin: errors.some(hasText) ? 'operation' : 'service',
    code,
    transient: false,
    mayHaveRun: hasRun,
    notRun: false,
  });

  const isRefusedToken = says(REFUSED_TOKEN) || has(/^(UNAUTHENTICATED|UNAUTHORIZED)$/);
  // If an error has a path, other fields may have run, unless the data shows that they did not.
  const isBeforeExecution = !hasRun && (data !== undefined || !errors.some(hasPath));
  if (status === 401 || (isRefusedToken && isBeforeExecution && !says(PERMISSION))) {
    return { ...rejected('ION_AUTH'), origin: 'service', notRun: !hasRun };
  }
  const trouble = serviceTrouble(errors.map(({ message }) => message));
  if (trouble === undefined) {
    // A missing etag is a permanent error of the document; a stale etag is a conflict.
    const isInvalid = says(INVALID_DOCUMENT);
    const isStale = says(/(?<![a-z])e-?tags?(?![a-z])/i) && !isInvalid;
    if (status === 409 || isStale || says(CONCURRENCY) || has(CONCURRENCY)) {
      return rejected('ION_CONFLICT');
    }
    if (status === 403 || (says(PERMISSION) && !isInvalid) || has(/^FORBIDDEN$/)) {
      return rejected('ION_FORBIDDEN');
    }
  }
  const passing = (code: IonErrorCode, notRun: boolean): FailureClass => ({
    origin: 'service',
    code,
    transient: true,
    mayHaveRun: !notRun,
    notRun,
  });
  // A request that was turned away was not executed, unless the response shows an execution.
  const isTurnedAway = !hasRun && !errors.some(hasPath);
  if (status === 429 || trouble === 'rate' || has(RATE_CODE)) {
    return passing('ION_RATE_LIMITED', isTurnedAway);
  }
  if (status >= 500) {
    return passing('ION_SERVER', isTurnedAway && status === 503 && retryAfterMs !== undefined);
  }
  if (NOT_PROCESSED.has(status)) {
    return passing(status === 408 ? 'ION_TIMEOUT' : 'ION_SERVER', isTurnedAway);
  }
  const isAboutService = (error: GraphqlError) =>
    codesIn(error).some(matches(SERVICE_CODE)) || serviceTrouble([error.message]) !== undefined;
  if (errors.every(isAboutService)) return passing('ION_SERVER', isTurnedAway);
  if (status === 404) return rejected('ION_NOT_FOUND');
  return rejected('ION_GRAPHQL');
}

const PERMISSION = /\bpermissions?\b/i;
const CONCURRENCY = /(?<![A-Z])CONCURRENCY_ERROR(?![A-Z])/;
/** Codes of GraphQL servers for their own state (Apollo, Hasura, Hot Chocolate, gRPC). */
const SERVICE_CODE =
  /^(INTERNAL(_SERVER)?(_ERROR)?|SERVER_ERROR|SERVICE_UNAVAILABLE|(TEMPORARILY_)?UNAVAILABLE|(GATEWAY_|REQUEST_)?TIME_?OUT|BAD_GATEWAY|DEADLINE_EXCEEDED|DOWNSTREAM(_SERVICE)?_ERROR|SUBGRAPH_\w+|ABORTED|DATABASE_ERROR|DB_ERROR|UNEXPECTED(_ERROR)?|UNKNOWN(_ERROR)?|OPERATION_CANCELED|50\d)$/;
const RATE_CODE =
  /^(RATE_?LIMIT(ED|_EXCEEDED)?|TOO_MANY_REQUESTS|THROTTLED|RESOURCE_EXHAUSTED|QUOTA_EXCEEDED|429)$/;

/** A response without `errors` comes from a gateway, or from ION's web server. */
function classifyStatus({ status, retryAfterMs }: FailedResponse): FailureClass {
  const failure = (code: IonErrorCode, more: Partial<FailureClass>): FailureClass => ({
    origin: 'gateway',
    code,
    transient: true,
    mayHaveRun: false,
    notRun: false,
    ...more,
  });
  if (status === 401) return failure('ION_AUTH', { transient: false, notRun: true });
  if (status === 429) return failure('ION_RATE_LIMITED', { notRun: true });
  if (status >= 500) {
    // A 503 with `Retry-After` turned the request away.
    const notRun = status === 503 && retryAfterMs !== undefined;
    return failure('ION_SERVER', { mayHaveRun: !notRun, notRun });
  }
  if (status < 400) return failure('ION_RESPONSE', { mayHaveRun: true });
  const notRun = NOT_PROCESSED.has(status);
  if (TOO_LARGE.has(status)) return failure('ION_RESPONSE', { transient: false });
  return failure(GATEWAY_CODES[status] ?? 'ION_RESPONSE', { notRun });
}

const GATEWAY_CODES: Record<number, IonErrorCode> = {
  403: 'ION_FORBIDDEN',
  404: 'ION_NOT_FOUND',
  408: 'ION_TIMEOUT',
  409: 'ION_CONFLICT',
};

/** Whether a response shows that at least a part of the operation was executed. */
function showsExecution(
  data: Record<string, unknown> | undefined,
  errors: GraphqlError[],
): boolean {
  // A longer path leads into the result of a field.
  if (errors.some(({ path }) => Array.isArray(path) && path.length > 1)) return true;
  const failed = new Set(errors.filter(hasPath).map(({ path }) => (path as unknown[])[0]));
  // A field that is null without an error of its own has run, if others failed.
  return Object.entries(data ?? {}).some(
    ([name, value]) => value !== null || (failed.size > 0 && !failed.has(name)),
  );
}

function hasText({ message }: GraphqlError): boolean {
  return message.trim() !== '' && !/^"?unknown error"?$/.test(message);
}

/** The codes of an error in upper case, from all places where servers put them. */
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
