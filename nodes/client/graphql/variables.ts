import { types } from 'node:util';
import { IonError, quote, reasonOf } from '../errors.js';
import { isPlainObject, MAX_JSON_DEPTH } from '../support/json.js';
import { filterOperators } from './filter-operators.js';

/** Limit for all values, so that writing them as JSON never blocks the event loop. */
const MAX_VALUES = 300_000;
/** Limit for one object. V8 needs ten times as long for each property of a very large one. */
const MAX_PROPERTIES = 10_000;
/** Limit for all texts, with their escapes in JSON. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** In ION's schema, these names occur in filters only. */
const OPERATORS: ReadonlySet<string> = new Set(filterOperators);
/** Limit for the levels of a path in an error. */
const MAX_PATH = 10;

/**
 * Checks that JSON can represent the variables, because `JSON.stringify` silently turns some values
 * into `null`.
 * @throws IonError `ION_VARIABLES`, with the path of a value that cannot be sent
 */
export function checkVariables(variables: Record<string, unknown> | undefined): void {
  if (variables === undefined) return;
  try {
    new VariablesCheck().value(variables);
  } catch (thrown) {
    if (thrown instanceof IonError) throw thrown;
    // Getters and proxies of a flow can throw anything.
    throw invalid('', `cannot be read: ${quote(reasonOf(thrown))}`);
  }
}

/**
 * The variables as JSON gives them back, because nobody can correct a value that only turns out at
 * the delivery to be unsendable.
 * @throws IonError as `checkVariables`
 */
export function plainVariables(
  variables: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  if (variables === undefined) return undefined;
  checkVariables(variables);
  return JSON.parse(JSON.stringify(variables)) as Record<string, unknown>;
}

/** Walks through the variables like `JSON.stringify`. */
class VariablesCheck {
  readonly #path: (string | number)[] = [];
  #values = 0;
  #characters = 0;

  value(value: unknown): void {
    if (++this.#values > MAX_VALUES) throw invalid('', `contain more than ${MAX_VALUES} values`);
    switch (typeof value) {
      case 'string':
        this.#text(value);
        return;
      case 'number':
        if (!Number.isFinite(value))
          throw this.#invalid(`are ${value}, which JSON cannot represent`);
        return;
      case 'object':
        if (value !== null) this.#object(value);
        return;
      case 'bigint':
        // Some programs add a `toJSON` to BigInt.
        if (!hasToJson(value)) throw this.#invalid('contain a BigInt, which JSON cannot represent');
        this.#replacement(value);
    }
  }

  /** The result of `toJSON`, which `JSON.stringify` writes instead of the value. */
  #replacement(value: { toJSON(key: string): unknown }): void {
    const replacement = value.toJSON(String(this.#path.at(-1) ?? ''));
    // An invalid date of a library, for example.
    if (replacement === null || isNothing(replacement)) {
      throw this.#invalid('are an object that JSON would turn into null');
    }
    // `JSON.stringify` calls `toJSON` only once.
    if (typeof replacement !== 'object' || !hasToJson(replacement)) this.value(replacement);
    else this.#members(replacement);
  }

  #text(text: string): void {
    this.#characters += text.length + escapesIn(text);
    if (this.#characters <= MAX_CHARACTERS) return;
    throw invalid('', `contain more than ${MAX_CHARACTERS} characters`);
  }

  #object(object: object): void {
    if (this.#path.length >= MAX_JSON_DEPTH) {
      throw invalid('', `are circular, or nested too deeply (more than ${MAX_JSON_DEPTH} levels)`);
    }
    if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) {
      throw this.#invalid('are bytes: convert the Buffer to text first');
    }
    if (types.isDate(object) && Number.isNaN(Number(object))) {
      throw this.#invalid('are an invalid date');
    }
    if (hasToJson(object)) this.#replacement(object);
    else this.#members(object);
  }

  #members(object: object): void {
    // JSON writes wrapper objects as their values.
    if (types.isNumberObject(object)) this.value(Number(object));
    else if (types.isStringObject(object)) this.value(String(object));
    else if (Array.isArray(object)) this.#list(object);
    else this.#properties(object as Record<string, unknown>);
  }

  #list(list: unknown[]): void {
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      this.#path.push(index);
      if (isNothing(item)) {
        throw this.#invalid('contain an item without a value, which JSON would turn into null');
      }
      this.value(item);
      this.#path.pop();
    }
  }

  #properties(object: Record<string, unknown>): void {
    const keys = Object.keys(object);
    const isEmpty = keys.length === 0 && !types.isBooleanObject(object) && !isPlainObject(object);
    if (isEmpty || types.isMap(object) || types.isSet(object)) {
      throw this.#invalid(`are a ${typeOf(object)}, which JSON would write as an empty object`);
    }
    if (keys.length > MAX_PROPERTIES) {
      throw this.#invalid(`are an object of more than ${MAX_PROPERTIES} properties`);
    }
    for (const key of keys) {
      this.#text(key);
      this.#path.push(key);
      const value = object[key];
      if (isNothing(value) && this.#isCondition(key)) {
        throw this.#invalid('have no value, so the filter would match every row');
      }
      this.value(value);
      this.#path.pop();
    }
  }

  /** A variable itself may have the name of an operator. */
  #isCondition(key: string): boolean {
    return this.#path.length > 1 && OPERATORS.has(key);
  }

  #invalid(problem: string): IonError {
    const names = this.#path.slice(0, MAX_PATH).map((name) => quote(String(name)));
    const more = this.#path.length > MAX_PATH ? ['…'] : [];
    return invalid([...names, ...more].join('.'), problem);
  }
}

/** Values that JSON omits from an object, and turns into null in a list. */
function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

function hasToJson(value: object | bigint): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** Such as `Map`, even if it comes from a function node, which has its own global classes. */
function typeOf(object: object): string {
  return quote(Object.prototype.toString.call(object).slice('[object '.length, -1));
}

/** Number of additional characters for escapes; 0 for a short text, where they hardly matter. */
function escapesIn(text: string): number {
  if (text.length < 1000) return 0;
  let more = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) more++;
    else if (code < 0x20) more += 5;
    // V8 is slow with surrogates.
    else if (code >= 0xd800 && code < 0xe000) more += 15;
  }
  return more;
}

function invalid(path: string, problem: string): IonError {
  const subject = path === '' ? 'The variables' : `The variables at "${path}"`;
  const reason = path === '' ? undefined : ({ key: 'notSendable', name: path } as const);
  return new IonError('ION_VARIABLES', `${subject} ${problem}.`, { reason });
}
