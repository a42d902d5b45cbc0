import { type GraphqlError, IonError } from './errors.js';
import { Recent } from './recent.js';

const MASK = '***';
/** Shorter secrets would mask ordinary words of a message. */
const MIN_SECRET_LENGTH = 4;
/** A piece of a secret, anywhere in a text, is masked from this length on, in characters. */
const PIECE_LENGTH = 12;
/** Longer secrets are tokens, which nobody encodes once more. */
const MAX_ENCODED_LENGTH = 256;
const MAX_DEPTH = 8;
const SECRET_CACHE_SIZE = 16;

/**
 * A copy of the error in which no text holds one of the secrets or a piece of it, the cause chain
 * included. Causes keep only name, code and message: what else libraries hang on them (request
 * headers, sockets, whole answers) can hold a secret and helps nobody in a flow.
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

/** A secret in all forms in which a server may repeat it. */
interface Secret {
  forms: string[];
  /** Hashes of all pieces of the forms. */
  pieces: Set<number>;
  /** Beginnings of the forms that are too short for a piece, for texts that were cut off. */
  beginnings: Set<string>;
}

const known = new Recent<string, Secret>(SECRET_CACHE_SIZE);

function secretOf(text: string): Secret {
  const cached = known.get(text);
  if (cached) return cached;
  const forms = formsOf(text);
  const pieces = new Set<number>();
  const beginnings = new Set<string>();
  for (const form of forms) {
    forEachPiece(form, (hash) => pieces.add(hash));
    for (let length = MIN_SECRET_LENGTH; length < Math.min(PIECE_LENGTH, form.length); length++) {
      beginnings.add(form.slice(0, length));
    }
  }
  const secret = { forms, pieces, beginnings };
  known.set(text, secret);
  return secret;
}

/** The longest first. */
function formsOf(secret: string): string[] {
  const percent = encodeURIComponent(secret);
  // A server may echo the request body, in which the secret stands form-encoded.
  const form = new URLSearchParams({ secret }).toString().slice('secret='.length);
  const forms = new Set([secret, percent, form, JSON.stringify(secret).slice(1, -1)]);
  for (const each of [percent, form]) forms.add(each.replace(/%[0-9A-F]{2}/g, lowerCase));
  forms.add(secret.replace(/[&<>"']/g, (character) => HTML[character] ?? character));
  if (secret.length <= MAX_ENCODED_LENGTH) {
    for (const each of encoded(Buffer.from(secret))) {
      if (each.length >= PIECE_LENGTH) forms.add(each);
    }
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

const HTML: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function lowerCase(text: string): string {
  return text.toLowerCase();
}

/** Hex, and base64 at each of the three offsets that the bytes can have in a longer text. */
function* encoded(bytes: Buffer): Generator<string> {
  const hex = bytes.toString('hex');
  yield hex;
  yield hex.toUpperCase();
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 4) / 3);
    // The last character also holds bits of what follows.
    const whole = Math.floor((padded.length * 8) / 6);
    yield padded.toString('base64').slice(first, whole);
    yield padded.toString('base64url').slice(first, whole);
  }
}

type Range = [begin: number, end: number];

function masker(secrets: readonly string[]): (text: string) => string {
  const all = [...new Set(secrets)]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .map((secret) => secretOf(secret));
  return (text) => {
    const ranges = all.flatMap((secret) => rangesOf(text, secret));
    return withoutCutSecret(masked(text, ranges), all);
  };
}

/** The places of a secret, and of pieces of it, in a text. */
function rangesOf(text: string, { forms, pieces }: Secret): Range[] {
  const ranges: Range[] = [];
  for (const form of forms) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
      ranges.push([at, at + form.length]);
    }
  }
  const whole = ranges.sort(byBegin).values();
  let [begin, end] = nextOf(whole);
  forEachPiece(text, (hash, at) => {
    while (end < at + PIECE_LENGTH) [begin, end] = nextOf(whole);
    // This piece belongs to a form that was found whole.
    if (at >= begin || !pieces.has(hash)) return;
    const piece = text.slice(at, at + PIECE_LENGTH);
    if (forms.some((form) => form.includes(piece))) ranges.push([at, at + PIECE_LENGTH]);
  });
  return ranges;
}

function nextOf(ranges: Iterator<Range>): Range {
  const { value, done } = ranges.next();
  return done ? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] : value;
}

function byBegin([a]: Range, [b]: Range): number {
  return a - b;
}

/** Each range becomes one mask; ranges that overlap become one range. */
function masked(text: string, ranges: Range[]): string {
  ranges.sort(byBegin);
  let result = '';
  let at = 0;
  for (const [begin, end] of ranges) {
    if (begin >= at) result += text.slice(at, begin) + MASK;
    at = Math.max(at, end);
  }
  return result + text.slice(at);
}

const BASE = 31;
/** `BASE ** PIECE_LENGTH`, modulo 2 ** 32. */
let highest = 1;
for (let count = 0; count < PIECE_LENGTH; count++) highest = Math.imul(highest, BASE);

/** Hashes of all pieces of a text, each made of the one before (Rabin-Karp). */
function forEachPiece(text: string, visit: (hash: number, at: number) => void): void {
  let hash = 0;
  for (let end = 0; end < text.length; end++) {
    hash = (Math.imul(hash, BASE) + text.charCodeAt(end)) | 0;
    if (end >= PIECE_LENGTH)
      hash = (hash - Math.imul(highest, text.charCodeAt(end - PIECE_LENGTH))) | 0;
    if (end >= PIECE_LENGTH - 1) visit(hash, end - PIECE_LENGTH + 1);
  }
}

/** A quote that was cut short (at its "…") may end in the middle of a secret. */
function withoutCutSecret(text: string, secrets: readonly Secret[]): string {
  const quotes = text.split('…');
  const rest = quotes.pop();
  return [...quotes.map((quote) => withoutBeginning(quote, secrets)), rest].join('…');
}

function withoutBeginning(quote: string, secrets: readonly Secret[]): string {
  for (
    let length = Math.min(PIECE_LENGTH - 1, quote.length);
    length >= MIN_SECRET_LENGTH;
    length--
  ) {
    const end = quote.slice(-length);
    if (secrets.some(({ beginnings }) => beginnings.has(end))) {
      return quote.slice(0, -length) + MASK;
    }
  }
  return quote;
}

function maskDeep(value: unknown, mask: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask, depth + 1)]),
  );
}

function plainCause(cause: unknown, mask: (text: string) => string, depth: number): unknown {
  if (cause === undefined || depth >= MAX_DEPTH) return undefined;
  if (!(cause instanceof Error)) return typeof cause === 'string' ? mask(cause) : undefined;
  const inner = plainCause(cause.cause, mask, depth + 1);
  const plain = new Error(mask(cause.message), inner === undefined ? undefined : { cause: inner });
  plain.name = cause.name;
  if (cause.stack !== undefined) plain.stack = mask(cause.stack);
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') Object.assign(plain, { code });
  return plain;
}
