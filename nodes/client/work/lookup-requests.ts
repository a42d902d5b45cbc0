import type { IonClient, IonResponse, RequestOptions } from '../client.js';
import { type IonError, toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';

export interface LookupOptions
  extends Pick<RequestOptions, 'signal' | 'isEditor' | 'trace' | 'onState'> {
  /** Called before a retry. */
  onRetry?: ((error: IonError) => void) | undefined;
}

/** The requests of one look-up. Only the first one counts as a new message in the client's queue. */
export class LookupRequests {
  /** Requests that were sent to the API, the repeated ones included. */
  attempts = 0;
  /** Operations. */
  requests = 0;
  traceId: string | undefined;
  readonly #client: Pick<IonClient, 'request'>;
  readonly #options: LookupOptions;

  constructor(client: Pick<IonClient, 'request'>, options: LookupOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * Sends one operation.
   * @throws IonError whose `attempts` are those of all operations so far
   */
  async send(
    operation: Operation,
    variables: Record<string, unknown>,
  ): Promise<IonResponse['data']> {
    const isNew = this.requests++ === 0;
    const { signal, isEditor, trace, onState, onRetry } = this.#options;
    // A value that the callback returns by chance must not become the variables.
    const notify = (error: IonError): undefined => {
      onRetry?.(error);
    };
    try {
      const response = await this.#client.request(operation, {
        ...{ variables, signal, isNew, isEditor, trace, onState, onRetry: notify },
      });
      this.attempts += response.attempts;
      this.traceId = response.traceId;
      return response.data;
    } catch (thrown) {
      const error = toIonError(thrown);
      this.attempts += error.attempts;
      throw error.with({ attempts: this.attempts });
    }
  }
}
