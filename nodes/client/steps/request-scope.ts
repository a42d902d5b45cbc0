import type { IonClient, IonResponse, RequestOptions } from '../client.js';
import { toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';

type Client = Pick<IonClient, 'request' | 'isClosed'>;

/** The requests that one message leads to: the first one is new, the others belong to it. */
export class RequestScope {
  readonly signal: AbortSignal;
  /** Requests that were sent to the API, over all operations. */
  attempts = 0;
  traceId: string | undefined;
  readonly #client: Client;
  readonly #options: Pick<RequestOptions, 'isNew' | 'onState'>;
  #isNew: boolean;

  constructor(client: Client, options: Pick<RequestOptions, 'isNew' | 'onState' | 'signal'>) {
    this.#client = client;
    this.#options = options;
    this.#isNew = options.isNew ?? true;
    this.signal = options.signal;
  }

  /** The client itself takes no more requests. */
  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  /**
   * @param isPrivate the answer must not be told, not even in part
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
      const answer = await this.#client.request(operation, options);
      this.attempts += answer.attempts;
      this.traceId = answer.traceId;
      return answer;
    } catch (thrown) {
      const error = toIonError(thrown);
      this.attempts += error.attempts;
      error.attempts = this.attempts;
      if (isPrivate) Object.assign(error, { data: undefined });
      throw error;
    }
  }
}
