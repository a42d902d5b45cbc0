/** The stable codes that flows switch on (`msg.error.code` behind a Catch node). */
export type IonErrorCode =
  | 'ION_CONFIG'
  | 'ION_AUTH'
  | 'ION_FORBIDDEN'
  | 'ION_QUERY'
  | 'ION_VARIABLES'
  | 'ION_GRAPHQL'
  | 'ION_CONFLICT'
  | 'ION_NOT_FOUND'
  | 'ION_RATE_LIMITED'
  | 'ION_TIMEOUT'
  | 'ION_NETWORK'
  | 'ION_SERVER'
  | 'ION_RESPONSE'
  | 'ION_OVERLOADED'
  | 'ION_CLOSED';

/**
 * Who a failure came from. Only `operation` and some `local` ones say anything about the operation:
 * - `operation`: ION, by GraphQL errors about this operation
 * - `service`: ION about its own state, such as its database, a time limit or a rate
 * - `gateway`: something on the way to ION, or ION's own web server; no answer of GraphQL
 * - `auth`: the auth server, or what answered in its place
 * - `local`: this package, because of its input or because nothing answered that it can use
 */
export type Origin = 'operation' | 'service' | 'gateway' | 'auth' | 'local';

/** Longest piece of a foreign text that is quoted in a message, in characters. */
const MAX_QUOTE = 200;

/** In characters; foreign text must not make a message too long to be read. */
const MAX_MESSAGE = 1900;
/** Longest text that is taken over from an error of another program, in characters. */
export const MAX_REASON = 5000;

/** One entry of a GraphQL answer's `errors`; ION documents only `message`, the rest is passed on. */
export interface GraphqlError {
  message: string;
  [key: string]: unknown;
}

export interface IonErrorDetails {
  cause?: unknown;
  /** HTTP status of the answer. */
  status?: number | undefined;
  errors?: GraphqlError[] | undefined;
  /** The partial data that came with `errors`. */
  data?: unknown;
  /** How long the server asked to wait, in ms. */
  retryAfterMs?: number | undefined;
  /** Response header `x-b3-trace-id`, for First Resonance's support. */
  traceId?: string | undefined;
  /** Who the failure came from; `local` by default. */
  origin?: Origin;
  /** Another try may succeed without anybody changing anything. */
  transient?: boolean;
  /** The server may have executed the operation although no answer says so. */
  mayHaveRun?: boolean;
  /** It is known that nothing was executed; by default, where it may not have been. */
  notRun?: boolean;
}

/** Every failure of the client: a message in plain words with the next step, and a stable `code`. */
export class IonError extends Error {
  override readonly name = 'IonError';
  readonly code: IonErrorCode;
  readonly status: number | undefined;
  readonly errors: GraphqlError[] | undefined;
  readonly data: unknown;
  readonly retryAfterMs: number | undefined;
  readonly traceId: string | undefined;
  readonly origin: Origin;
  readonly transient: boolean;
  readonly mayHaveRun: boolean;
  readonly notRun: boolean;
  /** A mutation that may have been executed all the same; the text says so as well. */
  isUncertain = false;
  /** Requests that were sent to the API for this operation. */
  attempts = 0;
  /** Pages that were delivered before the failure. */
  pages: number | undefined;
  /** What became of each part of a message that wrote several fields. */
  results: Record<string, unknown> | undefined;
  /** The failures of those parts. */
  parts: IonError[] | undefined;

  constructor(code: IonErrorCode, message: string, details: IonErrorDetails = {}) {
    super(
      cut(message, MAX_MESSAGE),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.status = details.status;
    this.errors = details.errors;
    this.data = details.data;
    this.retryAfterMs = details.retryAfterMs;
    this.traceId = details.traceId;
    this.origin = details.origin ?? 'local';
    this.transient = details.transient ?? false;
    this.mayHaveRun = details.mayHaveRun ?? false;
    this.notRun = details.notRun ?? !this.mayHaveRun;
  }

  /** A copy of everything that the error holds, its stack included, with these changes. */
  with(changes: IonErrorChanges): IonError {
    const { code = this.code, message = this.message, cause = this.cause, ...others } = changes;
    const copy = new IonError(code, message, { cause });
    // All own properties by whatever name, so that none is forgotten.
    return Object.assign(copy, this, { stack: this.stack }, others, { code });
  }
}

/** What a copy of an error may differ in. */
export type IonErrorChanges = Partial<Omit<IonError, 'name' | 'with'>>;

/**
 * The beginning of a text, with a "…" where something was cut off. All foreign text is cut by it,
 * because the redaction looks beside each "…" for a secret that was cut through.
 */
export function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** What an aborted signal means to the one who waits: the flow was stopped or redeployed. */
export function closedError(details: IonErrorDetails = {}): IonError {
  return new IonError(
    'ION_CLOSED',
    'The flow was stopped or redeployed while this message was under way.',
    details,
  );
}

/** Any thrown value as an `IonError`; an unknown one keeps its text and becomes the cause. */
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

/** What a thrown value says, whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  try {
    if (thrown instanceof RangeError && /call stack/.test(thrown.message)) {
      return 'nested too deeply';
    }
    const { message } = (thrown ?? {}) as { message?: unknown };
    const reason = typeof message === 'string' && message !== '' ? message : String(thrown);
    return cut(reason, MAX_REASON);
  } catch {
    // A message can hold objects whose properties throw.
    return 'unknown error';
  }
}

/** A foreign text as one line of a message, cut where it is long. */
export function quote(text: string): string {
  const begin = text.slice(0, 5 * MAX_QUOTE);
  const line = begin.replace(/\s+/g, ' ').trim();
  const isWhole = begin.length === text.length && line.length <= MAX_QUOTE;
  return isWhole ? line : `${line.slice(0, MAX_QUOTE)}…`;
}
