import type { IonClient, IonResponse, RequestOptions } from '../client.js';
import { toIonError } from '../errors.js';
import type { DryRunRequest } from '../graphql/dry-run-request.js';
import type { Operation } from '../graphql/operation.js';

/** Sends the requests: a client, or `RequestBatches`. */
export type Client = Pick<IonClient, 'request' | 'isClosed' | 'forgetLack'>;
type Options = Pick<
  RequestOptions,
  'isNew' | 'isEditor' | 'sharesDocument' | 'trace' | 'origin' | 'onState' | 'signal'
>;

/** The requests of one message. Only the first one counts as a new message in the client's queue. */
export class RequestScope {
  readonly signal: AbortSignal;
  /** Requests that were sent to the API for all operations. */
  attempts = 0;
  traceId: string | undefined;
  /** Only in a dry run: the mutations that were not sent. */
  notSent: DryRunRequest[] | undefined;
  readonly #client: Client;
  readonly #options: Omit<Options, 'signal'>;
  #isNew: boolean;

  constructor(client: Client, options: Options) {
    this.#client = client;
    this.#options = options;
    this.#isNew = options.isNew ?? true;
    this.signal = options.signal;
  }

  /** Whether the client itself is closed, so that every request fails. */
  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  /** See `IonClient.forgetLack`. */
  forgetLack(part: string): void {
    this.#client.forgetLack(part);
  }

  /**
   * Sends one operation.
   * @param isPrivate whether the response must not appear in errors; false by default
   * @throws IonError whose `attempts` are those of all operations so far
   */
  async send(
    operation: Operation,
    variables: Record<string, unknown>,
    { isPrivate = false } = {},
  ): Promise<IonResponse> {
    const isNew = this.#isNew;
    this.#isNew = false;
    const { signal } = this;
    try {
      const options = { ...this.#options, isNew, signal, variables };
      const response = await this.#client.request(operation, options);
      this.attempts += response.attempts;
      this.traceId = response.traceId;
      if (response.dryRun) this.notSent = [...(this.notSent ?? []), response.dryRun];
      return response;
    } catch (thrown) {
      const error = toIonError(thrown);
      this.attempts += error.attempts;
      throw error.with({ attempts: this.attempts, ...(isPrivate && { data: undefined }) });
    }
  }
}
