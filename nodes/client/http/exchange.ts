import type { Dispatcher } from 'undici';
import { closedError, IonError } from '../errors.js';
import { abortListenersOf } from '../support/abort-listeners.js';
import type { Entry } from '../support/linked-list.js';
import type { Peer } from './certificate-problem.js';
import type { Deadlines, Expiring } from './deadlines.js';
import { networkError, timeoutError } from './network-errors.js';

const NOTHING = Buffer.alloc(0);

export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Perhaps compressed. */
  bytes: Buffer;
}

export interface ExchangeOptions<Result> {
  url: URL;
  peer: Peer;
  /** Ends the exchange with `ION_CLOSED`. */
  signal: AbortSignal;
  /** Ends the exchange after the headers of the response. */
  headOnly?: boolean | undefined;
  /** Limit for one exchange, in ms. */
  timeoutMs: number;
  /** Limit for a response, in bytes. */
  maxResponseBytes: number;
  /** Makes the result of the response. */
  read: (response: RawResponse) => Result | Promise<Result>;
}

/**
 * One request and its response, which undici reports to it. It settles at once when it is aborted,
 * although undici needs a connection before it can abort. A class, because closures for each exchange
 * take more time and memory.
 */
export class Exchange<Result> implements Dispatcher.DispatchHandler, Expiring {
  expiresAt = 0;
  readonly #options: ExchangeOptions<Result>;
  readonly #resolve: (result: Result | Promise<Result>) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #deadlines: Deadlines<Exchange<unknown>>;
  readonly #listener: Entry<() => void>;
  #deadline: Entry<Exchange<unknown>>;
  #connection: Dispatcher.DispatchController | undefined;
  #isSent = false;
  #isOver = false;
  #abortReason: IonError | undefined;
  #status = 0;
  #headers: RawResponse['headers'] = {};
  #bytes: Buffer = NOTHING;
  /** Only of a response that does not arrive at once. */
  #chunks: Buffer[] | undefined;

  constructor(
    options: ExchangeOptions<Result>,
    deadlines: Deadlines<Exchange<unknown>>,
    resolve: (result: Result | Promise<Result>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadlines = deadlines;
    this.#deadline = deadlines.begin(this as Exchange<unknown>);
    this.#listener = abortListenersOf(options.signal).add(() => this.close());
  }

  /** Ends it with `ION_TIMEOUT`. */
  expire(): void {
    const { url, timeoutMs } = this.#options;
    this.#abort(timeoutError(url, timeoutMs, this.#isSent));
  }

  /** Ends it with `ION_CLOSED`. */
  close(): void {
    this.#abort(closedError({ mayHaveRun: this.#isSent }));
  }

  /** The whole time limit begins again. */
  renew(): void {
    if (!this.#isOver) this.#deadline = this.#deadlines.renew(this.#deadline);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#connection = controller;
    if (this.#abortReason) controller.abort(this.#abortReason);
    else this.#isSent = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: RawResponse['headers'],
  ): void {
    this.#status = status;
    this.#headers = headers;
    if (!this.#options.headOnly) return;
    this.#succeed();
    controller.abort(closedError());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#chunks) this.#chunks.push(chunk);
    else if (this.#bytes === NOTHING) this.#bytes = chunk;
    else this.#chunks = [this.#bytes, chunk];
  }

  onResponseEnd(): void {
    if (this.#chunks) this.#bytes = Buffer.concat(this.#chunks);
    this.#succeed();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    const { url, maxResponseBytes, peer } = this.#options;
    // The body can fail for its own reason, such as a file that cannot be read.
    const isOwn = error instanceof IonError;
    this.#reject(isOwn ? error : networkError(error, url, this.#isSent, maxResponseBytes, peer));
  }

  #succeed(): void {
    // undici reports a refusal by a proxy as an error, and its body afterwards.
    if (this.#isOver) return;
    this.#end();
    const response = { status: this.#status, headers: this.#headers, bytes: this.#bytes };
    this.#bytes = NOTHING;
    this.#chunks = undefined;
    try {
      this.#resolve(this.#options.read(response));
    } catch (thrown) {
      this.#reject(thrown);
    }
  }

  #abort(reason: IonError): void {
    this.#abortReason = reason;
    this.#end();
    this.#reject(reason);
    this.#connection?.abort(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#deadline.remove();
    this.#listener.remove();
  }
}
