import { Random } from '../data/random.js';
import type { Exchange } from '../http/exchange.js';
import { checkFault, type Fault, type FieldFault } from './fault.js';
import { checkSettings, defaultSettings, type Settings } from './settings.js';

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
    this.settings = { ...defaultSettings(), tokenLifetime };
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
    if (!hit) return this.#randomFault(target, body);
    hit.left--;
    if (hit.left <= 0) this.#faults.splice(this.#faults.indexOf(hit), 1);
    return hit.fault;
  }

  #randomFault(target: Fault['target'], body: string): Fault | undefined {
    const { randomFaults } = this.settings;
    const effects = randomFaults?.effects.filter(
      (each) => (each.target ?? 'api') === target && (!each.match || RegExp(each.match).test(body)),
    );
    if (!randomFaults || !effects?.length || this.#random.next() >= randomFaults.share) {
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
    checkSettings(settings);
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

  /** The fault that a mutation has, if any. */
  fieldFault(args: Record<string, unknown>): FieldFault | undefined {
    return this.settings.fieldFaults.find(({ match, share = 1 }) => {
      if (match !== undefined && !new RegExp(match).test(JSON.stringify(args))) return false;
      return share >= 1 || this.#random.next() < share;
    });
  }

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
