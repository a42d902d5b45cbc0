import { showsPiece } from '../auth/secret-search.js';
import { type GraphqlError, IonError } from '../errors.js';
import { classifyApiFailure, type FailedResponse } from '../failures/classify-failure.js';
import { parseRetryAfter } from '../http/retry-after.js';
import { type HttpResponse, headerOf } from '../http/transport.js';
import { JsonLimitError, JsonSizeError } from '../support/json.js';
import { boundedCopy, weightOf } from '../support/json-size.js';
import { parseJson } from '../support/long-json.js';
import type { DryRunRequest } from './dry-run-request.js';
import type { Operation } from './operation.js';
import { errorsMessage, notGraphqlMessage, statusMessage } from './response-messages.js';

/** A successful GraphQL response. */
export interface GraphqlResponse {
  data: Record<string, unknown>;
  extensions?: Record<string, unknown> | undefined;
  /** Response header `x-b3-trace-id`. */
  traceId?: string | undefined;
  /** ION's clock (response header `date`). */
  date?: string | undefined;
  /** Length of the response text in characters: a measure of the work to process it. */
  textLength?: number | undefined;
  /** Duration of the request that was answered, in ms, without the time in the queue. */
  durationMs?: number | undefined;
  /** Only for operations that share a document. */
  members?: MemberOutcomes | undefined;
  /** Only in a dry run: the mutation that was not sent. The data is a skeleton then. */
  dryRun?: DryRunRequest | undefined;
}

/** The outcomes of operations that share a document, in their order. */
export interface MemberOutcomes {
  outcomes: readonly MemberOutcome[];
  /** Whether each error names its operation. Without that, nobody knows which one failed. */
  areErrorsPlaced: boolean;
}

/** The outcome of one operation, as it would have been in a document of its own. */
export type MemberOutcome = GraphqlResponse | IonError;

// Limits for all `errors` of one response together.

const MAX_ERRORS = 100;
const MAX_ERROR_VALUES = 10_000;
const MAX_ERROR_CHARACTERS = 100_000;
/** Limit for one text in an error, in characters. */
const MAX_ERROR_MESSAGE = 10_000;
const MAX_ERROR_DEPTH = 8;

/** Limit for partial data, as `weightOf` measures it: some 50,000 to 100,000 values. */
const MAX_DATA_WEIGHT = 200_000;
const GRAPHQL_KEYS: ReadonlySet<string> = new Set(['data', 'errors', 'extensions']);
/** In characters. Usual IDs have 16 or 32. */
const MAX_TRACE_ID = 128;

/** The request of a response. */
export interface SentRequest {
  /** The access token. */
  token?: string;
  /** The response must contain its fields. */
  operation?: Operation;
  /** The client tries both forms of the authorization header. */
  isSchemeAutomatic?: boolean;
}

/**
 * The body of a response as JSON; a promise for a long one.
 * @returns `undefined` for a body that is not JSON
 * @throws IonError `ION_RESPONSE` for JSON that is nested too deeply or has too many values
 */
export function readBody(response: HttpResponse, host: string): unknown | Promise<unknown> {
  const unreadable = (thrown: unknown): undefined => {
    // The HTTP status explains a failure better than a body that cannot be read.
    if (!(thrown instanceof JsonLimitError) || isFailure(response)) return undefined;
    const message = `The response of ${host} cannot be used. ${thrown.message}`;
    const reason = thrown instanceof JsonSizeError ? ({ key: 'tooLarge' } as const) : undefined;
    const { status } = response;
    throw new IonError('ION_RESPONSE', message, { reason, status, mayHaveRun: true });
  };
  try {
    const body = parseJson(response.text);
    return body instanceof Promise ? body.catch(unreadable) : body;
  } catch (thrown) {
    return unreadable(thrown);
  }
}

function isFailure({ status }: HttpResponse): boolean {
  return status < 200 || status > 299;
}

/**
 * Reads a response of the API. The body counts more than the status, because a 4xx or 5xx may carry
 * GraphQL errors, and a 200 may hold nothing but errors.
 * @param body its JSON, from `readBody`
 * @throws IonError with the code of the failure; `ION_AUTH` with status 401 for a refused token
 */
export function readResponse(
  response: HttpResponse,
  host: string,
  body: unknown,
  { token = '', operation, isSchemeAutomatic = false }: SentRequest = {},
): GraphqlResponse {
  const traceId = readTraceId(response, token);
  const errors = readErrors(body, isFailure(response));
  const data = isObject(body) && isObject(body.data) ? body.data : undefined;
  if (errors || isFailure(response)) {
    throw failure(response, host, { errors, data, traceId, isSchemeAutomatic, operation });
  }
  if (!data || (operation && !hasFieldOf(operation, data))) {
    const { status } = response;
    throw new IonError('ION_RESPONSE', notGraphqlMessage(response, host, body), {
      ...classifyApiFailure({ status, errors, data, retryAfterMs: undefined }),
      status,
      traceId,
    });
  }
  const extensions = (body as Record<string, unknown>).extensions;
  return {
    data,
    extensions: isObject(extensions) ? extensions : undefined,
    traceId,
    date: headerOf(response.headers, 'date'),
    textLength: response.text.length,
  };
}

/**
 * Other JSON may have `data` as well, but a GraphQL response contains each field, if only as null.
 */
function hasFieldOf({ definition }: Operation, data: Record<string, unknown>): boolean {
  return definition.selectionSet.selections.some(
    (each) =>
      each.kind !== 'Field' ||
      (each.directives?.length ?? 0) > 0 ||
      Object.hasOwn(data, (each.alias ?? each.name).value),
  );
}

/** `undefined` for a header that is not an ID, or holds the token, because a flow may log it. */
function readTraceId({ headers }: HttpResponse, token: string): string | undefined {
  const id = headerOf(headers, 'x-b3-trace-id');
  if (id === undefined || id.length > MAX_TRACE_ID || !/^[\w.:/=+-]+$/.test(id)) return undefined;
  return showsPiece(id, token) ? undefined : id;
}

function failure(
  response: HttpResponse,
  host: string,
  {
    errors,
    data,
    traceId,
    isSchemeAutomatic,
    operation,
  }: Pick<FailedResponse, 'errors' | 'data'> & {
    traceId: string | undefined;
    isSchemeAutomatic: boolean;
    operation: Operation | undefined;
  },
): IonError {
  const retryAfterMs = parseRetryAfter(response.headers);
  const failed = { status: response.status, errors, data, retryAfterMs };
  const failureClass = classifyApiFailure(failed);
  const message = errors
    ? errorsMessage(response, failureClass, errors, { isSchemeAutomatic, operation })
    : statusMessage(response, failureClass, host);
  return new IonError(failureClass.code, message, {
    ...failureClass,
    // A token that GraphQL refuses counts as one that HTTP refuses.
    status: failureClass.code === 'ION_AUTH' ? 401 : response.status,
    errors,
    data: isSmall(data) ? data : undefined,
    traceId,
    ...(failureClass.transient && { retryAfterMs }),
  });
}

/** Node-RED copies a failed message for Catch nodes at once, which would block for too long. */
function isSmall(data: unknown): boolean {
  return weightOf(data, MAX_DATA_WEIGHT) <= MAX_DATA_WEIGHT;
}

/** A limited copy of the GraphQL errors; `undefined` if there are none. */
function readErrors(body: unknown, isFailure: boolean): GraphqlError[] | undefined {
  if (!isObject(body) || !Array.isArray(body.errors) || body.errors.length === 0) return undefined;
  if (isFromGateway(body, body.errors, isFailure)) return undefined;
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

/** The JSON of a gateway may have `errors` as well, but with other properties or in other forms. */
function isFromGateway(
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
