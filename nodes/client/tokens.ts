import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenEndpointResponse } from 'oauth4webapi';
import { abandonable } from './aborts.js';
import { closedError, IonError, quote, toIonError } from './errors.js';
import { JsonLimitError, parseShortJson } from './json.js';
import { delayBeforeRetry, parseRetryAfter } from './retries.js';
import type { HttpAnswer, Transport } from './transport.js';

/** What is assumed where the answer has no `expires_in`, in seconds. */
const ASSUMED_LIFETIME = 60;
/** In characters; a token of some KiB and a few words. */
const MAX_ANSWER = 100_000;
/** In characters; few servers take headers as long. */
const MAX_TOKEN = 16_384;
const REFRESH_AHEAD_MS = 30_000;
const FIRST_PAUSE_MS = 1000;
/** After a refused key, which somebody has to put right. */
const LONGEST_PAUSE_MS = 60_000;
/** However long a server asks to be left alone. */
const LONGEST_ASKED_MS = 600_000;
/** After an auth server that could not answer: within it nodes recover by themselves. */
const LONGEST_OUTAGE_PAUSE_MS = 10_000;

export interface ApiKey {
  clientId: string;
  clientSecret: string;
}

export interface AccessTokensOptions {
  tokenUrl: URL;
  key: ApiKey;
  audience: string;
  retries: number;
  transport: Pick<Transport, 'post'>;
  /** A monotonic clock, in ms. */
  now?: () => number;
}

interface AccessToken {
  value: string;
  /** On the monotonic clock, in ms. */
  refreshAt: number;
  expiresAt: number;
  /** The API has taken it at least once. */
  accepted: boolean;
}

/**
 * The access token of one API key: asked for on first use, kept in memory, refreshed ahead of its
 * end. Any number of callers share one token request.
 */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #current: AccessToken | undefined;
  #pending: Promise<string> | undefined;
  #failure: IonError | undefined;
  #failures = 0;
  /** Until then no token is asked for after a failed request, and only one in place of refused ones. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * A token that is still good; a promise only where one must be waited for.
   * @throws IonError `ION_AUTH` for a refused key, else what the token request ended with; for at
   * least a second after that the same error, without another request
   */
  get(signal: AbortSignal): string | Promise<string> {
    const token = this.#current;
    const now = this.#now();
    if (token && now < token.expiresAt) {
      if (now >= token.refreshAt && !this.#pending && !this.#isPaused()) {
        // A failure shows when the token has run out and somebody waits for the next one.
        this.#request().catch(() => {});
      }
      return token.value;
    }
    if (signal.aborted) throw closedError();
    if (!this.#pending && this.#failure && this.#isPaused()) throw this.#failure;
    return abandonable(this.#pending ?? this.#request(), signal, closedError);
  }

  /** The API took this token. */
  accept(value: string): void {
    const token = this.#current;
    if (!token || token.accepted || token.value !== value) return;
    token.accepted = true;
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /**
   * The API refused this token: forgets it, but not a newer one.
   * @returns whether another try makes sense. False while a token that was never accepted has
   * been replaced only just now: a key of another environment would otherwise be asked for a
   * token with every message.
   */
  refuse(value: string): boolean {
    const token = this.#current;
    if (!token || token.value !== value) return true;
    if (!token.accepted) {
      if (this.#isPaused()) return false;
      this.#pause(LONGEST_PAUSE_MS);
    }
    this.#current = undefined;
    return true;
  }

  /** What must not appear in a text: the client secret and the token. */
  secrets(): string[] {
    const { clientSecret } = this.#options.key;
    return this.#current ? [clientSecret, this.#current.value] : [clientSecret];
  }

  close(): void {
    this.#closing.abort();
    this.#current = undefined;
  }

  #isPaused(): boolean {
    return this.#now() < this.#pausedUntil;
  }

  /** @param asked what the server asked for, in ms */
  #pause(longest: number, asked = 0): void {
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures++;
    this.#pausedUntil = this.#now() + Math.max(pause, Math.min(LONGEST_ASKED_MS, asked));
  }

  #request(): Promise<string> {
    this.#pending = this.#exchangeWithRetries()
      .then(
        (token) => {
          this.#current = token;
          this.#failure = undefined;
          return token.value;
        },
        (error: IonError) => {
          // Kept for a while, so that all who wait in the queue fail together and promptly, and
          // background refreshes do not start with every message.
          this.#failure = error;
          const isRefused = error.code === 'ION_AUTH';
          this.#pause(isRefused ? LONGEST_PAUSE_MS : LONGEST_OUTAGE_PAUSE_MS, error.retryAfterMs);
          throw error;
        },
      )
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  async #exchangeWithRetries(): Promise<AccessToken> {
    const { signal } = this.#closing;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#exchange(signal);
      } catch (thrown) {
        const error = toIonError(thrown);
        // Asking for a token twice does no harm, so it may be repeated like a query.
        const delay = delayBeforeRetry(error, 'query', tries, this.#options.retries);
        if (delay === undefined) throw error;
        await sleep(delay, undefined, { signal }).catch(() => {
          throw closedError();
        });
      }
    }
  }

  /** Client credentials grant with the key in the form body (ION manual, "Access Tokens"). */
  async #exchange(signal: AbortSignal): Promise<AccessToken> {
    const { tokenUrl, key, audience, transport } = this.#options;
    const oauth = await import('oauth4webapi');
    const server = { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href };
    const client = { client_id: key.clientId };
    const askedAt = this.#now();
    let answer: HttpAnswer | undefined;
    try {
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretPost(key.clientSecret),
        { audience },
        {
          // Whether plain http is allowed was decided with the environment.
          [oauth.allowInsecureRequests]: true,
          [oauth.customFetch]: async (_url, { headers, body }) => {
            const request = { url: tokenUrl, headers, body: String(body), signal };
            answer = readable(await transport.post({ peer: 'auth', ...request }), tokenUrl);
            return toResponse(answer);
          },
        },
      );
      const granted = await oauth.processClientCredentialsResponse(server, client, response);
      return toAccessToken(granted, askedAt);
    } catch (thrown) {
      if (thrown instanceof IonError || !answer) throw thrown;
      throw refusedRequest(thrown, answer, tokenUrl);
    }
  }
}

/**
 * Keeps only the beginning of a failed answer, because its status says enough.
 * @throws IonError `ION_RESPONSE` for a success that no auth server would answer
 */
function readable(answer: HttpAnswer, { host }: URL): HttpAnswer {
  const { status } = answer;
  const text = answer.text.slice(0, MAX_ANSWER);
  if (status < 200 || status > 299) return { ...answer, text };
  const isTooLong = text.length < answer.text.length;
  if (!isTooLong && !isTooDeep(text)) return answer;
  const reason = isTooLong ? `longer than ${MAX_ANSWER} characters` : 'nested too deeply';
  const message = `The answer of the auth server ${host} cannot be used: it is ${reason}.`;
  throw new IonError('ION_RESPONSE', message, { status });
}

function isTooDeep(text: string): boolean {
  try {
    parseShortJson(text);
    return false;
  } catch (thrown) {
    return thrown instanceof JsonLimitError;
  }
}

function toResponse(answer: HttpAnswer): Response {
  const hasNoBody = answer.status === 204 || answer.status === 205 || answer.status === 304;
  // Only what the check of the answer needs: a challenge header would hide the body's reason.
  return new Response(hasNoBody ? null : answer.text, {
    status: answer.status,
    headers: { 'content-type': String(answer.headers['content-type'] ?? '') },
  });
}

function toAccessToken(granted: TokenEndpointResponse, askedAt: number): AccessToken {
  if (!/^[\x21-\x7e]+$/.test(granted.access_token)) {
    throw new IonError(
      'ION_RESPONSE',
      'The auth server granted an access token that cannot be sent.',
    );
  }
  if (granted.access_token.length > MAX_TOKEN) {
    throw new IonError(
      'ION_RESPONSE',
      `The auth server granted an access token that cannot be sent: it is longer than ${MAX_TOKEN} characters.`,
    );
  }
  const lifetime = Math.max(0, granted.expires_in ?? ASSUMED_LIFETIME) * 1000;
  const ahead = Math.max(lifetime / 5, Math.min(REFRESH_AHEAD_MS, lifetime / 2));
  return {
    value: granted.access_token,
    refreshAt: askedAt + lifetime - ahead,
    expiresAt: askedAt + lifetime,
    accepted: false,
  };
}

function refusedRequest(thrown: unknown, answer: HttpAnswer, tokenUrl: URL): IonError {
  const { status } = answer;
  const oauthError = errorIn(answer.text);
  const details = { cause: thrown, status };
  const host = tokenUrl.host;
  if (status === 429) {
    return new IonError('ION_RATE_LIMITED', `${host} asks for fewer token requests (HTTP 429).`, {
      ...details,
      transient: true,
      retryAfterMs: parseRetryAfter(answer.headers),
    });
  }
  if (status >= 500) {
    return new IonError(
      'ION_SERVER',
      `The auth server ${host} has a fault (HTTP ${status}). Try again later.`,
      { ...details, transient: status !== 500, retryAfterMs: parseRetryAfter(answer.headers) },
    );
  }
  if (status === 404) {
    return new IonError(
      'ION_NOT_FOUND',
      `${host} has no token endpoint at ${tokenUrl.pathname}. Check the auth URL in the ION config node.`,
      details,
    );
  }
  if (oauthError !== undefined || status === 401 || status === 403) {
    const reason = oauthError === undefined ? '' : `: ${quote(oauthError)}`;
    return new IonError(
      'ION_AUTH',
      `The auth server ${host} refused the API key (HTTP ${status}${reason}). Check client ID and client secret, that the key is enabled, and that it belongs to this environment.`,
      details,
    );
  }
  const location = answer.headers.location;
  const pointer = location === undefined ? '' : ` that points to ${quote(String(location))}`;
  return new IonError(
    'ION_RESPONSE',
    `${host} did not answer the token request as an auth server does (HTTP ${status}${pointer}). Check the auth URL in the ION config node, and whether a proxy or firewall stands in between.`,
    details,
  );
}

/** The error code of RFC 6749, 5.2, whatever the status: some servers send it with HTTP 200. */
function errorIn(text: string): string | undefined {
  try {
    const { error } = parseShortJson(text) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
