import { Random } from '../data/random.js';
import { isSignatureEncoding, type SignatureEncoding } from '../data/signature.js';
import type { PagingSettings } from '../graphql/connections.js';
import type { Exchange } from '../http/exchange.js';

/** The settings that can be changed while the sandbox runs. */
export interface Settings extends PagingSettings {
  /** Seconds that a new access token lives. */
  tokenLifetime: number;
  /** Seconds by which the API's clock is behind the auth server's. */
  clockBehind: number;
  /** The form in which the API accepts a token: bare, as `Bearer <token>`, or in any form. */
  authScheme: 'both' | 'raw' | 'bearer';
  /** The path of the token endpoint: as it is now, as before 2024 (`/auth/realms/…`), or both. */
  tokenPath: 'both' | 'new' | 'old';
  /** Minimum duration of every API response, in milliseconds. */
  latency: number;
  /** The response to a stale etag: HTTP 200 with `errors`, or HTTP 409 with `errors`. */
  etagConflict: 'errors' | 'status';
  /** Whether the token endpoint accepts the sandbox's own API key. */
  keyEnabled: boolean;
  /** The ION Action: refuses a torque above 50 with a text of the customer's own. */
  rule: boolean;
  /**
   * This share (0 to 1) of requests is hit by one of the effects, evenly at random; those without a
   * target are for the API.
   */
  randomFaults: {
    share: number;
    effects: (FaultEffect & Partial<Pick<FaultBase, 'execute' | 'target'>>)[];
  } | null;
  /** More API requests in one second than this are answered with 429. */
  rateLimit: { perSecond: number } | null;
  /** Parts that the schema lacks, such as `RunStepField.notApplicable`; see `schemaWithout`. */
  unknown: readonly string[];
  /** The encoding of the signature of a webhook delivery. */
  webhookSignature: SignatureEncoding;
  /** Milliseconds before a webhook delivery is tried again; doubles with each try, up to 60 s. */
  webhookRetryDelay: number;
  /** Number of tries before a webhook delivery has failed. */
  webhookTries: number;
  /** Milliseconds that one try of a webhook delivery may take. */
  webhookTimeout: number;
}

interface FaultBase {
  /** The endpoint that it hits. */
  target: 'api' | 'token';
  /** Number of the next matching requests that it hits; 1 by default. */
  times?: number;
  /** A regular expression that the request's body has to match. */
  match?: string;
  /** Whether the operation runs before the fault hits its response; false by default. */
  execute?: boolean;
}

export type FaultEffect =
  | { kind: 'latency'; ms: number }
  | {
      kind: 'status';
      status: number;
      body?: string;
      headers?: Record<string, string>;
      contentType?: string;
    }
  | { kind: 'reset' }
  | { kind: 'half' }
  | { kind: 'hang' }
  | { kind: 'drip'; ms: number }
  | { kind: 'body'; body?: string; base64?: string; contentType?: string }
  | { kind: 'redirect'; location: string; status?: number }
  | { kind: 'unauthorized'; message?: string }
  | { kind: 'graphql'; errors: unknown[]; data?: unknown }
  | { kind: 'big'; bytes: number }
  | { kind: 'gzip-bomb'; bytes: number };

export type Fault = FaultBase & FaultEffect;

/** One request as it was received, without its secrets. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

export interface Counters {
  token: { total: number; ok: number; refused: number };
  api: {
    total: number;
    byOperation: Record<'query' | 'mutation' | 'other', number>;
    /** Responses by HTTP status; `none` if the connection ended without one. */
    byStatus: Record<string, number>;
    concurrent: number;
    peakConcurrent: number;
  };
  /** Number of calls of each mutation's resolver, refusals included. */
  executed: Record<string, number>;
  /** The last hundred requests to the API and the token endpoint, oldest first. */
  recent: RecordedRequest[];
}

const RECENT = 100;
const EFFECTS: { [K in FaultEffect['kind']]: Record<string, 'number' | 'string' | 'object'> } = {
  latency: { ms: 'number' },
  status: { status: 'number' },
  reset: {},
  half: {},
  hang: {},
  drip: { ms: 'number' },
  body: {},
  redirect: { location: 'string' },
  unauthorized: {},
  graphql: { errors: 'object' },
  big: { bytes: 'number' },
  'gzip-bomb': { bytes: 'number' },
};
const CHOICES: Record<'authScheme' | 'tokenPath', string[]> = {
  authScheme: ['both', 'raw', 'bearer'],
  tokenPath: ['both', 'new', 'old'],
};
const SECRETS = new Set(['client_secret', 'clientSecret', 'client_assertion', 'sharedSecret']);

/** Faults, settings and counters of one sandbox. */
export class Control {
  readonly settings: Settings;
  /** Tokens of an earlier generation are revoked. */
  tokenGeneration = 1;
  #faults: { fault: Fault; left: number; match: RegExp | undefined }[] = [];
  #counters = emptyCounters();
  readonly #random = new Random(1);
  #window = { second: 0, requests: 0 };

  constructor(tokenLifetime: number) {
    this.settings = {
      tokenLifetime,
      clockBehind: 0,
      authScheme: 'both',
      tokenPath: 'both',
      latency: 0,
      etagConflict: 'errors',
      keyEnabled: true,
      rule: false,
      randomFaults: null,
      rateLimit: null,
      unknown: [],
      maxPageSize: null,
      pageRefusal: 'first must be at most {max}.',
      opaqueCursors: false,
      webhookSignature: 'hex',
      webhookRetryDelay: 1000,
      webhookTries: 10,
      webhookTimeout: 10_000,
    };
  }

  /** Queues faults; each hits the next requests that match it, in the order they were queued. */
  fault(...faults: Fault[]): void {
    for (const fault of faults) {
      checkFault(fault);
      this.#faults.push({
        fault,
        left: fault.times ?? 1,
        match: fault.match === undefined ? undefined : new RegExp(fault.match),
      });
    }
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** Takes the fault that hits this request, if any. */
  take(target: Fault['target'], body: string): Fault | undefined {
    const hit = this.#faults.find(
      (queued) => queued.fault.target === target && (queued.match?.test(body) ?? true),
    );
    if (!hit) return this.#randomFault(target);
    hit.left--;
    if (hit.left <= 0) this.#faults.splice(this.#faults.indexOf(hit), 1);
    return hit.fault;
  }

  #randomFault(target: Fault['target']): Fault | undefined {
    const { randomFaults } = this.settings;
    const effects = randomFaults?.effects.filter((each) => (each.target ?? 'api') === target) ?? [];
    if (!randomFaults || effects.length === 0 || this.#random.next() >= randomFaults.share) {
      return undefined;
    }
    return { ...this.#random.pick(effects), target };
  }

  /** A copy of the current counters. */
  counters(): Counters {
    return structuredClone(this.#counters);
  }

  resetCounters(): void {
    const { concurrent } = this.#counters.api;
    this.#counters = emptyCounters();
    this.#counters.api.concurrent = concurrent;
    this.#counters.api.peakConcurrent = concurrent;
  }

  set(settings: Partial<Settings>): void {
    for (const key of Object.keys(settings)) {
      if (!(key in this.settings)) throw new TypeError(`There is no setting "${key}"`);
    }
    for (const [name, choices] of Object.entries(CHOICES)) {
      const chosen = settings[name as keyof typeof CHOICES];
      if (chosen === undefined || choices.includes(chosen)) continue;
      throw new TypeError(`The setting "${name}" is one of ${choices.join(', ')}`);
    }
    const { webhookSignature = 'hex' } = settings;
    if (!isSignatureEncoding(webhookSignature)) {
      throw new TypeError(`There is no signature encoding "${webhookSignature}"`);
    }
    Object.assign(this.settings, settings);
  }

  /** Every token issued so far is refused from now on. */
  revokeTokens(): void {
    this.tokenGeneration++;
  }

  /** Whether the rate limit lets one more request through. */
  admit(): boolean {
    const { rateLimit } = this.settings;
    const second = Math.floor(Date.now() / 1000);
    if (this.#window.second !== second) this.#window = { second, requests: 0 };
    this.#window.requests++;
    return rateLimit === null || this.#window.requests <= rateLimit.perSecond;
  }

  /** Counts an API request; the returned function counts its end. */
  apiRequest(exchange: Exchange): (status: number | undefined) => void {
    const { api } = this.#counters;
    const body = this.#record(exchange);
    api.total++;
    api.byOperation[operationType(body)]++;
    api.concurrent++;
    api.peakConcurrent = Math.max(api.peakConcurrent, api.concurrent);
    return (status) => {
      const key = status ?? 'none';
      api.byStatus[key] = (api.byStatus[key] ?? 0) + 1;
      // A reset in between replaces the counters.
      this.#counters.api.concurrent--;
    };
  }

  /** Counts a token request; the returned function counts its end. */
  tokenRequest(exchange: Exchange): (status: number | undefined) => void {
    const { token } = this.#counters;
    this.#record(exchange);
    token.total++;
    return (status) => {
      if (status === 200) token.ok++;
      else if (status === 400 || status === 401) token.refused++;
    };
  }

  /** A listener for every mutation that was not refused, for the process that runs the sandbox. */
  onCarriedOut: ((mutation: string, args: Record<string, unknown>) => void) | undefined;

  executed(mutation: string): void {
    this.#counters.executed[mutation] = (this.#counters.executed[mutation] ?? 0) + 1;
  }

  #record(exchange: Exchange): unknown {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(exchange.headers)) {
      headers[name] = name === 'authorization' ? schemeOf(String(value)) : String(value);
    }
    const body = parseBody(exchange);
    const { recent } = this.#counters;
    recent.push({
      method: exchange.method,
      path: exchange.path,
      headers,
      body: withoutSecrets(body),
    });
    if (recent.length > RECENT) recent.shift();
    return body;
  }
}

function emptyCounters(): Counters {
  return {
    token: { total: 0, ok: 0, refused: 0 },
    api: {
      total: 0,
      byOperation: { query: 0, mutation: 0, other: 0 },
      byStatus: {},
      concurrent: 0,
      peakConcurrent: 0,
    },
    executed: {},
    recent: [],
  };
}

function checkFault(fault: Fault): void {
  const needed = EFFECTS[fault.kind];
  if (!needed) throw new TypeError(`There is no fault "${fault.kind}"`);
  if (fault.target !== 'api' && fault.target !== 'token') {
    throw new TypeError('A fault needs a target, "api" or "token"');
  }
  for (const [name, type] of Object.entries(needed)) {
    if (typeof (fault as unknown as Record<string, unknown>)[name] !== type) {
      throw new TypeError(`A fault "${fault.kind}" needs "${name}" (${type})`);
    }
  }
}

/** Only how a token was sent: the token itself is a secret. */
export function schemeOf(authorization: string): string {
  return /^(Bearer|Token|Basic)\s/i.exec(authorization)?.[1] ?? 'raw';
}

function parseBody({ headers, body }: Exchange): unknown {
  const text = body.toString();
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withoutSecrets(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if (Array.isArray(body)) return body.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      SECRETS.has(key) ? '(hidden)' : withoutSecrets(value),
    ]),
  );
}

function operationType(body: unknown): 'query' | 'mutation' | 'other' {
  const query = typeof body === 'object' && body !== null && 'query' in body ? body.query : null;
  if (typeof query !== 'string') return 'other';
  const text = query.replaceAll(/#.*/g, '');
  const keyword = /(?:^|\})\s*(query|mutation|subscription)\b/.exec(text)?.[1];
  if (keyword === 'mutation') return 'mutation';
  return keyword === 'subscription' ? 'other' : 'query';
}
