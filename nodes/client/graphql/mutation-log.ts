import type { IonError } from '../errors.js';
import type { TraceContext } from '../http/trace-context.js';
import type { Operation } from './operation.js';
import type { GraphqlResponse } from './response.js';

/** The source and the target of a mutation, as far as they are known. */
export interface Origin {
  /** ID of the node. */
  node: string;
  /** Writes of the outbox with the same key are delivered in order. */
  orderKey?: string | undefined;
  /** The run, the step and the field as the flow names them. */
  target?:
    | { readonly run?: unknown; readonly step?: unknown; readonly field?: unknown }
    | undefined;
}

/** One mutation, which may share a document with others. */
export interface LoggedMutation {
  operation: Operation;
  /** The variables that are sent. */
  variables: Record<string, unknown> | undefined;
  origin: Origin | undefined;
}

/** The log of one request. Its methods must not throw. */
export interface RequestLog {
  /** Called just before each time that the client sends the request, also for retries. */
  sending(variables: LoggedMutation['variables']): void;
  /** Called once, also if nothing was sent. */
  ended(outcome: LoggedOutcome): void;
}

/** A response with the number of requests, or the failure. */
export type LoggedOutcome = (GraphqlResponse & { attempts: number }) | IonError;

/** Gets each mutation before it is sent. */
export interface MutationLog {
  /**
   * Called for each request with mutations. It must not throw.
   * @param parts the mutations that share its document; `undefined` for a single one
   */
  begin(
    mutation: LoggedMutation,
    trace: TraceContext | undefined,
    parts: readonly LoggedMutation[] | undefined,
  ): RequestLog;
}
