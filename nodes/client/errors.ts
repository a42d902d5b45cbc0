import type { Reason } from './reasons.js';

export type { Reason, ReasonKey } from './reasons.js';

/** The stable codes of failures, by which flows decide (`msg.error.code` behind a Catch node). */
export type IonErrorCode =
  /** A setting is missing or cannot work: no config node, no API key, an invalid URL. */
  | 'ION_CONFIG'
  /** The auth server refused the API key, or ION refused a new access token. */
  | 'ION_AUTH'
  /** The API key lacks a permission (HTTP 403, or `errors` that say so). */
  | 'ION_FORBIDDEN'
  /** The document cannot be parsed or paged. */
  | 'ION_QUERY'
  /** The variables, or a value to write, cannot be sent as they are. */
  | 'ION_VARIABLES'
  /** ION rejected the operation with any other `errors`. */
  | 'ION_GRAPHQL'
  /** The etag is stale, because someone else changed the object. */
  | 'ION_CONFLICT'
  /** The referenced object or URL does not exist. */
  | 'ION_NOT_FOUND'
  /** ION or the auth server asks for fewer requests (HTTP 429), also after the retries. */
  | 'ION_RATE_LIMITED'
  /** No complete response arrived in time. */
  | 'ION_TIMEOUT'
  /** The connection failed: DNS, TCP, TLS or the proxy. */
  | 'ION_NETWORK'
  /**
   * A server error (HTTP 5xx, or `errors` about the database and the like), also after the retries.
   */
  | 'ION_SERVER'
  /** The response cannot be used: no JSON, no GraphQL, a redirect, too large. */
  | 'ION_RESPONSE'
  /** The queue, or the outbox, is full. */
  | 'ION_OVERLOADED'
  /** The flow was stopped or redeployed before the message was done. */
  | 'ION_CLOSED';

/**
 * The source of a failure. Only `operation` and some `local` failures concern the operation itself:
 * - `operation`: ION, in GraphQL errors about this operation
 * - `service`: ION, about its own state, such as its database, a time limit or a rate limit
 * - `gateway`: a server between this machine and ION, or ION's own web server, without GraphQL
 * - `auth`: the auth server, or a gateway before it
 * - `local`: this package, because of its input or because no usable response arrived
 */
export type Origin = 'operation' | 'service' | 'gateway' | 'auth' | 'local';

/** Limit for a foreign text that a message quotes, in characters. */
const MAX_QUOTE = 200;
/** Limit for a message, in characters: foreign text must not make it unreadable. */
const MAX_MESSAGE = 1900;
/** Limit for the text of an error of another program, in characters. */
export const MAX_REASON = 5000;

/** One entry of `errors` in a GraphQL response. ION documents only `message`. */
export interface GraphqlError {
  message: string;
  [key: string]: unknown;
}

export interface IonErrorDetails {
  cause?: unknown;
  /** For the status of a node; the message says more. */
  reason?: Reason | undefined;
  /** HTTP status of the response. */
  status?: number | undefined;
  errors?: GraphqlError[] | undefined;
  /** Partial data that came with `errors`. */
  data?: unknown;
  /** Delay that the server asked for, in ms. */
  retryAfterMs?: number | undefined;
  /** Response header `x-b3-trace-id`, for the support of First Resonance. */
  traceId?: string | undefined;
  /** @default 'local' */
  origin?: Origin;
  /**
   * Another try may succeed although nobody changes anything.
   * @default false
   */
  transient?: boolean;
  /**
   * The server may have executed the operation. In an error of `IonClient.request`, only a mutation
   * has it: its message says so, and flows read it as `msg.ion.mayHaveRun`.
   * @default false
   */
  mayHaveRun?: boolean;
  /** A dry run refused the mutation, or could not check it; it was not sent. */
  dryRun?: true | undefined;
  /**
   * The server certainly did not execute the operation, so a mutation may be sent again. A failure
   * can lack both signs: then nothing suggests an execution, and nothing excludes it.
   * @default the opposite of `mayHaveRun`
   */
  notRun?: boolean;
}

/**
 * A failure of the client: a message in plain words with the next step, and a stable `code`. It is
 * never changed: `with` makes a changed copy.
 */
export class IonError extends Error {
  override readonly name = 'IonError';
  readonly code: IonErrorCode;
  readonly reason: Reason | undefined;
  readonly status: number | undefined;
  readonly errors: GraphqlError[] | undefined;
  readonly data: unknown;
  readonly retryAfterMs: number | undefined;
  readonly traceId: string | undefined;
  readonly origin: Origin;
  readonly transient: boolean;
  readonly mayHaveRun: boolean;
  readonly notRun: boolean;
  readonly dryRun: true | undefined;
  /** Number of requests to the API for this operation. */
  readonly attempts: number = 0;
  /** Number of pages that were delivered before the failure. */
  readonly pages: number | undefined;
  /** Outcome of each field, for a message that wrote several. */
  readonly results: Record<string, unknown> | undefined;
  /** A step was started before the write failed. */
  readonly started: true | undefined;
  /** The failures of those fields. */
  readonly parts: IonError[] | undefined;

  constructor(code: IonErrorCode, message: string, details: IonErrorDetails = {}) {
    super(
      cut(message, MAX_MESSAGE),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.reason = details.reason;
    this.status = details.status;
    this.errors = details.errors;
    this.data = details.data;
    this.retryAfterMs = details.retryAfterMs;
    this.traceId = details.traceId;
    this.origin = details.origin ?? 'local';
    this.transient = details.transient ?? false;
    this.mayHaveRun = details.mayHaveRun ?? false;
    this.notRun = details.notRun ?? !this.mayHaveRun;
    this.dryRun = details.dryRun;
  }

  /** A copy with these changes. Everything else stays, the stack included. */
  with(changes: IonErrorChanges): IonError {
    const { message, cause, ...others } = { message: this.message, cause: this.cause, ...changes };
    const copy = new IonError(this.code, message, { cause });
    // Copies all own properties, so that a new one is never forgotten.
    return Object.assign(copy, this, { stack: this.stack }, others);
  }
}

/** Properties that a copy of an error can change. */
export type IonErrorChanges = Partial<Omit<IonError, 'name' | 'with'>>;

/**
 * The beginning of a text, followed by "…" if it is longer. All foreign text is cut by this
 * function, because the redaction looks beside each "…" for the rest of a secret.
 */
export function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** The error of an aborted operation: the flow was stopped or redeployed. */
export function closedError(details: IonErrorDetails = {}): IonError {
  return new IonError(
    'ION_CLOSED',
    'The flow was stopped or redeployed while this message was in progress.',
    details,
  );
}

/** A message with a sentence at its end, which stays whole even if the message is cut. */
export function withSentence(message: string, sentence: string): string {
  return `${cut(message, MAX_MESSAGE - sentence.length - 2)} ${sentence}`;
}

/** Any thrown value as an `IonError`. Another error keeps its text and becomes the cause. */
export function toIonError(thrown: unknown, code: IonErrorCode = 'ION_RESPONSE'): IonError {
  if (isIonError(thrown)) return thrown;
  return new IonError(code, reasonOf(thrown), { cause: thrown });
}

function isIonError(thrown: unknown): thrown is IonError {
  try {
    return thrown instanceof IonError;
  } catch {
    return false;
  }
}

/** The message of any thrown value. */
export function reasonOf(thrown: unknown): string {
  try {
    if (thrown instanceof RangeError && /call stack/.test(thrown.message)) {
      return 'nested too deeply';
    }
    const { message } = (thrown ?? {}) as { message?: unknown };
    const reason = typeof message === 'string' && message !== '' ? message : String(thrown);
    return cut(reason, MAX_REASON);
  } catch {
    // Objects of a flow can have properties that throw.
    return 'unknown error';
  }
}

/** A foreign text as one line of limited length. */
export function quote(text: string): string {
  const begin = text.slice(0, 5 * MAX_QUOTE);
  const line = begin.replace(/\s+/g, ' ').trim();
  const isWhole = begin.length === text.length && line.length <= MAX_QUOTE;
  return isWhole ? line : `${line.slice(0, MAX_QUOTE)}…`;
}
