import type { AccessTokens, AfterRefusal } from '../auth/access-tokens.js';
import { type AuthScheme, AuthSchemes, authorization, otherScheme } from '../auth/auth-schemes.js';
import { closedError, type IonError, toIonError, withSentence } from '../errors.js';
import { isNotYetValid, wasRead } from '../failures/classify-failure.js';
import type { TraceContext } from '../http/trace-context.js';
import type { Transport } from '../http/transport.js';
import { abandonable } from '../support/abort-listeners.js';
import { readMembersResponse } from './members-response.js';
import type { RequestLog } from './mutation-log.js';
import type { Operation } from './operation.js';
import { type GraphqlResponse, readBody, readResponse } from './response.js';

export interface GraphqlApiOptions {
  url: URL;
  /** `auto` finds out which scheme the API accepts, and begins with `raw`. */
  authScheme: AuthScheme | 'auto';
  tokens: Pick<AccessTokens, 'get' | 'accept' | 'refuse' | 'acceptanceOf' | 'refuseBothForms'>;
  transport: Pick<Transport, 'post'>;
}

/** Counts over all tries of one operation. */
export interface RequestProgress {
  /** Number of requests that were sent to the API. */
  attempts: number;
  /** Access tokens that were sent. A newer token may have replaced them since. */
  readonly tokens: Set<string>;
  /** Only of mutations, and if there is a log. */
  readonly log?: RequestLog | undefined;
}

interface ApiRequest {
  operation: Operation;
  body: string;
  signal: AbortSignal;
  progress: RequestProgress;
  trace: TraceContext | undefined;
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
  readonly #schemes: AuthSchemes;
  /** A URL computes it each time. */
  readonly #host: string;

  constructor(options: GraphqlApiOptions) {
    this.#options = options;
    this.#host = options.url.host;
    this.#schemes = new AuthSchemes(options.authScheme);
  }

  /** The scheme of the next request. */
  get authScheme(): AuthScheme {
    return this.#schemes.current;
  }

  /**
   * One request, and another one with a new token if the API refused the first token. With `auto`,
   * a refused token is sent again in the other form of the header before it is replaced.
   * @throws IonError of the token request, if there is no token
   */
  async send(
    operation: Operation,
    body: string,
    signal: AbortSignal,
    progress: RequestProgress,
    trace?: TraceContext,
  ): Promise<GraphqlResponse | ApiFailure> {
    const { tokens } = this.#options;
    let token = tokens.get(signal);
    // A token in memory needs no promise, which saves a turn of the event loop.
    if (typeof token !== 'string') token = await token;
    const request = { operation, body, signal, progress, trace };
    const scheme = this.#schemes.current;
    let first = await this.#post(token, scheme, request);
    if (isFormInDoubt(first)) first = await this.#postInOtherForm(first, token, scheme, request);
    if (!isTokenRefusal(first) || this.#refuse(token, first) !== 'again') return first;
    if (!isRepeatable(first, operation)) return first;
    token = await tokens.get(signal);
    const newScheme = this.#schemes.current;
    let second = await this.#post(token, newScheme, request);
    if (isFormInDoubt(second)) {
      second = await this.#postInOtherForm(second, token, newScheme, request);
    }
    if (isTokenRefusal(second)) this.#refuse(token, second);
    return second;
  }

  /**
   * Another request with the same token, if only its form may have been refused.
   * @param first the refusal of the first request
   * @returns the first refusal if there was no other request
   */
  async #postInOtherForm(
    first: ApiFailure,
    token: string,
    scheme: AuthScheme,
    request: ApiRequest,
  ): Promise<GraphqlResponse | ApiFailure> {
    const { tokens } = this.#options;
    const schemes = this.#schemes;
    if (!schemes.isAutomatic) return first;
    if (!isRepeatable(first, request.operation)) return first;
    while (schemes.isTrying && (await schemes.trialEnded(request.signal)));
    if (schemes.current !== scheme) return this.#post(token, schemes.current, request);
    const acceptance = tokens.acceptanceOf(token);
    if (acceptance === 'refusedInBothForms') return inBothForms(first);
    if (acceptance !== 'unknown') return first;
    const other = otherScheme(scheme);
    const tryOther = async () => {
      const second = await this.#post(token, other, request);
      if (!isFormInDoubt(second)) return second;
      tokens.refuseBothForms(token);
      return inBothForms(wasRead(first.error) && !wasRead(second.error) ? first : second);
    };
    return schemes.try(other, tryOther, isTokenRead);
  }

  #refuse(token: string, failure: ApiFailure): AfterRefusal {
    const next = this.#options.tokens.refuse(token, isNotYetValid(failure.error));
    failure.waitsForToken = next === 'later';
    return next;
  }

  async #post(
    token: string,
    scheme: AuthScheme,
    { operation, body, signal, progress, trace }: ApiRequest,
  ): Promise<GraphqlResponse | ApiFailure> {
    const { url, tokens, transport } = this.#options;
    progress.attempts++;
    progress.tokens.add(token);
    const headers = {
      accept: 'application/json, application/graphql-response+json;q=0.9',
      authorization: authorization(scheme, token),
      'content-type': 'application/json',
    };
    if (trace) Object.assign(headers, trace);
    const sentAt = performance.now();
    try {
      const response = await transport.post({ peer: 'api', url, headers, body, signal });
      const durationMs = performance.now() - sentAt;
      let json = readBody(response, this.#host);
      // A long text is parsed in slices, and the flow may be stopped between them.
      if (json instanceof Promise) json = await abandonable(json, signal, closedAfterResponse);
      const read = operation.members ? readMembersResponse : readResponse;
      const result = read(response, this.#host, json, {
        token,
        operation,
        isSchemeAutomatic: this.#schemes.isAutomatic,
      });
      result.durationMs = durationMs;
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

/** Whether the API refused a token, and perhaps only because of its form. */
function isFormInDoubt(result: GraphqlResponse | ApiFailure): result is ApiFailure {
  return isTokenRefusal(result) && !isNotYetValid(result.error);
}

/** Whether the API could read the token, even if it did not execute the operation. */
function isTokenRead(result: GraphqlResponse | ApiFailure): boolean {
  if (!(result instanceof ApiFailure)) return true;
  const { error } = result;
  return error.origin === 'operation' || (isTokenRefusal(result) && isNotYetValid(error));
}

function isRepeatable({ error }: ApiFailure, { kind }: Operation): boolean {
  return kind !== 'mutation' || error.notRun === true;
}

function inBothForms({ error }: ApiFailure): ApiFailure {
  const sentence = 'The access token was sent bare and as a bearer token.';
  return new ApiFailure(error.with({ message: withSentence(error.message, sentence) }));
}
