import { AccessTokens } from './auth/access-tokens.js';
import { validApiKey } from './auth/api-key.js';
import type { AuthScheme } from './auth/auth-schemes.js';
import { resolveEndpoints } from './auth/environments.js';
import { Redactor } from './auth/redaction.js';
import type { TokenGrant } from './auth/token-request.js';
import { closedError, IonError, toIonError } from './errors.js';
import { type Api, apiFor } from './graphql/dry-run-api.js';
import { finalError } from './graphql/final-error.js';
import { ApiFailure, type RequestProgress } from './graphql/graphql-api.js';
import { type Lack, withLacks } from './graphql/lacks.js';
import type { MutationLog } from './graphql/mutation-log.js';
import type { Operation } from './graphql/operation.js';
import { withRefusedValue } from './graphql/refused-value.js';
import { requestBody } from './graphql/request-body.js';
import type { GraphqlResponse } from './graphql/response.js';
import { type Adapted, type RefusedParts, SchemaLacks } from './graphql/schema-lacks.js';
import { type Priority, RequestQueue } from './http/request-queue.js';
import { delayBeforeRetry } from './http/retry-policy.js';
import { type HttpResponse, headerOf, Transport, type Upload } from './http/transport.js';
import type { IonClientSettings } from './ion-client-settings.js';
import type { OutcomeListener } from './operation-outcomes.js';
import type { RequestOptions } from './request-options.js';
import { configNumbers } from './settings.js';
import { abortableDelay } from './support/abort-listeners.js';

export type { RequestOptions, RequestState } from './request-options.js';

export interface IonResponse extends GraphqlResponse {
  /** Number of requests that were sent to the API, the successful one included. */
  attempts: number;
}

/** Delay for a token that is not valid yet, because the API's clock is behind. */
const TOKEN_WAIT_MS = 1000;
const MAX_TOKEN_WAITS = 10;
/** Limits for all dialogs that use the same config node. */
const MAX_EDITOR_REQUESTS = 2;
const MAX_EDITOR_QUEUE = 20;

/** Runs GraphQL operations with one API key in one environment of ION. */
export class IonClient {
  /** Maximum number of concurrent requests. */
  readonly concurrency: number;
  /** Maximum number of queued messages. */
  readonly queueLimit: number;
  /** URL of the GraphQL API. */
  readonly endpoint: string;
  /** URL of the token endpoint, as the settings name it. */
  readonly tokenEndpoint: string;
  /** Mutations are not sent, and nothing is uploaded. */
  readonly isDryRun: boolean;
  /** Other clients with the same API key use it as well. A dry run has none, because it sends nothing. */
  readonly mutationLog: MutationLog | undefined;
  readonly #retries: number;
  /** With the white space at its ends, which a text may quote as well. */
  readonly #enteredSecret: string;
  readonly #transport: Transport;
  readonly #tokens: AccessTokens;
  readonly #api: Api;
  readonly #redactor = new Redactor();
  readonly #queue: RequestQueue;
  readonly #editorQueue = new RequestQueue(MAX_EDITOR_REQUESTS, MAX_EDITOR_QUEUE);
  readonly #closing = new AbortController();
  readonly #lacks = new SchemaLacks();
  readonly #outcomeListeners = new Set<OutcomeListener>();

  /** @throws IonError `ION_CONFIG` for settings that cannot work */
  constructor(settings: IonClientSettings) {
    const { graphqlUrl, tokenUrl, audience } = resolveEndpoints(settings);
    const {
      concurrency = configNumbers.concurrency.default,
      queueLimit = configNumbers.queueLimit.default,
      retries = configNumbers.retries.default,
    } = settings;
    const key = validApiKey(settings.key);
    this.#enteredSecret = settings.key.clientSecret;
    this.concurrency = concurrency;
    this.queueLimit = queueLimit;
    this.endpoint = graphqlUrl.href;
    this.tokenEndpoint = tokenUrl.href;
    this.#retries = retries;
    this.#queue = new RequestQueue(concurrency, queueLimit);
    const transport = new Transport({
      timeoutMs: settings.timeoutMs ?? 1000 * configNumbers.timeout.default,
      connections: concurrency + MAX_EDITOR_REQUESTS,
      tls: settings.tls,
      proxy: settings.proxy,
      maxResponseBytes: settings.maxResponseBytes,
    });
    const tokens = new AccessTokens({ tokenUrl, key, audience, retries, transport });
    this.isDryRun = settings.mode === 'dryRun';
    const mask = (value: unknown) => this.#redactor.valueWithoutSecrets(value, this.#secrets());
    const { signal } = this.#closing;
    this.#api = apiFor(settings, { url: graphqlUrl, tokens, transport }, { mask, signal });
    this.#transport = transport;
    this.#tokens = tokens;
    this.mutationLog = this.isDryRun ? undefined : settings.mutationLog;
  }

  /** The form of the authorization header of the next request. */
  get authScheme(): AuthScheme {
    return this.#api.authScheme;
  }

  /** The parts of this package's own documents that ION's schema lacks, as far as they were used. */
  get lacks(): Lack[] {
    return this.#lacks.list();
  }

  /** An operation and its variables without the parts that ION's schema is known to lack. */
  adapted(operation: Operation, variables: RequestOptions['variables']): Adapted {
    return this.#lacks.adapt(operation, variables, new Map());
  }

  /** The next request asks again for a part that ION lacked, such as `RunStep._etag`. */
  forgetLack(part: string): void {
    this.#lacks.forget(part);
  }

  /**
   * Calls a listener with the outcome of each operation, before its caller continues.
   * @returns a function that ends this
   */
  onOutcome(listener: OutcomeListener): () => void {
    this.#outcomeListeners.add(listener);
    return () => this.#outcomeListeners.delete(listener);
  }

  /** Requests that run, and messages that wait for their turn, without those of dialogs. */
  get load(): { running: number; waiting: number } {
    return { running: this.#queue.running, waiting: this.#queue.waiting };
  }

  /** Remaining lifetime of the access token, in ms; `undefined` without a valid token. */
  get tokenExpiresInMs(): number | undefined {
    return this.#tokens.expiresInMs;
  }

  /** After `close()`, every request ends with `ION_CLOSED`. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Sends one operation, and repeats it if that is safe.
   * @throws IonError, whose texts hold no secret
   */
  async request(operation: Operation, options: RequestOptions): Promise<IonResponse> {
    const log = operation.kind === 'mutation' ? this.#logged(operation, options) : undefined;
    const progress: RequestProgress = { attempts: 0, tokens: new Set(), log };
    const startedAt = performance.now();
    let error: IonError | undefined;
    try {
      const response = await this.#requestWithRetries(operation, options, progress);
      const all = response.members ? this.#withMembers(operation, response, progress) : response;
      log?.ended(all);
      return all;
    } catch (thrown) {
      error = this.#withoutSecrets(toIonError(thrown), progress);
      log?.ended(error);
      throw error;
    } finally {
      if (this.#outcomeListeners.size > 0) {
        const durationMs = performance.now() - startedAt;
        const { attempts } = progress;
        const outcome = { operation, variables: options.variables, error, attempts, durationMs };
        for (const listener of this.#outcomeListeners) listener(outcome);
      }
    }
  }

  #logged(operation: Operation, { variables, origin, trace, parts }: RequestOptions) {
    return this.mutationLog?.begin({ operation, variables, origin }, trace, parts);
  }

  /** The errors of operations that share a document are those of the last try. */
  #withMembers(
    { members = [] }: Operation,
    response: IonResponse,
    progress: RequestProgress,
  ): IonResponse {
    const outcomes = response.members?.outcomes.map((outcome, index) => {
      const member = members[index]?.operation;
      if (!(outcome instanceof IonError) || !member) return outcome;
      return this.#withoutSecrets(finalError(member, outcome), progress);
    });
    return {
      ...response,
      members: response.members && outcomes && { ...response.members, outcomes },
    };
  }

  #withoutSecrets(error: IonError, { attempts, tokens }: RequestProgress): IonError {
    const secrets = [...this.#secrets(), ...tokens];
    return this.#redactor.withoutSecrets(error.with({ attempts }), secrets);
  }

  /**
   * The source and the lifetime of the access token, which is requested if there is none.
   * @throws IonError, whose texts hold no secret
   */
  async tokenGrant(signal: AbortSignal): Promise<TokenGrant | undefined> {
    try {
      await this.#tokens.get(signal);
      return this.#tokens.grant;
    } catch (thrown) {
      throw this.#redactor.withoutSecrets(toIonError(thrown), this.#secrets());
    }
  }

  /**
   * The headers that a server sends without an access token, whatever it responds.
   * @throws IonError if there is no connection, or no response
   */
  async headersOf(peer: 'api' | 'auth', signal: AbortSignal): Promise<HttpResponse['headers']> {
    const url = new URL(peer === 'api' ? this.endpoint : this.tokenEndpoint);
    return (await this.#transport.head(url, signal, peer)).headers;
  }

  /** A copy of a text in which the client secret and the tokens are masked. */
  withoutSecrets(text: string): string {
    return this.#redactor.textWithoutSecrets(text, this.#secrets());
  }

  #secrets(): string[] {
    return [...this.#tokens.secrets(), this.#enteredSecret];
  }

  /**
   * Sends a file to the storage host that ION named, without an access token.
   * @throws IonError, whose texts do not hold the query of the URL, because it permits the upload
   */
  async upload(upload: Upload): Promise<HttpResponse> {
    this.#checkStorage(upload.url);
    if (this.isDryRun) return { status: 200, headers: {}, text: '' };
    return await this.#transport.put(upload).catch(storageFailed);
  }

  /**
   * HTTP status and size in bytes of an object on the storage host.
   * @throws IonError
   */
  async storedObject(url: URL, signal: AbortSignal): Promise<{ status: number; size: number }> {
    this.#checkStorage(url);
    const { status, headers } = await this.#transport.head(url, signal).catch(storageFailed);
    return { status, size: Number(headerOf(headers, 'content-length')) };
  }

  /** Requires encryption, unless the API itself is reached without it. */
  #checkStorage({ protocol, host }: URL): void {
    if (protocol === 'https:' || protocol === new URL(this.endpoint).protocol) return;
    throw new IonError(
      'ION_RESPONSE',
      `ION names a storage host without https (${host}), so no file was transferred.`,
    );
  }

  /** Ends all requests with `ION_CLOSED` and closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.close();
    this.#editorQueue.close();
    this.#tokens.close();
    this.#redactor.close();
    await this.#transport.close();
  }

  async #requestWithRetries(
    operation: Operation,
    options: RequestOptions,
    progress: RequestProgress,
  ): Promise<IonResponse> {
    const { signal, onState, trace } = options;
    const queue = options.isEditor ? this.#editorQueue : this.#queue;
    let { variables } = options;
    let priority: Priority = options.isNew === false ? 'continued' : 'new';
    let tokenWaits = 0;
    const refused: RefusedParts = new Map();
    for (let tries = 1; ; tries++) {
      if (this.isClosed) throw closedError();
      const sent = this.#lacks.adapt(operation, variables, refused);
      const body = requestBody(operation, sent);
      const turn = queue.enter(signal, priority, () => onState?.('waiting'));
      // A free queue needs no promise, which saves a turn of the event loop.
      if (turn) await turn;
      let result: GraphqlResponse | ApiFailure;
      try {
        onState?.('running');
        progress.log?.sending(sent.variables);
        result = await this.#api.send(operation, body, signal, progress, trace);
      } finally {
        queue.leave();
      }
      if (!(result instanceof ApiFailure)) {
        // Only a smaller document that ION accepts proves that the parts were the reason.
        this.#lacks.keep(refused);
        // A spread takes several times as long.
        const { data, extensions, traceId, date, textLength, durationMs, members } = result;
        const { attempts } = progress;
        const response = { data, extensions, traceId, date, textLength, durationMs, attempts };
        return members || this.isDryRun ? { ...result, attempts } : response;
      }

      let { error } = result;
      const lacks = operation.wishes ? this.#lacks.refuse(operation, sent, error, refused) : [];
      if (lacks === undefined) {
        // ION refused the document before it executed anything, so that this is not a retry.
        tries--;
        priority = 'retry';
        continue;
      }
      error =
        withRefusedValue(error, operation, sent.variables) ??
        (operation.isOwn ? withLacks(error, lacks) : error);
      let delayMs = delayBeforeRetry(error, operation.kind === 'query', tries, this.#retries);
      if (result.waitsForToken && tokenWaits++ < MAX_TOKEN_WAITS) {
        // Does not count as a retry, so that it also works without retries.
        tries--;
        delayMs = TOKEN_WAIT_MS;
      }
      if (delayMs === undefined) throw finalError(operation, error);
      onState?.('retrying');
      variables = options.onRetry?.(error) ?? variables;
      const signals = [signal, this.#closing.signal];
      await queue.whileBackingOff(() => abortableDelay(delayMs, signals, closedError));
      priority = 'retry';
    }
  }
}

/** The storage host executes no operation of ION. */
function storageFailed(thrown: unknown): never {
  throw toIonError(thrown).with({ mayHaveRun: false });
}
