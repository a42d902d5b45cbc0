import { cut, type IonError, MAX_REASON } from '../errors.js';
import { weightOf } from '../support/json-size.js';

const MASK = '***';
/** Shorter secrets would mask ordinary words of a message. */
const MIN_SECRET_LENGTH = 4;
/** A piece of a secret, anywhere in a text, is masked from this length on, in characters. */
const PIECE_LENGTH = 12;
/** Longer secrets are tokens, which nobody puts into base64 once more. */
const MAX_ENCODED_LENGTH = 256;
/** The client secret, the current token and the one before it. */
const MAX_KEPT_SECRETS = 3;
/** Levels of an error of ION, and causes of causes. */
const MAX_DEPTH = 8;
/** Levels of an answer; more than one can have. */
const MAX_DATA_DEPTH = 500;
/** Properties of an error that hold words of this package only, by which others decide. */
const OWN_WORDS: ReadonlySet<string> = new Set(['name', 'code', 'origin']);
/** Weight of an object in which pieces of secrets are looked for without a long stop; see `weightOf`. */
const MAX_WEIGHT = 2000;
/** How often escapes are resolved: JSON may stand in JSON, and a URL in a URL. */
const MAX_ESCAPED = 2;
/** Longest stack of a cause, in characters: its text and some lines of code. */
const MAX_STACK = 2 * MAX_REASON;

/** As `Redactor` does it, for one error. */
export function withoutSecrets(error: IonError, secrets: readonly string[]): IonError {
  return new Redactor().withoutSecrets(error, secrets);
}

/** Masks secrets in errors; keeps what it made of the last ones, until it is closed. */
export class Redactor {
  #kept: Sought | undefined;
  #isClosed = false;

  /**
   * A copy of the error in which no text holds one of the secrets or a piece of it, the cause chain
   * and the errors of parts included. Causes keep only name, code and message: what else libraries
   * hang on them (request headers, sockets, whole answers) can hold a secret and helps nobody in a
   * flow. An object of ION that is too large to be searched for pieces is left out if it holds a
   * secret.
   */
  withoutSecrets(error: IonError, secrets: readonly string[]): IonError {
    const sought = this.#soughtFor(secrets);
    const mask = (text: string) => masked(text, rangesOf(text, sought));
    const clean = (name: string, value: unknown): unknown => {
      if (OWN_WORDS.has(name)) return value;
      if (name === 'errors') return maskDeep(value, mask, MAX_DEPTH + 1);
      if (name === 'parts') {
        return (value as IonError[]).map((part) => this.withoutSecrets(part, secrets));
      }
      return maskBounded(value, mask, sought.secrets);
    };
    // Whatever properties there are, so that none is lost or shown as it is.
    const properties = Object.entries(error).filter(([, value]) => value !== undefined);
    const { stack, cause } = error;
    const copy = error.with({
      ...Object.fromEntries(properties.map(([name, value]) => [name, clean(name, value)])),
      message: mask(error.message),
      ...(stack !== undefined && { stack: mask(stack) }),
    });
    if (cause !== undefined) copy.cause = plainCause(cause, mask, 0);
    return copy;
  }

  /** Forgets the secrets; errors that come later are masked as well. */
  close(): void {
    this.#isClosed = true;
    this.#kept = undefined;
  }

  /** The secrets that it keeps in memory. */
  get kept(): readonly string[] {
    return [...(this.#kept?.secrets ?? [])];
  }

  #soughtFor(secrets: readonly string[]): Sought {
    const kept = this.#kept;
    if (kept && secrets.every((secret) => kept.secrets.has(secret))) return kept;
    const sought = soughtFor(secrets);
    const isFew = sought.secrets.size <= MAX_KEPT_SECRETS;
    this.#kept = isFew && !this.#isClosed ? sought : undefined;
    return sought;
  }
}

/** Whether the text holds the secret or a piece of it, both as they are. */
export function showsPiece(text: string, secret: string): boolean {
  if (secret.length < PIECE_LENGTH) return secret !== '' && text.includes(secret);
  for (let at = 0; at <= text.length - PIECE_LENGTH; at++) {
    if (secret.includes(text.slice(at, at + PIECE_LENGTH))) return true;
  }
  return false;
}

/** What is looked for in a text. */
interface Sought {
  secrets: Set<string>;
  /** Forms that are too short to have pieces, the longest first. */
  short: string[];
  /** All pieces of the other forms, without capitals. A set of texts, so that no hash can be made to collide. */
  pieces: Set<string>;
  /** For texts that were cut, without capitals as well. */
  beginnings: Stumps;
  ends: Stumps;
}

function soughtFor(secrets: readonly string[]): Sought {
  const sought: Sought = {
    secrets: new Set(secrets),
    short: [],
    pieces: new Set(),
    beginnings: new Stumps(),
    ends: new Stumps(),
  };
  const { short, pieces, beginnings, ends } = sought;
  for (const secret of sought.secrets) {
    for (const form of secret.length < MIN_SECRET_LENGTH ? [] : formsOf(secret)) {
      if (form.length < PIECE_LENGTH) short.push(form);
      for (let at = 0; at <= form.length - PIECE_LENGTH; at++) {
        pieces.add(form.slice(at, at + PIECE_LENGTH));
      }
      addStumps(folded(form), beginnings, ends);
    }
  }
  short.sort((a, b) => b.length - a.length);
  return sought;
}

function addStumps(form: string, beginnings: Stumps, ends: Stumps): void {
  const longest = Math.min(PIECE_LENGTH, form.length) - 1;
  for (let length = MIN_SECRET_LENGTH; length <= longest; length++) {
    const beginning = form.slice(0, length);
    const end = form.slice(-length);
    beginnings.add(beginning, beginning.slice(-MIN_SECRET_LENGTH));
    ends.add(end, end.slice(0, MIN_SECRET_LENGTH));
  }
}

/**
 * The forms in which a server may repeat a secret, long ones without capitals. Most escapes need no
 * form, because texts are searched without their escapes as well.
 */
function formsOf(secret: string): Set<string> {
  const forms = new Set([secret]);
  // A quote folds blanks, and a form writes them as "+".
  forms.add(secret.replace(/\s+/g, ' ').trim());
  forms.add(secret.replaceAll(' ', '+'));
  // Without its percent signs, a URL holds the bytes of UTF-8.
  forms.add(Buffer.from(secret).toString('latin1'));
  if (secret.length >= PIECE_LENGTH) forms.add(secret.toUpperCase());
  if (secret.length <= MAX_ENCODED_LENGTH) {
    // The secret itself may look like an escape, which is then gone from a text without escapes.
    const percent = encodeURIComponent(secret);
    const form = new URLSearchParams({ secret }).toString().slice('secret='.length);
    for (const each of [percent, form]) {
      forms.add(each);
      forms.add(each.replace(/%[0-9A-F]{2}/g, lowerCase));
    }
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(secret.replace(/[&<>"']/g, (character) => HTML[character] ?? character));
    for (const each of encoded(Buffer.from(secret))) {
      if (each.length >= PIECE_LENGTH) forms.add(each);
    }
  }
  const long = [...forms].map((form) => (form.length < PIECE_LENGTH ? form : folded(form)));
  return new Set(long.filter((form) => form.length >= MIN_SECRET_LENGTH));
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

/** Without capitals, each character in its place: "İ" would become two, and "Σ" depends on its place. */
function folded(text: string): string {
  return text.replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ');
}

/** Hex, and base64 at each of the three offsets that the bytes can have in a longer text. */
function* encoded(bytes: Buffer): Generator<string> {
  yield bytes.toString('hex');
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

/** A text as it is or without its escapes, and where in the original text each character begins. */
interface View {
  text: string;
  /** Has one more entry, for the end; none where the text is the original one. */
  places?: Uint32Array;
}

/** The places of secrets, and of pieces of them, in a text. */
function rangesOf(text: string, sought: Sought): Range[] {
  const ranges: Range[] = [];
  let view: View | undefined = { text };
  for (let escaped = 0; view && escaped <= MAX_ESCAPED; escaped++) {
    const { places } = view;
    const add = (begin: number, end: number) =>
      ranges.push(places ? [Number(places[begin]), Number(places[end])] : [begin, end]);
    const plain = folded(view.text);
    findShort(view.text, sought, add);
    findPieces(plain, sought, add);
    findCut(plain, sought, add);
    view = withoutEscapes(view);
  }
  return ranges;
}

type Add = (begin: number, end: number) => void;

function findShort(text: string, { short }: Sought, add: Add): void {
  for (const form of short) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
      add(at, at + form.length);
    }
  }
}

/** A longer match is a row of pieces that overlap. */
function findPieces(text: string, { pieces }: Sought, add: Add): void {
  if (pieces.size === 0) return;
  let begin = 0;
  let end = 0;
  for (let at = 0; at <= text.length - PIECE_LENGTH; at++) {
    if (!pieces.has(text.slice(at, at + PIECE_LENGTH))) continue;
    if (at > end) {
      if (end > 0) add(begin, end);
      begin = at;
    }
    end = at + PIECE_LENGTH;
  }
  if (end > 0) add(begin, end);
}

/** A text may have been cut, before or behind its "…", in the middle of a secret. */
function findCut(text: string, { beginnings, ends }: Sought, add: Add): void {
  for (const mark of ['…', '...']) {
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
      const left = beginnings.longest((length) => text.slice(Math.max(0, at - length), at));
      if (left > 0) add(at - left, at);
      const behind = at + mark.length;
      const right = ends.longest((length) => text.slice(behind, behind + length));
      if (right > 0) add(behind, behind + right);
    }
  }
}

/** Beginnings, or ends, of secrets that are shorter than a piece. */
class Stumps {
  readonly #all = new Set<string>();
  /** The part of each that is next to the cut: most texts are not looked at further. */
  readonly #nearest = new Set<string>();

  add(stump: string, nearest: string): void {
    this.#all.add(stump);
    this.#nearest.add(nearest);
  }

  /** The length of the longest one that a text has beside its cut, else 0. */
  longest(beside: (length: number) => string): number {
    if (!this.#nearest.has(beside(MIN_SECRET_LENGTH))) return 0;
    for (let length = PIECE_LENGTH - 1; length >= MIN_SECRET_LENGTH; length--) {
      const text = beside(length);
      if (text.length === length && this.#all.has(text)) return length;
    }
    return 0;
  }
}

/** Escapes of URLs, of HTML, and of JSON and JavaScript. */
const ESCAPE =
  /%[\da-f]{2}|&#\d{1,9};|&#x[\da-f]{1,8};|&(?:amp|lt|gt|quot|apos);|\\(?:u[\da-f]{4}|x[\da-f]{2}|["'\\/bfnrt])/gi;

/** `undefined` where the text has no escapes. */
function withoutEscapes({ text, places }: View): View | undefined {
  const place = (at: number) => (places ? Number(places[at]) : at);
  const found = new Uint32Array(text.length + 1);
  let result = '';
  let done = 0;
  const copyUntil = (end: number) => {
    for (let at = done; at < end; at++) found[result.length + at - done] = place(at);
    result += text.slice(done, end);
  };
  for (const { 0: sequence, index } of text.matchAll(ESCAPE)) {
    copyUntil(index);
    const character = resolved(sequence);
    for (let unit = 0; unit < character.length; unit++) found[result.length + unit] = place(index);
    result += character;
    done = index + sequence.length;
  }
  if (done === 0) return undefined;
  copyUntil(text.length);
  found[result.length] = place(text.length);
  return { text: result, places: found };
}

const NAMED: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '\\b': '\b',
  '\\f': '\f',
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
};
const MAX_CODE_POINT = 0x10ffff;

/** The character, or characters, for which an escape stands. */
function resolved(sequence: string): string {
  const name = sequence.toLowerCase();
  const named = NAMED[name];
  if (named !== undefined) return named;
  const digits = /^(?:%|&#x|\\u|\\x)([\da-f]+)/.exec(name)?.[1];
  if (digits === undefined && !name.startsWith('&#')) return sequence.slice(1);
  const code =
    digits === undefined ? Number.parseInt(name.slice(2), 10) : Number.parseInt(digits, 16);
  return code > MAX_CODE_POINT ? ' ' : String.fromCodePoint(code);
}

/** Each range becomes one mask; ranges that overlap become one range. */
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

/** @param depth levels that are kept */
function maskDeep(value: unknown, mask: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask, depth - 1)]),
  );
}

/** For what may be as large as an answer of ION. */
function maskBounded(
  value: unknown,
  mask: (text: string) => string,
  secrets: ReadonlySet<string>,
): unknown {
  if (weightOf(value, MAX_WEIGHT) <= MAX_WEIGHT) return maskDeep(value, mask, MAX_DATA_DEPTH);
  const sought = [...secrets].filter((secret) => secret.length >= MIN_SECRET_LENGTH);
  const minLength = Math.min(...sought.map((secret) => secret.length));
  return holdsAny(value, sought, minLength, MAX_DATA_DEPTH) ? undefined : value;
}

/** Whether a text or a name holds one of the secrets as it is; fast, because it makes one stop. */
function holdsAny(
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
    for (const item of value) if (holdsAny(item, secrets, minLength, depth - 1)) return true;
    return false;
  }
  for (const key of Object.keys(value)) {
    if (key.length >= minLength && holdsAny(key, secrets, minLength, depth)) return true;
    const item = (value as Record<string, unknown>)[key];
    if (holdsAny(item, secrets, minLength, depth - 1)) return true;
  }
  return false;
}

function plainCause(cause: unknown, mask: (text: string) => string, depth: number): unknown {
  if (cause === undefined || depth >= MAX_DEPTH) return undefined;
  if (!(cause instanceof Error))
    return typeof cause === 'string' ? mask(cut(cause, MAX_REASON)) : undefined;
  const inner = plainCause(cause.cause, mask, depth + 1);
  const plain = new Error(
    mask(cut(cause.message, MAX_REASON)),
    inner === undefined ? undefined : { cause: inner },
  );
  plain.name = cause.name;
  if (cause.stack !== undefined) plain.stack = mask(cut(cause.stack, MAX_STACK));
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') Object.assign(plain, { code });
  return plain;
}
