import { type IonError, quote, type Reason } from '../errors.js';
import { rowOperators } from './filter-operators.js';
import { isRefusedUnexecuted } from './lacks.js';
import type { Operation } from './operation.js';

/** A value in the variables that does not fit its type in ION's schema. */
interface RefusedValue {
  variable: string;
  /** Names and indexes inside the variable. */
  path: string[];
  value: unknown;
  type: string;
  isEnum: boolean;
  /** ION's text about the value, without the one about the variable. */
  text: string;
}

/** Characters of one text that are searched. */
const MAX_SEARCHED = 10_000;
const BEGIN = /\bvariable ["'`]?\$(\w+)["'`]? (?:got|has) invalid value/i;
/** The path in graphql-js 17, which does not quote the value. */
const PATH_FIRST = /^ at ([\w.[\]]+): /;
/** The path in graphql-core 3 and graphql-js 14 to 16, after the value. */
const PATH_LAST = / at ["'`]?(\w[\w.[\]]*)["'`]?; /g;
/** A step of the path in graphql-core 2. */
const STEP = /\bIn (?:field "(\w+)"|element #(\d+)): /g;
/** Texts about the value, with the name of its type. */
const ENUM_VALUE = /\bdoes not exist in ["'`]?(\w+)/i;
const ENUM = /^enum ["'`]?(\w+)/i;
const EXPECTED = /^expected type ["'`]?(\w+)/i;
const SCALAR = /^(\w+) cannot represent /i;
const COMBINED: ReadonlySet<string> = new Set(['and_', 'or_']);
const SCALARS: ReadonlySet<string> = new Set(['Int', 'Float', 'String', 'Boolean', 'ID']);
const OPERATORS: ReadonlySet<string> = new Set(rowOperators);

/** The error of an operation that names the filter or the variable, if ION refused its value. */
export function withRefusedValue(
  error: IonError,
  operation: Operation,
  variables: Record<string, unknown> | undefined,
): IonError | undefined {
  if (!isRefusedUnexecuted(error)) return undefined;
  for (const { message } of error.errors ?? []) {
    const refused = refusedValueIn(message.slice(0, MAX_SEARCHED), variables ?? {});
    if (!refused) continue;
    const text = describe(refused, operation.isOwn === true);
    return error.with({ message: text, reason: reasonFor(refused) });
  }
  return undefined;
}

function refusedValueIn(
  message: string,
  variables: Record<string, unknown>,
): RefusedValue | undefined {
  const begin = BEGIN.exec(message);
  const variable = begin?.[1];
  if (!begin || variable === undefined) return undefined;
  const rest = message.slice(begin.index + begin[0].length);
  for (const [path, text] of placesIn(rest, variable)) {
    const value = valueAt(variables[variable], path);
    const found = typeIn(text);
    if (value !== undefined && found) return { variable, path, value, text, ...found };
  }
  return undefined;
}

/** The possible paths of the value, each with the text that follows it. */
function placesIn(rest: string, variable: string): [path: string[], text: string][] {
  const first = PATH_FIRST.exec(rest);
  if (first) return [[namesIn(first[1]), rest.slice(first[0].length)]];
  if (rest.startsWith(': ')) return [[[], rest.slice(2)]];
  const places = [...rest.matchAll(PATH_LAST)].flatMap((match): [string[], string][] => {
    const [name, ...path] = namesIn(match[1]);
    return name === variable ? [[path, rest.slice(match.index + match[0].length)]] : [];
  });
  const steps = [...rest.matchAll(STEP)];
  const last = steps.at(-1);
  if (last) {
    const path = steps.map(([, field, index]) => field ?? String(index));
    places.push([path, rest.slice(last.index + last[0].length)]);
  }
  const end = rest.lastIndexOf('; ');
  // Without a path, it is the variable itself.
  if (places.length === 0 && end >= 0) places.push([[], rest.slice(end + 2)]);
  return places;
}

function namesIn(path = ''): string[] {
  return path.split(/[.[\]]/).filter((name) => name !== '');
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return valueAt((value as Record<string, unknown>)[name], rest);
}

function typeIn(text: string): Pick<RefusedValue, 'type' | 'isEnum'> | undefined {
  // The value comes before these words, and may contain the others.
  const enumType = ENUM_VALUE.exec(text)?.[1] ?? ENUM.exec(text)?.[1];
  if (enumType !== undefined) return { type: enumType, isEnum: true };
  const type = EXPECTED.exec(text)?.[1] ?? SCALAR.exec(text)?.[1];
  if (type === undefined) return undefined;
  return { type, isEnum: !(SCALARS.has(type) || text.includes(' cannot represent ')) };
}

function describe(refused: RefusedValue, isOwn: boolean): string {
  const { type, text } = refused;
  const hint = isListForIs(refused) ? ' For a list, use the operator "is one of".' : '';
  return `${labelOf(refused, isOwn)}: ${shown(refused.value)} is not a value of ${quote(type)}.${hint} ION: "${quote(text)}"`;
}

function labelOf(refused: RefusedValue, isOwn: boolean): string {
  const { variable, path } = refused;
  if (!isOwn) return `Variable "${quote([variable, ...path].join('.'))}"`;
  return `${variable === 'filters' ? 'Filter' : 'Value of'} "${quote(nameOf(refused))}"`;
}

/** The field as a dialog names it, such as `steps.status`. */
function nameOf({ variable, path }: RefusedValue): string {
  const names = path.filter((name) => !COMBINED.has(name) && !/^\d+$/.test(name));
  if (names.length > 1 && OPERATORS.has(String(names.at(-1)))) names.pop();
  return names.length > 0 ? names.join('.') : variable;
}

function reasonFor(refused: RefusedValue): Reason {
  const name = nameOf(refused);
  if (isListForIs(refused)) return { key: 'needsIsOneOf', name };
  const isShort = typeof refused.value !== 'object';
  if (!refused.isEnum || !isShort) return { key: 'notValue', name };
  return { key: 'unknownValue', name, value: shown(refused.value) };
}

function isListForIs({ path, value }: RefusedValue): boolean {
  return Array.isArray(value) && path.at(-1) === 'eq';
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `"${quote(value)}"`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
