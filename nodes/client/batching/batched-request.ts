import type { IonResponse, RequestOptions, RequestState } from '../client.js';
import { closedError, type IonError } from '../errors.js';
import { finalError } from '../graphql/final-error.js';
import type { Operation } from '../graphql/operation.js';
import { addAbortListener } from '../support/abort-listeners.js';

/** The document in which a request is sent. */
export interface Sent {
  /** Ends the document if nobody waits for any of its operations. */
  endIfAbandoned(): boolean;
}

interface Caller {
  onState: RequestOptions['onState'];
  resolve(response: IonResponse): void;
  reject(error: IonError): void;
  hasLeft: boolean;
}

/** One operation that is sent together with others, for all callers that ask for the same. */
export class BatchedRequest {
  readonly operation: Operation;
  readonly variables: RequestOptions['variables'];
  readonly trace: RequestOptions['trace'];
  readonly origin: RequestOptions['origin'];
  /** Length of the document and of the variables, in characters; an estimate. */
  readonly length: number;
  /** Trace, text and variables of a query, so that an equal one joins it. */
  readonly key: string | undefined;
  /** By the monotonic clock, in ms. */
  readonly addedAt = performance.now();
  /** Called if the last caller leaves before it is sent. */
  onAbandoned = (): void => {};
  /** Number of requests that were sent for it, without the present one. */
  attempts = 0;
  /** The document that is in flight. */
  sent: Sent | undefined;
  readonly #callers: Caller[] = [];
  readonly #stopListening: (() => void)[] = [];

  constructor(
    operation: Operation,
    { variables, trace, origin }: Pick<RequestOptions, 'variables' | 'trace' | 'origin'>,
    length: number,
    key?: string,
  ) {
    this.operation = operation;
    this.key = key;
    this.variables = variables;
    this.trace = trace;
    this.origin = origin;
    this.length = length;
  }

  /** Whether nobody waits for it any more. */
  get isAbandoned(): boolean {
    return this.#callers.every(({ hasLeft }) => hasLeft);
  }

  /** Adds a caller, whose signal ends only its own waiting. */
  response({ signal, onState }: Pick<RequestOptions, 'signal' | 'onState'>): Promise<IonResponse> {
    return new Promise((resolve, reject) => {
      const caller = { onState, resolve, reject, hasLeft: false };
      this.#callers.push(caller);
      this.#stopListening.push(addAbortListener(signal, () => this.#leave(caller)));
    });
  }

  changed(state: RequestState): void {
    for (const { onState, hasLeft } of this.#callers) if (!hasLeft) onState?.(state);
  }

  resolve(response: IonResponse): void {
    this.#end();
    const attempts = response.attempts + this.attempts;
    for (const [index, caller] of this.#callers.entries()) {
      const { data, extensions } = response;
      // Each caller may change its own data.
      const own = index === 0 ? { data, extensions } : structuredClone({ data, extensions });
      caller.resolve({ ...response, ...own, attempts });
    }
  }

  reject(error: IonError): void {
    this.#end();
    const attempts = error.attempts + this.attempts;
    for (const caller of this.#callers) caller.reject(error.with({ attempts }));
  }

  #end(): void {
    for (const stopListening of this.#stopListening) stopListening();
  }

  #leave(caller: Caller): void {
    caller.hasLeft = true;
    const { sent } = this;
    if (!sent) {
      caller.reject(closedError());
      if (this.isAbandoned) this.onAbandoned();
      return;
    }
    // The same signal may end all the others as well.
    queueMicrotask(() => {
      if (sent.endIfAbandoned()) return;
      caller.reject(finalError(this.operation, closedError({ mayHaveRun: true })));
    });
  }
}
