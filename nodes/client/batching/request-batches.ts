import type { IonClient, IonResponse, RequestOptions } from '../client.js';
import { toIonError } from '../errors.js';
import type { Operation, OperationKind } from '../graphql/operation.js';
import { checkVariables } from '../graphql/variables.js';
import { weightOf } from '../support/json-size.js';
import { BatchSender } from './batch-sender.js';
import { BatchSize, type OperationsPerRequest } from './batch-size.js';
import { BatchedRequest } from './batched-request.js';
import { mergeable } from './mergeable.js';
import { WaitingRequests } from './waiting-requests.js';

type Client = Pick<IonClient, 'request' | 'adapted' | 'isClosed' | 'forgetLack' | 'concurrency'> &
  Partial<Pick<IonClient, 'isDryRun'>>;

/** The work on the operations of one kind. */
interface Line {
  readonly waiting: WaitingRequests;
  readonly size: BatchSize;
  readonly sender: BatchSender;
}

/** Limit for several operations in one document and their variables, in characters. */
const MAX_LENGTH = 256 * 1024;
/**
 * Operations wait for others for at most this time, in ms, if ION works on another document. What
 * one document brought asks for its next requests at about the same time.
 */
const MAX_WAIT_MS = 40;
/** Characters of variables for a weight of 1; see `weightOf`. */
const CHARACTERS_PER_WEIGHT = 10;

/**
 * Puts operations that wait at the same time into one GraphQL document, which takes one request of
 * the client, and so has one trace. Each caller gets the response, or the error, that it would have got from
 * `IonClient.request`.
 */
export class RequestBatches {
  readonly #client: Client;
  readonly #isOff: boolean;
  readonly #lines: Readonly<Record<OperationKind, Line>>;
  /** Queries that wait, by their trace, text and variables. */
  readonly #queries = new Map<string, BatchedRequest>();
  #last: OperationKind = 'query';
  /** Documents that were handed over to the client. */
  #inFlight = 0;
  /** Documents that wait in its queue. */
  #queued = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param operations the number of operations in one document; 1 sends each of them alone */
  constructor(client: Client, operations: OperationsPerRequest) {
    this.#client = client;
    this.#isOff = operations === 1;
    const onQueued = (isQueued: boolean) => {
      this.#queued += isQueued ? 1 : -1;
      this.#schedule();
    };
    const line = (): Line => {
      const size = new BatchSize(operations);
      return {
        waiting: new WaitingRequests(),
        size,
        sender: new BatchSender({ client, size, onQueued }),
      };
    };
    this.#lines = { query: line(), mutation: line() };
  }

  /** The number of mutations that the next document can hold, 1 to 50, as far as it is known. */
  get size(): number {
    const { query, mutation } = this.#lines;
    // The look-ups of many writes come first, and show how fast ION is.
    return mutation.size.isKnown
      ? mutation.size.current
      : Math.max(query.size.current, mutation.size.current);
  }

  /** See `IonClient.isClosed`. */
  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  /** See `IonClient.forgetLack`. */
  forgetLack(part: string): void {
    this.#client.forgetLack(part);
  }

  /**
   * Sends one operation, together with others that wait if the options permit that.
   * @throws IonError as `IonClient.request`
   */
  request(operation: Operation, options: RequestOptions): Promise<IonResponse> {
    const length = this.#lengthOf(operation, options);
    if (length === undefined) return this.#client.request(operation, options);
    const key = operation.kind === 'query' ? keyOf(operation, options) : undefined;
    const known = key === undefined ? undefined : this.#queries.get(key);
    const request = known ?? new BatchedRequest(operation, options, length, key);
    if (!known) this.#add(request);
    return request.response(options);
  }

  /** @returns `undefined` for an operation that needs a request of its own */
  #lengthOf(operation: Operation, options: RequestOptions): number | undefined {
    const { variables, signal, sharesDocument, isEditor, onRetry } = options;
    const isShared = sharesDocument && !isEditor && !onRetry && !signal.aborted;
    // A dry run shows the mutations one by one.
    if (this.#client.isDryRun && operation.kind === 'mutation') return undefined;
    if (this.#isOff || !isShared || !mergeable(operation)) return undefined;
    try {
      checkVariables(variables);
    } catch {
      // The client reports them.
      return undefined;
    }
    const maxWeight = MAX_LENGTH / CHARACTERS_PER_WEIGHT;
    const weight = weightOf(variables ?? {}, maxWeight);
    return operation.text.length + weight * CHARACTERS_PER_WEIGHT;
  }

  #add(request: BatchedRequest): void {
    const { key, operation } = request;
    const remove = this.#lines[operation.kind].waiting.add(request);
    if (key !== undefined) this.#queries.set(key, request);
    request.onAbandoned = () => {
      remove();
      this.#taken(request);
    };
    this.#schedule();
  }

  #taken(request: BatchedRequest): void {
    const { key } = request;
    if (key !== undefined && this.#queries.get(key) === request) this.#queries.delete(key);
  }

  /** After the present turn of the event loop, so that the operations of this turn are together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sendAll();
    });
  }

  #sendAll(): void {
    clearTimeout(this.#timer);
    while (this.#queued === 0 && this.#inFlight < this.#client.concurrency) {
      const line = this.#nextLine();
      if (!line) {
        this.#waitForOthers();
        return;
      }
      void this.#send(line.sender, this.#take(line));
    }
  }

  #waitForOthers(): void {
    const { query, mutation } = this.#lines;
    if (query.waiting.size + mutation.waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#sendAll(), MAX_WAIT_MS);
  }

  async #send(sender: BatchSender, requests: readonly BatchedRequest[]): Promise<void> {
    this.#inFlight++;
    try {
      await sender.send(requests);
    } catch (thrown) {
      // Nobody may wait forever.
      for (const request of requests) request.reject(toIonError(thrown));
    } finally {
      this.#inFlight--;
      this.#schedule();
    }
  }

  /** Mutations and queries alternately. */
  #nextLine(): Line | undefined {
    const other = this.#last === 'query' ? 'mutation' : 'query';
    const isReady = (kind: OperationKind) => {
      const line = this.#lines[kind];
      // The group without a trace may wait for more; the others are ready.
      return this.#isReady(line) || line.waiting.skip();
    };
    const kind = ([other, this.#last] as const).find(isReady);
    if (kind === undefined) return undefined;
    this.#last = kind;
    return this.#lines[kind];
  }

  /** Whether a document would be full, or nothing is worth waiting for. */
  #isReady({ waiting, size }: Line): boolean {
    const { first } = waiting;
    if (!first) return false;
    if (this.#inFlight === 0 || waiting.nextSize >= size.current) return true;
    // The others of its trace are those of the same message, which wait already.
    if (first.trace) return true;
    return performance.now() - first.addedAt >= MAX_WAIT_MS;
  }

  /** The operations of the next document. */
  #take({ waiting, size }: Line): BatchedRequest[] {
    const taken = waiting.take(size.current, MAX_LENGTH);
    for (const request of taken) this.#taken(request);
    return taken;
  }
}

function keyOf({ text }: Operation, { variables, trace }: RequestOptions): string {
  return `${trace?.traceparent ?? ''}\n${text}\n${JSON.stringify(variables)}`;
}
