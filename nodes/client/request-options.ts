import type { IonError } from './errors.js';
import type { LoggedMutation, Origin } from './graphql/mutation-log.js';
import type { TraceContext } from './http/trace-context.js';

/** Progress of a request, for the status of a node. */
export type RequestState = 'waiting' | 'running' | 'retrying';

export interface RequestOptions {
  variables?: Record<string, unknown> | undefined;
  /** Ends the request with `ION_CLOSED`. */
  signal: AbortSignal;
  /**
   * False for the next pages of a list, which a full queue still accepts.
   * @default true
   */
  isNew?: boolean;
  /**
   * True for a dialog. Its requests have their own queue, so that they never delay a flow.
   * @default false
   */
  isEditor?: boolean | undefined;
  /**
   * True for work in progress that may share a GraphQL document with other work; only
   * `RequestBatches` makes such documents.
   * @default false
   */
  sharesDocument?: boolean | undefined;
  /** Sent with each request to the API. */
  trace?: TraceContext | undefined;
  /** The source of a mutation, for the log of writes. */
  origin?: Origin | undefined;
  /** The mutations that share the document, for the log of writes. */
  parts?: readonly LoggedMutation[] | undefined;
  onState?: ((state: RequestState) => void) | undefined;
  /** Called before a retry. May return new variables. */
  onRetry?: (error: IonError) => Record<string, unknown> | undefined;
}
