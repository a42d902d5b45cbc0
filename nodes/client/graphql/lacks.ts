import { type GraphqlError, type IonError, quote } from '../errors.js';
import { hasPath } from '../failures/classify-failure.js';

/** A part that ION's schema lacks. */
export interface Lack {
  kind: 'field' | 'argument' | 'input field' | 'enum value' | 'type';
  /** The type that lacks it; `undefined` if ION does not name the type. */
  type: string | undefined;
  /** Its name; for an argument, field and argument such as `runs(sort:)`. */
  field: string;
}

/** Makes a lack of the quoted name next to the text and of the names that follow. */
type ToLack = (name: string, rest: string[]) => Lack;

// Texts of graphql-core 2 and 3 and of graphql-js 14 to 17.

/** Texts before the quoted name. */
const BEFORE: [text: string, toLack: ToLack][] = [
  ['Cannot query field ', (field, [type]) => ({ kind: 'field', type, field })],
  [
    'Unknown argument ',
    (name, [field = '', of, type]) => {
      const [owner, own] = field.includes('.') ? field.split('.') : [undefined, field];
      return {
        kind: 'argument',
        type: of === ' of type ' ? type : owner,
        field: `${own}(${name}:)`,
      };
    },
  ],
  ['Unknown type ', (field) => ({ kind: 'type', type: undefined, field })],
];
/** Texts after the quoted name. */
const AFTER: [text: string, toLack: ToLack][] = [
  [' is not defined by type ', (field, [type]) => ({ kind: 'input field', type, field })],
  [
    ' not to include unknown field ',
    (type, [field = '']) => ({ kind: 'input field', type: type.replace('!', ''), field }),
  ],
  [': Unknown field', (field) => ({ kind: 'input field', type: undefined, field })],
  [' does not exist in ', (field, [type]) => ({ kind: 'enum value', type, field })],
  [
    ', found ',
    (type, [field = '']) => ({ kind: 'enum value', type: type.replace('!', ''), field }),
  ],
];
const NAME = /^\w+$/;
/** Characters of one text that are searched. */
const MAX_SEARCHED = 10_000;
const MAX_NAMED = 3;

/**
 * The parts of an operation that ION's schema lacks, if ION refused the operation before it executed
 * anything.
 */
export function lacksIn(error: IonError): Lack[] {
  return isRefusedUnexecuted(error) ? (error.errors ?? []).flatMap(lacksInText) : [];
}

/** Whether ION refused the operation before it executed anything. */
export function isRefusedUnexecuted({ code, errors, data, mayHaveRun }: IonError): boolean {
  const isBeforeExecution = !mayHaveRun && data === undefined && !errors?.some(hasPath);
  return code === 'ION_GRAPHQL' && isBeforeExecution;
}

function lacksInText({ message }: GraphqlError): Lack[] {
  const text = message.slice(0, MAX_SEARCHED).replace(/['\u2018-\u201f]/g, '"');
  const parts = text.split('"');
  return parts.flatMap((name, index) => {
    const [before = '', after = ''] = [parts[index - 1], parts[index + 1]];
    const found =
      BEFORE.find(([words]) => before.endsWith(words)) ??
      AFTER.find(([words]) => after.startsWith(words));
    if (!found) return [];
    // Some versions do not quote the second name.
    const unquoted = after.split(' ').at(-1)?.replace(/[.\]]/g, '');
    const rest = unquoted ? [unquoted] : parts.slice(index + 2, index + 5);
    const lack = found[1](name, rest);
    // The same text complains about values of other types.
    const isLack = !after.startsWith(', found ') || /enum$/i.test(lack.type ?? '');
    const names = [name.replace('!', ''), lack.type ?? 'any', rest[0]?.split('.')[0] ?? 'any'];
    return isLack && names.every((each) => NAME.test(each)) ? lack : [];
  });
}

/** The error of an operation of this package, which names the parts that ION's schema lacks. */
export function withLacks(error: IonError, lacks: readonly Lack[]): IonError {
  if (lacks.length === 0) return error;
  const named = [...new Set(lacks.map(nameOf))];
  const more = named.length > MAX_NAMED ? ' and others' : '';
  const names = named.slice(0, MAX_NAMED).join(', ');
  const message = `The schema of this ION has no ${names}${more}: "${quote(error.message)}"`;
  return error.with({ message });
}

function nameOf({ kind, type, field }: Lack): string {
  return `${kind} "${quote(field)}"${type === undefined ? '' : ` of type "${quote(type)}"`}`;
}
