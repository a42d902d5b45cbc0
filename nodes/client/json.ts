/** What JSON writes as an object, unlike a list, but also unlike a Buffer, a Map or a Date. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Nesting up to which JSON is parsed: what walks through the values may call itself for each level. */
export const MAX_JSON_DEPTH = 200;

/** What parsing a JSON text would make, seen before it is parsed. */
export interface JsonShape {
  /** Levels of lists and objects. */
  depth: number;
  /** Commas, colons and opening brackets: at least as many as there are keys and entries. */
  values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Measures a text in one pass; of a text that is no JSON the numbers mean nothing. */
export function jsonShape(text: string): JsonShape {
  const { length } = text;
  let depth = 0;
  let level = 0;
  let values = 0;
  for (let index = 0; index < length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index + 1);
        break;
      case COMMA:
      case COLON:
        values++;
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        values++;
        level++;
        if (level > depth) depth = level;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
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
    if (code === QUOTE) break;
    if (code === BACKSLASH) index++;
  }
  return index;
}
