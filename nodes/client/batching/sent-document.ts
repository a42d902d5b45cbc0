import type { RequestOptions, RequestState } from '../client.js';
import type { BatchedRequest, Sent } from './batched-request.js';

/** A document in flight, with the operations that it holds. */
export class SentDocument implements Sent {
  readonly #requests: readonly BatchedRequest[];
  readonly #onQueued: (isQueued: boolean) => void;
  readonly #closing = new AbortController();
  #isQueued = false;
  #startedAt = performance.now();

  /** @param onQueued called when it has to wait for other requests of the client, and when that ends */
  constructor(requests: readonly BatchedRequest[], onQueued: (isQueued: boolean) => void) {
    this.#requests = requests;
    this.#onQueued = onQueued;
    for (const request of requests) request.sent = this;
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** The trace of all its operations. */
  get trace(): RequestOptions['trace'] {
    return this.#requests[0]?.trace;
  }

  /** The time since the last try began, in ms. */
  get ms(): number {
    return performance.now() - this.#startedAt;
  }

  readonly onState = (state: RequestState): void => {
    if (state === 'running') this.#startedAt = performance.now();
    this.#setQueued(state === 'waiting');
    for (const request of this.#requests) request.changed(state);
  };

  endIfAbandoned(): boolean {
    if (!this.#requests.every(({ isAbandoned }) => isAbandoned)) return false;
    this.#closing.abort();
    return true;
  }

  /** The document is answered, or has failed. */
  end(): void {
    this.#setQueued(false);
    for (const request of this.#requests) request.sent = undefined;
  }

  #setQueued(isQueued: boolean): void {
    if (isQueued === this.#isQueued) return;
    this.#isQueued = isQueued;
    this.#onQueued(isQueued);
  }
}
