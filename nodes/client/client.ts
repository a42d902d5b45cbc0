import { AccessTokens, type AfterRefusal, type ApiKey } from './auth/access-tokens.js';
import { type EndpointSettings, resolveEndpoints } from './auth/environments.js';
import { Redactor } from './auth/redaction.js';
import { closedError, IonError, reasonOf, toIonError } from './errors.js';
import { hasPath, isTooYoung } from './failures/classify-failure.js';
import type { Operation } from './graphql/operation.js';
import { type GraphqlResponse, readBody, readResponse } from './graphql/response.js';
import { checkVariables } from './graphql/variables.js';
import { type Priority, RequestQueue } from './http/request-queue.js';
import { delayBeforeRetry } from './http/retry-policy.js';
import {
  type HttpResponse,
  headerOf,
  Transport,
  type TransportOptions,
  type Upload,
} from './http/transport.js';
import { configNumbers } from './settings.js';
import { abandonable, addAbortListener } from './support/abort-listeners.js';
import { hasControlCharacter, trimEnds } from './support/trim-ends.js';

/** Without a number, its default in `configNumbers`. */
export interface IonClientSettings extends EndpointSettings {
  key: ApiKey;
  /** `Authorization: <token>` (raw) or `Authorization: Bearer <token>`; default raw. */
  authScheme?: 'raw' | 'bearer' | undefined;
  /** For one HTTP exchange, in ms. */
  timeoutMs?: number | undefined;
  /** Requests in flight at once. */
  concurrency?: number | undefined;
  /** Messages that may wait. */
  queueLimit?: number | undefined;
  /** Further tries of a request that may safely be repeated. */
  retries?: number | undefined;
  tls?: TransportOptions['tls'];
  proxy?: TransportOptions['proxy'];
  largestAnswer?: number | undefined;
}

/** What a request is doing, for the one who shows it. */
export type RequestState = 'waiting' | 'running' | 'retrying';

export interface RequestOptions {
  variables?: Record<string, unknown> | undefined;
  signal: AbortSignal;
  /** False for the further pages of a list: they are let in even when the queue is full. */
  isNew?: boolean;
  /** True for a dialog, whose requests never take the place of a flow's message in the queue. */
  isEditor?: boolean;
  onState?: ((state: RequestState) => void) | undefined;
  /** May change the variables before the operation is sent again. */
  onRetry?: (error: IonError) => Record<string, unknown> | undefined;
}

export interface IonResponse extends GraphqlResponse {
  /** Requests that were sent to the API, the successful one included. */
  attempts: number;
}

/** In characters; those of ION are far shorter. */
const MAX_CLIENT_SECRET = 4096;
/** For a token that is not valid yet because the API's clock is behind. */
const TOKEN_WAIT_MS = 1000;
const MAX_TOKEN_WAITS = 10;
/** Requests of all dialogs that use the same config node: at once, and waiting. */
const MAX_EDITOR_REQUESTS = 2;
const MAX_EDITOR_QUEUE = 20;

interface Progress {
  attempts: number;
  /** The tokens that went out, which a later one may have replaced. */
  tokens: Set<string>;
}

/** Runs GraphQL operations of one API key in one environment of ION. */
export class IonClient {
  /** Requests in flight at once. */
  readonly concurrency: number;
  /** Messages that may wait. */
  readonly queueLimit: number;
  /** Where the API is. */
  readonly endpoint: string;
  readonly #url: URL;
  readonly #scheme: 'raw' | 'bearer';
  readonly #retries: number;
  /** With the blanks at its ends. */
  readonly #enteredSecret: string;
  readonly #transport: Transport;
  readonly #tokens: AccessTokens;
  readonly #redactor = new Redactor();
  readonly #queue: RequestQueue;
  readonly #editorQueue = new RequestQueue(MAX_EDITOR_REQUESTS, MAX_EDITOR_QUEUE);
  readonly #closing = new AbortController();

  /** @throws IonError `ION_CONFIG` for settings that cannot work */
  constructor(settings: IonClientSettings) {
    const { graphqlUrl, tokenUrl, audience } = resolveEndpoints(settings);
    const {
      concurrency = configNumbers.concurrency.default,
      queueLimit = configNumbers.queueLimit.default,
      retries = configNumbers.retries.default,
    } = settings;
    const key = checkedKey(settings.key);
    this.#enteredSecret = settings.key.clientSecret;
    this.concurrency = concurrency;
    this.queueLimit = queueLimit;
    this.endpoint = graphqlUrl.href;
    this.#url = graphqlUrl;
    this.#scheme = settings.authScheme ?? 'raw';
    this.#retries = retries;
    this.#queue = new RequestQueue(concurrency, queueLimit);
    this.#transport = new Transport({
      timeoutMs: settings.timeoutMs ?? 1000 * configNumbers.timeout.default,
      connections: concurrency + MAX_EDITOR_REQUESTS,
      tls: settings.tls,
      proxy: settings.proxy,
      largestAnswer: settings.largestAnswer,
    });
    this.#tokens = new AccessTokens({
      tokenUrl,
      key,
      audience,
      retries: this.#retries,
      transport: this.#transport,
    });
  }

  /** Whether everything that is asked of it ends with `ION_CLOSED`. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Sends one operation and repeats it where that is safe.
   * @throws IonError, without any secret in its texts
   */
  async request(operation: Operation, options: RequestOptions): Promise<IonResponse> {
    const progress: Progress = { attempts: 0, tokens: new Set() };
    try {
      return await this.#requestWithRetries(operation, options, progress);
    } catch (thrown) {
      const secrets = [...this.#tokens.secrets(), this.#enteredSecret, ...progress.tokens];
      const error = this.#redactor.withoutSecrets(toIonError(thrown), secrets);
      error.attempts = progress.attempts;
      throw error;
    }
  }

  /**
   * Sends a file to the storage host that ION named, without any token of ION.
   * @throws IonError, without the query of the URL, which is what permits the upload
   */
  async upload(upload: Upload): Promise<HttpResponse> {
    this.#checkStorage(upload.url);
    return this.#transport.put(upload);
  }

  /** Status and size in bytes of what the storage host holds. */
  async storedObject(url: URL, signal: AbortSignal): Promise<{ status: number; size: number }> {
    this.#checkStorage(url);
    const { status, headers } = await this.#transport.head(url, signal);
    return { status, size: Number(headerOf(headers, 'content-length')) };
  }

  /** Files travel encrypted wherever the API itself is reached so. */
  #checkStorage(url: URL): void {
    if (url.protocol === 'https:' || url.protocol === this.#url.protocol) return;
    throw new IonError('ION_RESPONSE', `ION names a storage host without https (${url.host}).`);
  }

  /** Ends everything under way with `ION_CLOSED` and closes the connections. */
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
    progress: Progress,
  ): Promise<IonResponse> {
    let { variables } = options;
    let turn: Priority = options.isNew === false ? 'continued' : 'new';
    let waits = 0;
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#send(operation, variables, options, turn, progress);
        const { data, extensions, traceId, date, textLength } = answer;
        return { data, extensions, traceId, date, textLength, attempts: progress.attempts };
      } catch (thrown) {
        if (!(thrown instanceof RequestFailure)) throw thrown;
        const { error } = thrown;
        let delay = delayBeforeRetry(error, operation.kind === 'query', tries, this.#retries);
        if (thrown.waitsForToken && waits++ < MAX_TOKEN_WAITS) {
          // No try of its own: whoever allows none wants a message to survive this as well.
          tries--;
          delay = TOKEN_WAIT_MS;
        }
        if (delay === undefined) {
          const mayHaveRun = error.mayHaveRun || ranInPart(operation, error);
          throw operation.kind === 'mutation' && mayHaveRun ? withWarning(error) : error;
        }
        options.onState?.('retrying');
        variables = options.onRetry?.(error) ?? variables;
        await this.#queueOf(options).whileBackingOff(() => this.#pause(delay, options.signal));
        turn = 'retry';
      }
    }
  }

  /** One turn in the queue: the request, and a second one where the token was refused. */
  async #send(
    operation: Operation,
    variables: Record<string, unknown> | undefined,
    options: RequestOptions,
    turn: Priority,
    progress: Progress,
  ): Promise<GraphqlResponse> {
    if (this.#closing.signal.aborted) throw closedError();
    const body = requestBody(operation, variables);
    const queue = this.#queueOf(options);
    // Mostly there is nothing to wait for, and then a turn of the event loop less.
    const place = queue.enter(options.signal, turn, () => options.onState?.('waiting'));
    if (place) await place;
    try {
      options.onState?.('running');
      let token = this.#tokens.get(options.signal);
      if (typeof token !== 'string') token = await token;
      try {
        return await this.#exchange(token, operation, body, options.signal, progress);
      } catch (thrown) {
        if (!isRefusedToken(thrown) || this.#refuse(token, thrown) !== 'again') throw thrown;
        // A mutation may go out again where it was not executed.
        if (operation.kind === 'mutation' && !thrown.error.notRun) throw thrown;
      }
      token = await this.#tokens.get(options.signal);
      try {
        return await this.#exchange(token, operation, body, options.signal, progress);
      } catch (thrown) {
        if (isRefusedToken(thrown)) this.#refuse(token, thrown);
        throw thrown;
      }
    } finally {
      queue.leave();
    }
  }

  #refuse(token: string, refused: RequestFailure): AfterRefusal {
    const next = this.#tokens.refuse(token, isTooYoung(refused.error));
    refused.waitsForToken = next === 'later';
    return next;
  }

  #queueOf({ isEditor = false }: RequestOptions): RequestQueue {
    return isEditor ? this.#editorQueue : this.#queue;
  }

  async #exchange(
    token: string,
    operation: Operation,
    request: string,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<GraphqlResponse> {
    progress.attempts++;
    progress.tokens.add(token);
    try {
      const answer = await this.#transport.post({
        peer: 'api',
        url: this.#url,
        headers: {
          accept: 'application/json, application/graphql-response+json;q=0.9',
          authorization: this.#scheme === 'bearer' ? `Bearer ${token}` : token,
          'content-type': 'application/json',
        },
        body: request,
        signal,
      });
      const { host } = this.#url;
      let body = readBody(answer, host);
      // A long one takes its time, in which the flow may be stopped.
      if (body instanceof Promise) body = await abandonable(body, signal, closedAfterAnswer);
      const result = readResponse(answer, host, body, token, operation);
      this.#tokens.accept(token);
      return result;
    } catch (thrown) {
      const error = toIonError(thrown);
      // An answer of GraphQL about the operation means that the token was good enough for it.
      if (error.origin === 'operation') this.#tokens.accept(token);
      throw new RequestFailure(error);
    }
  }

  async #pause(delay: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closing.signal.aborted) throw closedError();
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => () => {
        clearTimeout(timer);
        for (const stopListening of listening) stopListening();
        settle();
      };
      const timer = setTimeout(end(resolve), delay);
      const stop = end(() => reject(closedError()));
      const listening = [signal, this.#closing.signal].map((each) => addAbortListener(each, stop));
    });
  }
}

/** Came of the request to the API; any other error came of the token request, which is not repeated here. */
class RequestFailure extends Error {
  /** The same token is expected to be good a little later. */
  waitsForToken = false;

  constructor(readonly error: IonError) {
    super(error.message);
  }
}

/**
 * The API key without what a file or the clipboard added at its ends.
 * @throws IonError `ION_CONFIG`, which does not repeat it
 */
function checkedKey(entered: ApiKey): ApiKey {
  const clientId = trimEnds(entered.clientId);
  const clientSecret = trimEnds(entered.clientSecret);
  if (!clientId || !clientSecret) {
    throw new IonError(
      'ION_CONFIG',
      `The ION config node has no ${clientId ? 'client secret' : 'client ID'}. Make an API key in ION (Settings, API keys) and enter both parts.`,
    );
  }
  if (clientSecret.length > MAX_CLIENT_SECRET) {
    throw new IonError(
      'ION_CONFIG',
      `The client secret in the ION config node is longer than ${MAX_CLIENT_SECRET} characters, so it cannot be one of ION. Enter the client secret of the API key.`,
    );
  }
  for (const [what, text] of Object.entries({
    'client ID': clientId,
    'client secret': clientSecret,
  })) {
    if (!hasControlCharacter(text)) continue;
    throw new IonError(
      'ION_CONFIG',
      `The ${what} in the ION config node has a line break, a tab or another control character in it. Enter it again, as ION shows it.`,
    );
  }
  return { clientId, clientSecret };
}

function closedAfterAnswer(): IonError {
  return closedError({ mayHaveRun: true });
}

function isRefusedToken(thrown: unknown): thrown is RequestFailure {
  return (
    thrown instanceof RequestFailure &&
    thrown.error.code === 'ION_AUTH' &&
    thrown.error.status === 401
  );
}

function requestBody(operation: Operation, variables: Record<string, unknown> | undefined): string {
  const { text: query, name: operationName } = operation;
  checkVariables(variables);
  try {
    return JSON.stringify({ query, variables, operationName });
  } catch (cause) {
    throw new IonError(
      'ION_VARIABLES',
      `The variables cannot be written as JSON: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}

/** Of several fields, one may have been executed before another one failed. */
function ranInPart({ definition }: Operation, { errors }: IonError): boolean {
  return definition.selectionSet.selections.length > 1 && (errors?.some(hasPath) ?? false);
}

function withWarning(error: IonError): IonError {
  error.isUncertain = true;
  error.message += ' It may have been executed all the same: look in ION before you repeat it.';
  return error;
}
