import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenEndpointResponse } from 'oauth4webapi';
import { closedError, IonError, quote, toIonError } from '../errors.js';
import { classifyTokenFailure } from '../failures/classify-failure.js';
import { isWebPage, titleOf } from '../failures/web-page.js';
import { delayBeforeRetry, parseRetryAfter } from '../http/retry-policy.js';
import type { HttpResponse, Transport } from '../http/transport.js';
import { abandonable } from '../support/abort-listeners.js';
import { isPlainObject, JsonLimitError, parseShortJson } from '../support/json.js';

/** What is assumed where the answer has no `expires_in`, in seconds. */
const ASSUMED_LIFETIME = 60;
/** In characters; a token of some KiB and a few words. */
const MAX_ANSWER = 100_000;
/** Characters of an answer in which the title of a web page is looked for. */
const MAX_PAGE = 16_384;
/** In characters; few servers take headers as long. */
const MAX_TOKEN = 16_384;
const REFRESH_AHEAD_MS = 30_000;
const FIRST_PAUSE_MS = 1000;
/** After a refused key, which somebody has to put right. */
const MAX_PAUSE_MS = 60_000;
/** However long a server asks to be left alone. */
const MAX_RETRY_AFTER_MS = 600_000;
/** After an auth server that could not answer: within it nodes recover by themselves. */
const MAX_OUTAGE_PAUSE_MS = 10_000;

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
  /** The API has refused it for that. */
  wasTooYoung?: boolean;
}

/** What to do with a request whose token the API refused. */
export type AfterRefusal =
  /** Send it again with another token. */
  | 'again'
  /** Send the same token a little later: the API's clock is behind. */
  | 'later'
  | 'fail';

/**
 * The access token of one API key: asked for on first use, kept in memory, refreshed ahead of its
 * end. Any number of callers share one token request. A new token takes the place of one that is
 * still good only when the API has taken it.
 */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #current: AccessToken | undefined;
  /** Tried by one request at a time while the current one is still good. */
  #next: (AccessToken & { refusals: number; tryAt: number }) | undefined;
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
    const now = this.#now();
    const token = this.#goodOne(now);
    if (token) {
      const next = this.#next;
      if (next && now >= next.tryAt) {
        // Whoever gets it says by `accept` or `refuse` what came of it, if anything did.
        next.tryAt = now + FIRST_PAUSE_MS;
        return next.value;
      }
      if (now >= token.refreshAt && !next && !this.#pending && !this.#isPaused()) {
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
    if (this.#next?.value === value) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    const token = this.#current;
    if (!token || token.accepted || token.value !== value) return;
    token.accepted = true;
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /**
   * The API refused this token: forgets it, but not a newer one, nor one that only is too young.
   * @param isTooYoung the API said that it is not valid yet
   * @returns `fail` where another try makes no sense: while a token that was never accepted has
   * been replaced only just now, because a key of another environment would otherwise be asked for
   * a token with every message
   */
  refuse(value: string, isTooYoung = false): AfterRefusal {
    const next = this.#next;
    if (next?.value === value) {
      const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** next.refusals++);
      next.tryAt = this.#now() + pause;
      return 'again';
    }
    const token = this.#current;
    if (!token || token.value !== value) return 'again';
    // A newer one would be even younger.
    if (isTooYoung) {
      token.wasTooYoung = true;
      return 'later';
    }
    if (next) {
      this.#current = next;
      this.#next = undefined;
      return 'again';
    }
    if (!token.accepted) {
      if (this.#isPaused()) return 'fail';
      this.#pause(MAX_PAUSE_MS);
    }
    this.#current = undefined;
    return 'again';
  }

  /** What must not appear in a text: the client secret and the tokens. */
  secrets(): string[] {
    const tokens = [this.#current, this.#next].flatMap((token) => (token ? [token.value] : []));
    return [this.#options.key.clientSecret, ...tokens];
  }

  close(): void {
    this.#closing.abort();
    this.#current = undefined;
    this.#next = undefined;
  }

  /** The current token, or the next one in place of one that has run out. */
  #goodOne(now: number): AccessToken | undefined {
    if (this.#current && now >= this.#current.expiresAt) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    if (this.#next && now >= this.#next.expiresAt) this.#next = undefined;
    return this.#current && now < this.#current.expiresAt ? this.#current : undefined;
  }

  #isPaused(): boolean {
    return this.#now() < this.#pausedUntil;
  }

  /** @param asked what the server asked for, in ms */
  #pause(longest: number, asked = 0): void {
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures++;
    this.#pausedUntil = this.#now() + Math.max(pause, Math.min(MAX_RETRY_AFTER_MS, asked));
  }

  #request(): Promise<string> {
    this.#pending = this.#exchangeWithRetries()
      .then(
        (token) => {
          const now = this.#now();
          const known = this.#goodOne(now);
          // One that was too young so far is good sooner than an even younger one.
          if (known?.accepted || known?.wasTooYoung)
            this.#next = { ...token, refusals: 0, tryAt: now };
          else this.#current = token;
          this.#failure = undefined;
          return token.value;
        },
        (error: IonError) => {
          // Kept for a while, so that all who wait in the queue fail together and promptly, and
          // background refreshes do not start with every message.
          this.#failure = error;
          const isRefused = error.code === 'ION_AUTH';
          this.#pause(isRefused ? MAX_PAUSE_MS : MAX_OUTAGE_PAUSE_MS, error.retryAfterMs);
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
        const delay = delayBeforeRetry(error, true, tries, this.#options.retries);
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
    let answer: HttpResponse | undefined;
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
function readable(answer: HttpResponse, { host }: URL): HttpResponse {
  const { status } = answer;
  const text = answer.text.slice(0, MAX_ANSWER);
  if (status < 200 || status > 299) return { ...answer, text };
  const isTooLong = text.length < answer.text.length;
  if (!isTooLong && !isTooDeep(text)) return { ...answer, text: tidied(text) };
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

function toResponse(answer: HttpResponse): Response {
  const hasNoBody = answer.status === 204 || answer.status === 205 || answer.status === 304;
  // No other header: a challenge would hide the body's reason, and JSON is known by itself.
  return new Response(hasNoBody ? null : answer.text, {
    status: answer.status,
    headers: { 'content-type': 'application/json' },
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

function refusedRequest(thrown: unknown, answer: HttpResponse, { host, pathname }: URL): IonError {
  const { status } = answer;
  const { error, description } = errorIn(answer.text);
  const page = pageIn(answer.text);
  const verdict = classifyTokenFailure(status, error, page !== undefined);
  const details = {
    ...verdict,
    cause: thrown,
    status,
    ...(verdict.transient && { retryAfterMs: parseRetryAfter(answer.headers) }),
  };
  const reason = [error, description].flatMap((each) => (each ? quote(each) : [])).join(', ');
  const said = reason || (page && `"${quote(page)}"`);
  const named = said ? `: ${said}` : '';
  const text = (): string => {
    switch (verdict.code) {
      case 'ION_RATE_LIMITED':
        return `${host} asks for fewer token requests (HTTP 429${named}).`;
      case 'ION_SERVER':
        return `The auth server ${host}, or a gateway before it, has a fault (HTTP ${status}${named}). Try again later.`;
      case 'ION_NOT_FOUND':
        return `${host} has no token endpoint at ${pathname} (HTTP 404${named}). ${CHECK}`;
      case 'ION_AUTH':
        return `The auth server ${host} refused the API key (HTTP ${status}${named}). ${adviceOn(error)}`;
      default: {
        const { location } = answer.headers;
        const pointer = location === undefined ? '' : ` that points to ${quote(String(location))}`;
        return `${host} did not answer the token request as an auth server does (HTTP ${status}${pointer}${named}). ${CHECK}`;
      }
    }
  };
  return new IonError(verdict.code, text(), details);
}

const CHECK =
  'Check the auth URL in the ION config node, and the gateway, proxy or firewall in between.';

/** What to do about an error of RFC 6749, 5.2. */
function adviceOn(error: string | undefined): string {
  switch (error) {
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return 'If the client secret is right, the key may not ask for tokens in this way: make a new API key in ION.';
    case 'invalid_request':
    case 'invalid_scope':
    case 'invalid_target':
      return 'Check the audience in the ION config node, and client ID and client secret.';
    default:
      return 'Check client ID and client secret, that the key is enabled, and that it belongs to this environment.';
  }
}

/** The title of a web page, `''` for one without a title; `undefined` for what is no web page. */
function pageIn(text: string): string | undefined {
  const begin = text.slice(0, MAX_PAGE);
  return isWebPage(begin) ? (titleOf(begin) ?? '') : undefined;
}

/** The error of RFC 6749, 5.2, whatever the status: some servers send it with HTTP 200. */
function errorIn(text: string): { error?: string; description?: string } {
  try {
    const { error, error_description: description } = parseShortJson(text) as Record<
      string,
      unknown
    >;
    if (typeof error !== 'string') return {};
    return { error, ...(typeof description === 'string' && { description }) };
  } catch {
    return {};
  }
}

/**
 * What of a granted token counts, in the form that the check expects: gateways and auth servers
 * add properties that are null, and give the token's type other names.
 */
function tidied(text: string): string {
  try {
    const answer = parseShortJson(text);
    if (!isPlainObject(answer) || typeof answer.access_token !== 'string') return text;
    const { access_token, expires_in: given } = answer;
    const expires_in = given === null || given === '' ? undefined : Number(given);
    const isKnown = expires_in !== undefined && Number.isFinite(expires_in) && expires_in >= 0;
    return JSON.stringify({ access_token, token_type: 'bearer', ...(isKnown && { expires_in }) });
  } catch {
    return text;
  }
}
