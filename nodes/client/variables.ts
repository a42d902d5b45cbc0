import { IonError, quote, reasonOf } from './errors.js';
import { MAX_JSON_DEPTH } from './json.js';

/** In values and characters, so that writing them as JSON never stops the process. */
const MAX_VALUES = 300_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Levels of a path that an error names. */
const MAX_PATH = 10;

/**
 * Checks that variables are what JSON can say, because `JSON.stringify` silently makes `null` of
 * some values and leaves others out.
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
  readonly #path: string[] = [];
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
      case 'boolean':
      case 'undefined':
        return;
      default:
        throw this.#refused(
          `hold a ${typeof value === 'bigint' ? 'BigInt' : typeof value}, which JSON cannot say`,
        );
    }
  }

  #text(text: string): void {
    this.#characters += text.length;
    if (this.#characters <= MAX_CHARACTERS) return;
    throw refused('', `hold more than ${MAX_CHARACTERS} characters`);
  }

  #object(object: object): void {
    if (this.#path.length >= MAX_JSON_DEPTH) {
      throw refused('', `are circular, or nested too deeply (more than ${MAX_JSON_DEPTH} levels)`);
    }
    const { toJSON } = object as { toJSON?: unknown };
    if (ArrayBuffer.isView(object))
      throw this.#refused('are bytes: turn the Buffer into text first');
    if (object instanceof Date && Number.isNaN(object.getTime())) {
      throw this.#refused('are an invalid date');
    }
    if (object instanceof Map || object instanceof Set) {
      throw this.#refused('are a Map or a Set, which JSON would write as an empty object');
    }
    // An object with toJSON, such as a valid date, decides how it is written.
    if (typeof toJSON === 'function') return;
    if (Array.isArray(object)) {
      for (let index = 0; index < object.length; index++) {
        const item: unknown = object[index];
        if (item === undefined) this.#at(String(index), () => this.#nothing());
        else this.#at(String(index), () => this.value(item));
      }
      return;
    }
    for (const [key, item] of Object.entries(object)) {
      this.#text(key);
      this.#at(key, () => this.value(item));
    }
  }

  #nothing(): never {
    throw this.#refused('hold an empty place, which JSON would turn into null');
  }

  #at(key: string, check: () => void): void {
    this.#path.push(key);
    check();
    this.#path.pop();
  }

  #refused(problem: string): IonError {
    const names = this.#path.slice(0, MAX_PATH).map(quote);
    const more = this.#path.length > MAX_PATH ? ['…'] : [];
    return refused([...names, ...more].join('.'), problem);
  }
}

function refused(path: string, problem: string): IonError {
  const what = path === '' ? 'The variables' : `The variables at "${path}"`;
  return new IonError('ION_VARIABLES', `${what} ${problem}.`);
}
