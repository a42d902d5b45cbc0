import { cut, type IonError, MAX_REASON } from '../errors.js';
import { weightOf } from '../support/json-size.js';
import { MIN_SECRET_LENGTH } from './secret-forms.js';
import { type Range, SecretSearch } from './secret-search.js';

const MASK = '***';
/** Number of secrets whose search is cached: the client secret, the current and the last token. */
const MAX_CACHED_SECRETS = 3;
/** Limit for the levels of an error of ION, and for causes of causes. */
const MAX_DEPTH = 8;
/** Limit for the levels of data. A response has fewer. */
const MAX_DATA_DEPTH = 500;
/** Properties of an error with texts of this package, by which code decides. */
const OWN_TEXTS: ReadonlySet<string> = new Set(['name', 'code', 'origin']);
/** Limit for data that is searched for pieces without blocking the event loop; see `weightOf`. */
const MAX_WEIGHT = 2000;
/** Limit for the stack of a cause, in characters: its message and some lines of code. */
const MAX_STACK = 2 * MAX_REASON;

type Mask = (text: string) => string;

/** Masks the secrets in one error, as `Redactor` does. */
export function withoutSecrets(error: IonError, secrets: readonly string[]): IonError {
  return new Redactor().withoutSecrets(error, secrets);
}

/** Masks secrets in errors. It caches the search for the last secrets until it is closed. */
export class Redactor {
  #cached: SecretSearch | undefined;
  #isClosed = false;

  /**
   * A copy of the error in which no text contains a secret or a piece of it, causes and parts
   * included. Causes keep only name, code, message and stack, because their other properties
   * (request headers, sockets, whole responses) can hold a secret. Data that is too large to be
   * searched for pieces is omitted if it contains a secret.
   */
  withoutSecrets(error: IonError, secrets: readonly string[]): IonError {
    const search = this.#searchFor(secrets);
    const mask = (text: string) => masked(text, search.rangesIn(text));
    const clean = (name: string, value: unknown): unknown => {
      if (OWN_TEXTS.has(name)) return value;
      if (name === 'errors') return maskDeep(value, mask, MAX_DEPTH + 1);
      if (name === 'parts') {
        return (value as IonError[]).map((part) => this.withoutSecrets(part, secrets));
      }
      return maskBounded(value, mask, search.secrets);
    };
    // Covers all properties, so that a new one is neither lost nor shown with a secret.
    const properties = Object.entries(error).filter(([, value]) => value !== undefined);
    const { stack, cause } = error;
    return error.with({
      ...Object.fromEntries(properties.map(([name, value]) => [name, clean(name, value)])),
      message: mask(error.message),
      cause: maskCause(cause, mask, 0),
      ...(stack !== undefined && { stack: mask(stack) }),
    });
  }

  /** A text in which secrets, and pieces of them, are masked. */
  textWithoutSecrets(text: string, secrets: readonly string[]): string {
    return masked(text, this.#searchFor(secrets).rangesIn(text));
  }

  /** A copy of data in which secrets are masked; `undefined` as in an error. */
  valueWithoutSecrets(value: unknown, secrets: readonly string[]): unknown {
    const search = this.#searchFor(secrets);
    const mask = (text: string) => masked(text, search.rangesIn(text));
    return maskBounded(value, mask, search.secrets);
  }

  /** Forgets the secrets. Later errors are still masked. */
  close(): void {
    this.#isClosed = true;
    this.#cached = undefined;
  }

  /** The secrets in its memory, for tests. */
  get cachedSecrets(): readonly string[] {
    return [...(this.#cached?.secrets ?? [])];
  }

  #searchFor(secrets: readonly string[]): SecretSearch {
    const cached = this.#cached;
    if (cached && secrets.every((secret) => cached.secrets.has(secret))) return cached;
    const search = new SecretSearch(secrets);
    const isCached = search.secrets.size <= MAX_CACHED_SECRETS && !this.#isClosed;
    this.#cached = isCached ? search : undefined;
    return search;
  }
}

/** The text with a mask for each range, or for ranges that overlap. */
function masked(text: string, ranges: Range[]): string {
  ranges.sort(([a], [b]) => a - b);
  let result = '';
  let at = 0;
  for (const [begin, end] of ranges) {
    if (begin >= at) result += text.slice(at, begin) + MASK;
    at = Math.max(at, end);
  }
  return result + text.slice(at);
}

/** @param depth number of levels; deeper values are omitted */
function maskDeep(value: unknown, mask: Mask, depth: number): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask, depth - 1)]),
  );
}

/** Masks data that may be as large as a response. */
function maskBounded(value: unknown, mask: Mask, secrets: ReadonlySet<string>): unknown {
  if (weightOf(value, MAX_WEIGHT) <= MAX_WEIGHT) return maskDeep(value, mask, MAX_DATA_DEPTH);
  const longEnough = [...secrets].filter((secret) => secret.length >= MIN_SECRET_LENGTH);
  const minLength = Math.min(...longEnough.map((secret) => secret.length));
  return containsAny(value, longEnough, minLength, MAX_DATA_DEPTH) ? undefined : value;
}

/** Whether a text or a key contains an unencoded secret. A fast test, because it never pauses. */
function containsAny(
  value: unknown,
  secrets: readonly string[],
  minLength: number,
  depth: number,
): boolean {
  if (typeof value === 'string') {
    return value.length >= minLength && secrets.some((secret) => value.includes(secret));
  }
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (containsAny(item, secrets, minLength, depth - 1)) return true;
    return false;
  }
  for (const key of Object.keys(value)) {
    if (key.length >= minLength && containsAny(key, secrets, minLength, depth)) return true;
    const item = (value as Record<string, unknown>)[key];
    if (containsAny(item, secrets, minLength, depth - 1)) return true;
  }
  return false;
}

function maskCause(cause: unknown, mask: Mask, depth: number): unknown {
  if (cause === undefined || depth >= MAX_DEPTH) return undefined;
  if (!(cause instanceof Error))
    return typeof cause === 'string' ? mask(cut(cause, MAX_REASON)) : undefined;
  const inner = maskCause(cause.cause, mask, depth + 1);
  const copy = new Error(
    mask(cut(cause.message, MAX_REASON)),
    inner === undefined ? undefined : { cause: inner },
  );
  copy.name = cause.name;
  if (cause.stack !== undefined) copy.stack = mask(cut(cause.stack, MAX_STACK));
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') Object.assign(copy, { code });
  return copy;
}
