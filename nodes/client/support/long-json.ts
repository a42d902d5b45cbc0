import {
  JsonLimitError,
  JsonSizeError,
  MAX_JSON_DEPTH,
  parseExactly,
  parseShortJson,
  Sign,
  setProperty,
  tooDeep,
  withoutMark,
} from './json.js';
import { inSlices, type Slices } from './slices.js';

/** Limit for the values in one text, because a short text can need much memory as objects. */
const MAX_VALUES = 2_000_000;
/** Limit for the properties of one object. V8 blocks while it creates a larger one. */
const MAX_PROPERTIES = 20_000;
/** Limit for a property name, in characters: V8 keeps names of any length in a table. */
const MAX_NAME_LENGTH = 10_000;
/** Limit for a text that is parsed at once, in characters. */
export const MAX_TEXT_AT_ONCE = 128 * 1024;
/** Length of a chunk that is parsed without a pause, in characters. */
const CHUNK_LENGTH = 64 * 1024;

const LETTER_U = 0x75;

/**
 * Parses foreign JSON of any length without blocking the event loop. A byte order mark at the
 * beginning is ignored. Whole numbers beyond `Number.MAX_SAFE_INTEGER` become text.
 * @returns a promise for a long text
 * @throws SyntaxError, or JsonLimitError beyond 200 levels, 2,000,000 values or 20,000 properties
 * of one object
 */
export function parseJson(text: string): unknown | Promise<unknown> {
  if (text.length <= MAX_TEXT_AT_ONCE) return parseShortJson(text);
  return inSlices((slices) => new SlicedParser(withoutMark(text), slices).document());
}

/** Members of a list or an object that are parsed at once. */
interface Members {
  begin: number;
  end: number;
  count: number;
  /** Whether the list or object ends after them. */
  isEnd: boolean;
}

/** A list or an object that is still open at the end of a chunk. */
interface OpenMembers {
  begin: number;
  /** Position of the last comma between two members; -1 if there is none. */
  comma: number;
  /** Number of members up to that comma. */
  count: number;
  /** Number of values in the chunk before it. */
  valuesBefore: number;
  /** Number of values up to that comma. */
  values: number;
}

/**
 * Divides a long text into pieces that are small enough for `JSON.parse`, and assembles the
 * results.
 */
class SlicedParser {
  readonly #text: string;
  readonly #slices: Slices;
  #at = 0;
  #values = 0;
  /** Lists and objects that are open at the end of the last chunk, the outermost first. */
  #open: OpenMembers[] = [];

  constructor(text: string, slices: Slices) {
    this.#text = text;
    this.#slices = slices;
  }

  async document(): Promise<unknown> {
    await this.#skipSpace();
    const value = await this.#value(1);
    await this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  /** The value at the current position, which may be longer than a chunk. */
  async #value(depth: number): Promise<unknown> {
    switch (this.#text.charCodeAt(this.#at)) {
      case Sign.OpenArray:
        return this.#array(depth);
      case Sign.OpenObject:
        return this.#object(depth);
      case Sign.Quote:
        return this.#string();
      default:
        return this.#primitive();
    }
  }

  async #array(depth: number): Promise<unknown[]> {
    const array: unknown[] = [];
    this.#at++;
    for (let isFirst = true; ; isFirst = false) {
      if (this.#slices.isOver) await this.#slices.pause();
      await this.#skipSpace();
      const members = this.#members(depth);
      if (members) {
        const parsed = parseExactly(`[${this.#textOf(members, isFirst)}]`) as unknown[];
        for (const item of parsed) array.push(item);
        if (this.#isClosedBy(Sign.CloseArray, members)) return array;
      } else {
        array.push(await this.#value(depth + 1));
        if (await this.#endsWith(Sign.CloseArray)) return array;
      }
    }
  }

  async #object(depth: number): Promise<Record<string, unknown>> {
    const object: Record<string, unknown> = {};
    let properties = 0;
    this.#at++;
    for (let isFirst = true; ; isFirst = false) {
      if (this.#slices.isOver) await this.#slices.pause();
      await this.#skipSpace();
      const members = this.#members(depth);
      properties += members?.count ?? 1;
      if (properties > MAX_PROPERTIES) {
        throw new JsonLimitError(`It has an object with more than ${MAX_PROPERTIES} properties.`);
      }
      if (members) {
        const parsed = parseExactly(`{${this.#textOf(members, isFirst)}}`) as Record<
          string,
          unknown
        >;
        for (const key of Object.keys(parsed)) setProperty(object, key, parsed[key]);
        if (this.#isClosedBy(Sign.CloseObject, members)) return object;
      } else {
        if (this.#text.charCodeAt(this.#at) !== Sign.Quote) throw this.#unexpected();
        const key = await this.#string();
        if (key.length > MAX_NAME_LENGTH) {
          throw new JsonLimitError(
            `It has a property name of more than ${MAX_NAME_LENGTH} characters.`,
          );
        }
        await this.#skipSpace();
        if (this.#text.charCodeAt(this.#at++) !== Sign.Colon) throw this.#unexpected();
        await this.#skipSpace();
        setProperty(object, key, await this.#value(depth + 1));
        if (await this.#endsWith(Sign.CloseObject)) return object;
      }
    }
  }

  /**
   * The members at the current position that fit into a chunk; `undefined` if the first one is
   * longer. A chunk is scanned once for all lists and objects that are open at its end.
   */
  #members(depth: number): Members | undefined {
    const at = this.#at;
    const level = this.#open.findIndex(
      ({ begin }, index) => begin <= at && at < (this.#open[index + 1]?.begin ?? at + 1),
    );
    const known = this.#open[level];
    if (known && at <= known.comma) return this.#completeMembers(known);
    // The member after the last comma is open itself at the end of the chunk.
    if (known && level < this.#open.length - 1) return undefined;
    return this.#scan(depth);
  }

  #scan(depth: number): Members | undefined {
    const begin = this.#at;
    const end = Math.min(this.#text.length, begin + CHUNK_LENGTH);
    let values = 1;
    const open: OpenMembers[] = [{ begin, comma: -1, count: 0, valuesBefore: 0, values: 0 }];
    for (let at = begin; at < end; at++) {
      switch (this.#text.charCodeAt(at)) {
        case Sign.Quote:
          for (at++; at < end && this.#text.charCodeAt(at) !== Sign.Quote; at++) {
            if (this.#text.charCodeAt(at) === Sign.Backslash) at++;
          }
          break;
        case Sign.OpenArray:
        case Sign.OpenObject:
          if (depth + open.length > MAX_JSON_DEPTH) throw tooDeep();
          open.push({ begin: at + 1, comma: -1, count: 0, valuesBefore: values++, values: 0 });
          break;
        case Sign.CloseArray:
        case Sign.CloseObject: {
          const closed = open.pop() as OpenMembers;
          if (open.length > 0) break;
          this.#count(values);
          return { begin, end: at, count: closed.count + 1, isEnd: true };
        }
        case Sign.Comma: {
          const innermost = open.at(-1) as OpenMembers;
          innermost.comma = at;
          innermost.count++;
          innermost.values = values++ - innermost.valuesBefore;
        }
      }
    }
    this.#open = open;
    const [outermost] = open as [OpenMembers];
    // The text ends without a closing bracket.
    if (end === this.#text.length && outermost.comma < 0) throw this.#unexpected(end);
    return this.#completeMembers(outermost);
  }

  /** The members up to the last comma. */
  #completeMembers({ begin, comma, count, values }: OpenMembers): Members | undefined {
    if (comma < 0) return undefined;
    this.#count(values);
    return { begin, end: comma, count, isEnd: false };
  }

  /** @throws SyntaxError for a missing member, which only an empty list or object may have */
  #textOf({ begin, end, isEnd }: Members, isFirst: boolean): string {
    const text = this.#text.slice(begin, end);
    if (text.trim() === '' && !(isFirst && isEnd)) throw this.#unexpected(end);
    return text;
  }

  #isClosedBy(bracket: number, { end, isEnd }: Members): boolean {
    this.#at = end + 1;
    if (isEnd && this.#text.charCodeAt(end) !== bracket) throw this.#unexpected(end);
    return isEnd;
  }

  /** Reads the comma or the bracket after a single member. */
  async #endsWith(bracket: number): Promise<boolean> {
    await this.#skipSpace();
    const found = this.#text.charCodeAt(this.#at++);
    if (found !== bracket && found !== Sign.Comma) throw this.#unexpected(this.#at - 1);
    return found === bracket;
  }

  async #string(): Promise<string> {
    this.#count(1);
    const pieces: string[] = [];
    let begin = this.#at + 1;
    for (let at = begin; ; ) {
      const code = this.#text.charCodeAt(at);
      // The text has ended.
      if (Number.isNaN(code)) throw this.#unexpected(at);
      if (code === Sign.Quote || at - begin >= CHUNK_LENGTH) {
        pieces.push(JSON.parse(`"${this.#text.slice(begin, at)}"`));
        begin = at;
        if (this.#slices.isOver) await this.#slices.pause();
      }
      if (code === Sign.Quote) {
        this.#at = at + 1;
        return pieces.join('');
      }
      if (code !== Sign.Backslash) at++;
      else at += this.#text.charCodeAt(at + 1) === LETTER_U ? 'u0000'.length + 1 : 2;
    }
  }

  /** Numbers and names are short. */
  #primitive(): unknown {
    this.#count(1);
    const begin = this.#at;
    while (this.#at - begin < CHUNK_LENGTH && /[\w.+-]/.test(this.#text.charAt(this.#at)))
      this.#at++;
    if (this.#at === begin) throw this.#unexpected();
    return parseExactly(this.#text.slice(begin, this.#at));
  }

  async #skipSpace(): Promise<void> {
    for (let count = 1; ; count++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
      if (count % CHUNK_LENGTH === 0 && this.#slices.isOver) await this.#slices.pause();
    }
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) {
      throw new JsonSizeError(`It holds more than ${MAX_VALUES} values.`);
    }
  }

  #unexpected(at = this.#at): SyntaxError {
    return new SyntaxError(`Unexpected text in JSON at position ${at}`);
  }
}

/** The JSON text of a value of any size, as UTF-8, written in slices. */
export function writeJson(value: unknown): Promise<Buffer> {
  return inSlices(async (slices) => {
    const written: Buffer[] = [];
    let pieces: string[] = [];
    const flush = () => {
      written.push(Buffer.from(pieces.join('')));
      pieces = [];
    };
    const pauseIfOver = async () => {
      if (!slices.isOver) return;
      flush();
      await slices.pause();
    };
    const writeText = async (text: string) => {
      for (let at = 0; at === 0 || at < text.length; at += CHUNK_LENGTH) {
        if (at > 0) await pauseIfOver();
        pieces.push(JSON.stringify(text.slice(at, at + CHUNK_LENGTH)).slice(1, -1));
      }
    };
    const write = async (item: unknown): Promise<void> => {
      await pauseIfOver();
      if (typeof item === 'string') {
        pieces.push('"');
        await writeText(item);
        pieces.push('"');
      } else if (typeof item !== 'object' || item === null) {
        pieces.push(JSON.stringify(item) ?? 'null');
      } else if (Array.isArray(item)) {
        for (const [index, each] of item.entries()) {
          pieces.push(index === 0 ? '[' : ',');
          await write(each);
        }
        pieces.push(item.length === 0 ? '[]' : ']');
      } else {
        let separator = '{';
        for (const [key, each] of Object.entries(item)) {
          if (each === undefined) continue;
          pieces.push(`${separator}${JSON.stringify(key)}:`);
          separator = ',';
          await write(each);
        }
        pieces.push(separator === '{' ? '{}' : '}');
      }
    };
    await write(value);
    flush();
    return Buffer.concat(written);
  });
}
