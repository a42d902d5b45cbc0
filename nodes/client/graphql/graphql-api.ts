import type { AccessTokens, AfterRefusal } from '../auth/access-tokens.js';
import { closedError, type IonError, toIonError } from '../errors.js';
import { isNotYetValid } from '../failures/classify-failure.js';
import type { Transport } from '../http/transport.js';
import { abandonable } from '../support/abort-listeners.js';
import type { Operation } from './operation.js';
import { type GraphqlResponse, readBody, readResponse } from './response.js';

export interface GraphqlApiOptions {
  url: URL;
  /** `Authorization: <token>` (raw) or `Authorization: Bearer <token>`. */
  authScheme: 'raw' | 'bearer';
  tokens: Pick<AccessTokens, 'get' | 'accept' | 'refuse'>;
  transport: Pick<Transport, 'post'>;
}

/** Counts over all tries of one operation. */
export interface RequestProgress {
  /** Number of requests that were sent to the API. */
  attempts: number;
  /** Access tokens that were sent. A newer token may have replaced them since. */
  readonly tokens: Set<string>;
}

/** A request to the API that failed, as opposed to a token request. */
export class ApiFailure {
  /** The same token is expected to be valid a little later. */
  waitsForToken = false;

  constructor(readonly error: IonError) {}
}

/** Sends operations to the GraphQL API, with an access token in each request. */
export class GraphqlApi {
  readonly #options: GraphqlApiOptions;

  constructor(options: GraphqlApiOptions) {
    this.#options = options;
  }

  /**
   * One request, and a second one with a new token if the API refused the first token.
   * @throws IonError of the token request, if there is no token
   */
  async send(
    operation: Operation,
    body: string,
    signal: AbortSignal,
    progress: RequestProgress,
  ): Promise<GraphqlResponse | ApiFailure> {
    const { tokens } = this.#options;
    let token = tokens.get(signal);
    // A token in memory needs no promise, which saves a turn of the event loop.
    if (typeof token !== 'string') token = await token;
    const first = await this.#post(token, operation, body, signal, progress);
    if (!isTokenRefusal(first) || this.#refuse(token, first) !== 'again') return first;
    if (operation.kind === 'mutation' && !first.error.notRun) return first;
    token = await tokens.get(signal);
    const second = await this.#post(token, operation, body, signal, progress);
    if (isTokenRefusal(second)) this.#refuse(token, second);
    return second;
  }

  #refuse(token: string, failure: ApiFailure): AfterRefusal {
    const next = this.#options.tokens.refuse(token, isNotYetValid(failure.error));
    failure.waitsForToken = next === 'later';
    return next;
  }

  async #post(
    token: string,
    operation: Operation,
    body: string,
    signal: AbortSignal,
    progress: RequestProgress,
  ): Promise<GraphqlResponse | ApiFailure> {
    const { url, authScheme, tokens, transport } = this.#options;
    progress.attempts++;
    progress.tokens.add(token);
    try {
      const response = await transport.post({
        peer: 'api',
        url,
        headers: {
          accept: 'application/json, application/graphql-response+json;q=0.9',
          authorization: authScheme === 'bearer' ? `Bearer ${token}` : token,
          'content-type': 'application/json',
        },
        body,
        signal,
      });
      let json = readBody(response, url.host);
      // A long text is parsed in slices, and the flow may be stopped between them.
      if (json instanceof Promise) json = await abandonable(json, signal, closedAfterResponse);
      const result = readResponse(response, url.host, json, token, operation);
      tokens.accept(token);
      return result;
    } catch (thrown) {
      const error = toIonError(thrown);
      // GraphQL errors about the operation prove that the API accepted the token.
      if (error.origin === 'operation') tokens.accept(token);
      return new ApiFailure(error);
    }
  }
}

function closedAfterResponse(): IonError {
  return closedError({ mayHaveRun: true });
}

function isTokenRefusal(result: GraphqlResponse | ApiFailure): result is ApiFailure {
  if (!(result instanceof ApiFailure)) return false;
  return result.error.code === 'ION_AUTH' && result.error.status === 401;
}
