import { types } from 'node:util';
import { IonError, quote, reasonOf } from '../errors.js';
import { isPlainObject, MAX_JSON_DEPTH } from '../support/json.js';
import { filterOperators } from './filter-operators.js';

/** Values and properties, so that writing them as JSON never stops the process. */
const MAX_VALUES = 300_000;
/** Of one object: V8 needs ten times as long for each property of a very large one. */
const MAX_PROPERTIES = 10_000;
/** As they are written: what is escaped counts more than once. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** In ION's schema they are names in filters only. */
const OPERATORS: ReadonlySet<string> = new Set(filterOperators);
/** Levels of a path that an error names. */
const MAX_PATH = 10;

/**
 * Checks that variables are what JSON can say, because `JSON.stringify` silently makes `null` of
 * some values.
 * @throws IonError `ION_VARIABLES`, naming the place of a value that cannot be sent
 */
export function checkVariables(variables: Record<string, unknown> | undefined): void {
  if (variables === undefined) return;
  try {
    new Check().value(variables);
  } catch (thrown) {
    if (thrown instanceof IonError) throw thrown;
    // A getter or a proxy of a flow's own objects can throw anything.
    throw refused('', `cannot be read: ${quote(reasonOf(thrown))}`);
  }
}

class Check {
  readonly #path: (string | number)[] = [];
  #values = 0;
  #characters = 0;

  value(value: unknown): void {
    if (++this.#values > MAX_VALUES) throw refused('', `hold more than ${MAX_VALUES} values`);
    switch (typeof value) {
      case 'string':
        this.#text(value);
        return;
      case 'number':
        if (!Number.isFinite(value)) throw this.#refused(`are ${value}, which JSON cannot say`);
        return;
      case 'object':
        if (value !== null) this.#object(value);
        return;
      case 'bigint':
        // Some programs teach it to write itself.
        if (!hasToJson(value)) throw this.#refused('hold a BigInt, which JSON cannot say');
        this.#written(value);
    }
  }

  /** What `JSON.stringify` writes in the place of a value that has a `toJSON` of its own. */
  #written(value: { toJSON(key: string): unknown }): void {
    const written = value.toJSON(String(this.#path.at(-1) ?? ''));
    // An invalid date of a library, for example.
    if (written === null || isNothing(written)) {
      throw this.#refused('are an object that JSON would turn into null');
    }
    // Such an object is not asked a second time.
    if (typeof written !== 'object' || !hasToJson(written)) this.value(written);
    else this.#members(written);
  }

  #text(text: string): void {
    this.#characters += text.length + escapesIn(text);
    if (this.#characters <= MAX_CHARACTERS) return;
    throw refused('', `hold more than ${MAX_CHARACTERS} characters`);
  }

  #object(object: object): void {
    if (this.#path.length >= MAX_JSON_DEPTH) {
      throw refused('', `are circular, or nested too deeply (more than ${MAX_JSON_DEPTH} levels)`);
    }
    if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) {
      throw this.#refused('are bytes: turn the Buffer into text first');
    }
    if (types.isDate(object) && Number.isNaN(Number(object))) {
      throw this.#refused('are an invalid date');
    }
    if (hasToJson(object)) this.#written(object);
    else this.#members(object);
  }

  #members(object: object): void {
    // JSON writes it as its value.
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
        throw this.#refused('hold an empty place, which JSON would turn into null');
      }
      this.value(item);
      this.#path.pop();
    }
  }

  #properties(object: Record<string, unknown>): void {
    const keys = Object.keys(object);
    const isEmpty = keys.length === 0 && !types.isBooleanObject(object) && !isPlainObject(object);
    if (isEmpty || types.isMap(object) || types.isSet(object)) {
      throw this.#refused(`are a ${typeOf(object)}, which JSON would write as an empty object`);
    }
    if (keys.length > MAX_PROPERTIES) {
      throw this.#refused(`are an object of more than ${MAX_PROPERTIES} properties`);
    }
    for (const key of keys) {
      this.#text(key);
      this.#path.push(key);
      const value = object[key];
      if (isNothing(value) && this.#isCondition(key)) {
        throw this.#refused('have no value, so that the filter would find every row');
      }
      this.value(value);
      this.#path.pop();
    }
  }

  /** A variable of that name is no condition yet. */
  #isCondition(key: string): boolean {
    return this.#path.length > 1 && OPERATORS.has(key);
  }

  #refused(problem: string): IonError {
    const names = this.#path.slice(0, MAX_PATH).map((name) => quote(String(name)));
    const more = this.#path.length > MAX_PATH ? ['…'] : [];
    return refused([...names, ...more].join('.'), problem);
  }
}

/** What JSON leaves out of an object, and turns into null in a list. */
function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

function hasToJson(value: object | bigint): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** Such as `Map`, also for one of a function node, which has classes of its own. */
function typeOf(object: object): string {
  return quote(Object.prototype.toString.call(object).slice('[object '.length, -1));
}

/** Characters that JSON needs besides those of a long text; a short one makes no difference. */
function escapesIn(text: string): number {
  if (text.length < 1000) return 0;
  let more = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) more++;
    else if (code < 0x20) more += 5;
    // Halves of characters, which V8 is slow with.
    else if (code >= 0xd800 && code < 0xe000) more += 15;
  }
  return more;
}

function refused(path: string, problem: string): IonError {
  const what = path === '' ? 'The variables' : `The variables at "${path}"`;
  return new IonError('ION_VARIABLES', `${what} ${problem}.`);
}
