import { type GraphqlError, IonError } from './errors.js';

const MASK = '***';
/** Shorter secrets would mask ordinary words of a message. */
const SHORTEST_SECRET = 4;
const DEEPEST = 8;

/**
 * A copy of the error in which no text holds one of the secrets, the cause chain included.
 * Causes keep only name, code and message: what else libraries hang on them (request headers,
 * sockets, whole answers) can hold a secret and helps nobody in a flow.
 */
export function withoutSecrets(error: IonError, secrets: readonly string[]): IonError {
  const mask = masker(secrets);
  const copy = new IonError(error.code, mask(error.message), {
    cause: plainCause(error.cause, mask, 0),
    status: error.status,
    errors: error.errors?.map((entry) => maskDeep(entry, mask, 0) as GraphqlError),
    data: error.data,
    retryAfterMs: error.retryAfterMs,
    traceId: error.traceId === undefined ? undefined : mask(error.traceId),
    transient: error.transient,
    mayHaveRun: error.mayHaveRun,
  });
  copy.isUncertain = error.isUncertain;
  copy.attempts = error.attempts;
  copy.pages = error.pages;
  if (error.stack !== undefined) copy.stack = mask(error.stack);
  return copy;
}

function masker(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST_SECRET) continue;
    // A server may echo the request body, in which the secret stands form-encoded.
    forms.add(secret).add(encodeURIComponent(secret)).add(formEncoded(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    withoutCutSecret(
      longestFirst.reduce((masked, form) => masked.replaceAll(form, MASK), text),
      longestFirst,
    );
}

function formEncoded(secret: string): string {
  return new URLSearchParams({ secret }).toString().slice('secret='.length);
}

/** A quote that was cut short (at its "…") may end in the middle of a secret. */
function withoutCutSecret(text: string, forms: readonly string[]): string {
  const quotes = text.split('…');
  const rest = quotes.pop();
  return [...quotes.map((quote) => withoutSecretsBegin(quote, forms)), rest].join('…');
}

function withoutSecretsBegin(quote: string, forms: readonly string[]): string {
  for (const form of forms) {
    const longest = Math.min(form.length - 1, quote.length);
    for (let length = longest; length >= SHORTEST_SECRET; length--) {
      if (quote.endsWith(form.slice(0, length))) return quote.slice(0, -length) + MASK;
    }
  }
  return quote;
}

function maskDeep(value: unknown, mask: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return undefined;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask, depth + 1)]),
  );
}

function plainCause(cause: unknown, mask: (text: string) => string, depth: number): unknown {
  if (cause === undefined || depth >= DEEPEST) return undefined;
  if (!(cause instanceof Error)) return typeof cause === 'string' ? mask(cause) : undefined;
  const inner = plainCause(cause.cause, mask, depth + 1);
  const plain = new Error(mask(cause.message), inner === undefined ? undefined : { cause: inner });
  plain.name = cause.name;
  if (cause.stack !== undefined) plain.stack = mask(cause.stack);
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') Object.assign(plain, { code });
  return plain;
}
