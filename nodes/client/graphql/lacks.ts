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

/** Texts of graphql-core 2 and 3 and of graphql-js 14 to 17, with their quotes replaced by `"`. */
const TEXTS: [RegExp, (groups: string[]) => Lack][] = [
  [
    /Cannot query field "(\w+)" on type "(\w+)"/g,
    ([field = '', type]) => ({ kind: 'field', type, field }),
  ],
  [
    /Unknown argument "(\w+)" on field "(?:(\w+)\.)?(\w+)"(?: of type "(\w+)")?/g,
    ([name, owner, field, type]) => ({
      ...{ kind: 'argument', type: type ?? owner, field: `${field}(${name}:)` },
    }),
  ],
  [
    /Field "(\w+)" is not defined by type "?(\w+)"?/g,
    ([field = '', type]) => ({ kind: 'input field', type, field }),
  ],
  [
    /type "(\w+)!?" not to include unknown field "(\w+)"/g,
    ([type, field = '']) => ({ kind: 'input field', type, field }),
  ],
  [
    /In field "(\w+)": Unknown field/g,
    ([field = '']) => ({ kind: 'input field', type: undefined, field }),
  ],
  [
    /Value "(\w+)" does not exist in "(\w+)" enum/g,
    ([field = '', type]) => ({ kind: 'enum value', type, field }),
  ],
  [
    /Expected type "(\w+Enum)!?", found "?(\w+)"?/g,
    ([type, field = '']) => ({ kind: 'enum value', type, field }),
  ],
  [/Unknown type "(\w+)"/g, ([field = '']) => ({ kind: 'type', type: undefined, field })],
];
/** Characters of one text that are searched. */
const MAX_SEARCHED = 10_000;
const MAX_NAMED = 3;

/**
 * The parts of an operation that ION's schema lacks, if ION refused the operation before it executed
 * anything.
 */
export function lacksIn({ code, errors, data, mayHaveRun }: IonError): Lack[] {
  const isBeforeExecution = !mayHaveRun && data === undefined && !errors?.some(hasPath);
  return code === 'ION_GRAPHQL' && isBeforeExecution ? (errors ?? []).flatMap(lacksInText) : [];
}

function lacksInText({ message }: GraphqlError): Lack[] {
  const text = message.slice(0, MAX_SEARCHED).replace(/['\u2018-\u201f]/g, '"');
  return TEXTS.flatMap(([pattern, toLack]) =>
    [...text.matchAll(pattern)].map(([, ...groups]) => toLack(groups)),
  );
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
