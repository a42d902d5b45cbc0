/** Limit for levels of nesting, because Node-RED copies messages recursively. */
export const MAX_JSON_DEPTH = 200;

/** Character codes of JSON's syntax. */
export const Sign = {
  Quote: 0x22,
  Backslash: 0x5c,
  Comma: 0x2c,
  Minus: 0x2d,
  Colon: 0x3a,
  OpenArray: 0x5b,
  CloseArray: 0x5d,
  OpenObject: 0x7b,
  CloseObject: 0x7d,
} as const;

const BYTE_ORDER_MARK = 0xfeff;

/** Well-formed JSON that is nested too deeply or has too many values. */
export class JsonLimitError extends Error {}

/** JSON with too many values, of which a part may be short enough. */
export class JsonSizeError extends JsonLimitError {}

/** Whether JSON represents the value as an object. False for a list, a Buffer, a Map or a Date. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/**
 * Parses foreign JSON that is short enough to be parsed at once.
 * @throws SyntaxError, or JsonLimitError beyond 200 levels
 */
export function parseShortJson(text: string): unknown {
  const json = withoutMark(text);
  const value = parseExactly(json);
  // A text with few brackets cannot be nested too deeply.
  if (hasManyBrackets(json)) checkDepth(value);
  return value;
}

/**
 * Like `JSON.parse`, but whole numbers beyond `Number.MAX_SAFE_INTEGER` become text. As numbers
 * they would be rounded, and an ID would become that of another object.
 */
export function parseExactly(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return mayHoldLongInteger(json) ? JSON.parse(withLongIntegersAsText(json)) : value;
}

/** Like `Number`, but a whole number that would be rounded stays text. */
export function numberExactly(text: string): number | string {
  const number = Number(text);
  const isRounded = /^[+-]?\d+$/.test(text.trim()) && !Number.isSafeInteger(number);
  return isRounded ? text.trim() : number;
}

/** Number of digits of `Number.MAX_SAFE_INTEGER`. A whole number with fewer digits is exact. */
const LONG_DIGITS = 16;

/** Tests each 16th character, which is enough to find each run of 16 digits. */
function mayHoldLongInteger(json: string): boolean {
  for (let at = LONG_DIGITS - 1; at < json.length; at += LONG_DIGITS) {
    if (!isDigit(json, at)) continue;
    let begin = at;
    while (at - begin < LONG_DIGITS && isDigit(json, begin - 1)) begin--;
    let end = at + 1;
    while (end - begin < LONG_DIGITS && isDigit(json, end)) end++;
    // Etags and other texts contain such runs as well, after a quote or a letter.
    if (end - begin >= LONG_DIGITS && !/[\w".]/.test(json.charAt(begin - 1))) return true;
  }
  return false;
}

/** @param json must be valid */
function withLongIntegersAsText(json: string): string {
  const pieces: string[] = [];
  let taken = 0;
  for (let at = 0; at < json.length; at++) {
    if (json.charCodeAt(at) === Sign.Quote) {
      at = endOfString(json, at + 1);
      continue;
    }
    if (!isDigit(json, at)) continue;
    const begin = json.charCodeAt(at - 1) === Sign.Minus ? at - 1 : at;
    while (isDigit(json, at)) at++;
    const isWhole = !/[.e]/i.test(json.charAt(at));
    // Fraction and exponent.
    while (/[\d.e+-]/i.test(json.charAt(at))) at++;
    const number = json.slice(begin, at);
    at--;
    if (!isWhole || Number.isSafeInteger(Number(number))) continue;
    pieces.push(json.slice(taken, begin), '"', number, '"');
    taken = begin + number.length;
  }
  pieces.push(json.slice(taken));
  return pieces.join('');
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** Some servers write a byte order mark before their JSON. */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** @throws JsonLimitError */
export function checkDepth(value: unknown, maxDepth = MAX_JSON_DEPTH): void {
  if (typeof value !== 'object' || value === null) return;
  if (maxDepth === 0) throw tooDeep();
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    checkDepth(item, maxDepth - 1);
  }
}

function hasManyBrackets(json: string): boolean {
  let count = 0;
  for (const bracket of ['[', '{']) {
    for (let at = json.indexOf(bracket); at >= 0; at = json.indexOf(bracket, at + 1)) {
      if (++count > MAX_JSON_DEPTH) return true;
    }
  }
  return false;
}

export function tooDeep(): JsonLimitError {
  return new JsonLimitError(`It is nested deeper than ${MAX_JSON_DEPTH} levels.`);
}

/** Sets `__proto__` like any other property, as JSON.parse does. */
export function setProperty(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}

/** The size of a JSON value, measured in its text before it is parsed. */
export interface JsonShape {
  /** Levels of lists and objects. */
  depth: number;
  /** Number of commas, colons and opening brackets: an upper limit for keys and entries. */
  values: number;
}

/** Measures a JSON text in one pass. The result is meaningless for any other text. */
export function jsonShape(text: string): JsonShape {
  const { length } = text;
  let depth = 0;
  let level = 0;
  let values = 0;
  for (let index = 0; index < length; index++) {
    switch (text.charCodeAt(index)) {
      case Sign.Quote:
        index = endOfString(text, index + 1);
        break;
      case Sign.Comma:
      case Sign.Colon:
        values++;
        break;
      case Sign.OpenArray:
      case Sign.OpenObject:
        values++;
        level++;
        if (level > depth) depth = level;
        break;
      case Sign.CloseArray:
      case Sign.CloseObject:
        level--;
        break;
      default:
    }
  }
  return { depth, values };
}

/** The index of the quote that ends a string, or the end of the text. */
function endOfString(text: string, from: number): number {
  let index = from;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === Sign.Quote) break;
    if (code === Sign.Backslash) index++;
  }
  return index;
}
