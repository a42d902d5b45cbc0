import type { ArgumentNode, DocumentNode, FieldNode, TypeNode, ValueNode } from 'graphql';
import type { IonError } from '../errors.js';
import { isPlainObject } from '../support/json.js';
import { type Lack, lacksIn } from './lacks.js';
import { Kind, print, visit } from './language.js';
import type { Operation } from './operation.js';

type Variables = Record<string, unknown> | undefined;

/** An operation as it is sent to one ION. */
export interface Adapted {
  text: string;
  variables: Variables;
  /** The parts that were left out. */
  leftOut: ReadonlySet<string>;
}

/** The parts of one request that ION refused, until it accepts the request without them. */
export type RefusedParts = Map<string, Lack>;

/** A part of one request that the package can do without. */
interface Wish {
  part: string;
  /** Whether ION's schema would refuse it if it had this lack. */
  isHitBy(lack: Lack): boolean;
  /** The node to be left out; a path inside the variables if there is none. */
  node?: FieldNode | ArgumentNode;
  path?: string;
}

/** A lack is tried again after this time, because it may have been one of a moment. */
const MAX_LACK_AGE_MS = 60 * 60 * 1000;
const NOTHING: ReadonlySet<string> = new Set();
/** Keys of a filter whose values are filters of the same type. */
const COMBINED: ReadonlySet<string> = new Set(['and_', 'or_']);

interface KeptLack {
  lack: Lack;
  /** By the monotonic clock, in ms. */
  keptAt: number;
}

/** The wished parts that the schema of one ION lacks. They are left out of the later requests. */
export class SchemaLacks {
  readonly #lacks = new Map<string, KeptLack>();
  readonly #texts = new WeakMap<Operation, { key: string; text: string }>();
  readonly #now: () => number;

  /** @param now the monotonic time, in ms */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  list(): Lack[] {
    // Several documents may have wished for the same part.
    const all = [...this.#lacks.values()];
    const distinct = new Map(all.map(({ lack }) => [JSON.stringify(lack), lack]));
    return [...distinct.values()];
  }

  /** The operation without the parts that ION is known to lack, or refused in this request. */
  adapt(operation: Operation, variables: Variables, refused: RefusedParts): Adapted {
    const { text } = operation;
    if (this.#lacks.size + refused.size === 0) return { text, variables, leftOut: NOTHING };
    const unknown = wishesOf(operation, variables).filter(
      ({ part }) => this.#has(part) || refused.has(part),
    );
    if (unknown.length === 0) return { text, variables, leftOut: NOTHING };
    const paths = unknown.flatMap(({ path }) => path ?? []);
    return {
      text: this.#textWithout(operation, unknown),
      variables: paths.reduce<Variables>(
        (rest, path) => withoutPath(rest, path.split('.')) as Variables,
        variables,
      ),
      leftOut: new Set(unknown.map(({ part }) => part)),
    };
  }

  /**
   * Adds the parts that ION refused to those of the request.
   * @param sent the operation as ION refused it
   * @returns the parts that the package cannot do without; `undefined` if the operation can be sent
   * again, without the refused parts
   */
  refuse(
    operation: Operation,
    sent: Adapted,
    error: IonError,
    refused: RefusedParts,
  ): Lack[] | undefined {
    const wishes = wishesOf(operation, sent.variables).filter(
      ({ part }) => !sent.leftOut.has(part),
    );
    const found = lacksIn(error).map((lack) => ({
      lack,
      parts: partsFor(lack, wishes, operation),
    }));
    // Without introspection some servers refuse what is selected in place of a lacking field.
    if (found.length === 0 && error.message.includes(TYPENAME.name.value)) {
      return [...refused.values()];
    }
    const needed = found.filter(({ parts }) => parts.length === 0);
    if (found.length === 0 || needed.length > 0) return needed.map(({ lack }) => lack);
    for (const { lack, parts } of found) for (const part of parts) refused.set(part, lack);
    return undefined;
  }

  /** Takes over the refused parts of a request that ION accepted without them. */
  keep(refused: RefusedParts): void {
    if (refused.size === 0) return;
    const keptAt = this.#now();
    for (const [part, lack] of refused) this.#lacks.set(part, { lack, keptAt });
  }

  /** The next request asks for the part again. */
  forget(part: string): void {
    this.#lacks.delete(part);
  }

  #has(part: string): boolean {
    const kept = this.#lacks.get(part);
    if (!kept) return false;
    if (this.#now() - kept.keptAt < MAX_LACK_AGE_MS) return true;
    this.#lacks.delete(part);
    return false;
  }

  #textWithout(operation: Operation, unknown: readonly Wish[]): string {
    const nodes = new Set(unknown.flatMap(({ node }) => node ?? []));
    if (nodes.size === 0) return operation.text;
    const key = unknown.map(({ part }) => part).join();
    const known = this.#texts.get(operation);
    if (known?.key === key) return known.text;
    const text = print(withoutNodes(operation.document, nodes));
    this.#texts.set(operation, { key, text });
    return text;
  }
}

function wishesOf(operation: Operation, variables: Variables): Wish[] {
  const { nodes = [], inputs = [] } = operation.wishes ?? {};
  const types = new Map(
    operation.definition.variableDefinitions?.map(({ variable, type }) => [
      ...([variable.name.value, namedType(type)] as const),
    ]),
  );
  const inNodes = [...nodes].flatMap(([node, part]): Wish[] => {
    if (node.kind === Kind.FIELD) {
      const isHitBy = ({ kind, field }: Lack) => kind === 'field' && field === node.name.value;
      return [{ part, node, isHitBy }];
    }
    return argumentWishes(node, part, types, variables);
  });
  const inVariables = inputs.map((path): Wish => {
    const [variable = '', ...rest] = path.split('.');
    const isHitBy = ({ kind, field }: Lack) => kind === 'input field' && field === rest.at(-1);
    return { part: `${types.get(variable)}.${rest.join('.')}`, path, isHitBy };
  });
  return [...inNodes, ...inVariables];
}

/** An argument may be unknown itself, or one of its values, or the type of its variable. */
function argumentWishes(
  node: ArgumentNode,
  part: string,
  types: ReadonlyMap<string, string>,
  variables: Variables,
): Wish[] {
  const { value } = node;
  const type = value.kind === Kind.VARIABLE ? types.get(value.name.value) : undefined;
  return [
    {
      ...{ part, node },
      isHitBy: ({ kind, field }) => kind === 'argument' && part.endsWith(`.${field}`),
    },
    ...enumValuesIn(value, variables).map((name) => ({
      ...{ part: `${part}=${name}`, node },
      isHitBy: ({ kind, field }: Lack) => kind === 'enum value' && field === name,
    })),
    {
      ...{ part: `${part}:${type}`, node },
      isHitBy: ({ kind, field }) => kind === 'type' && field === type,
    },
  ];
}

function enumValuesIn(value: ValueNode, variables: Variables): string[] {
  if (value.kind === Kind.ENUM) return [value.value];
  if (value.kind === Kind.LIST)
    return value.values.flatMap((each) => enumValuesIn(each, variables));
  if (value.kind !== Kind.VARIABLE) return [];
  return [variables?.[value.name.value]].flat().filter((each) => typeof each === 'string');
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

/**
 * The wished parts that a lack hits: those of the type that ION names, or the deepest ones if none has
 * this type. None of another name if the lack may be the one of a needed field.
 */
function partsFor(lack: Lack, wishes: readonly Wish[], operation: Operation): string[] {
  const parts = wishes.filter(({ isHitBy }) => isHitBy(lack)).map(({ part }) => part);
  const exact = parts.filter((part) => part === `${lack.type}.${lack.field}`);
  if (exact.length > 0) return exact;
  if (mayBeNeeded(lack, operation)) return [];
  // If ION still refuses the document without the deepest ones, the next try leaves out others.
  const deepest = Math.max(...parts.map(depthOf));
  return parts.filter((part) => lack.kind !== 'field' || depthOf(part) === deepest);
}

function depthOf(part: string): number {
  return part.split('.').length;
}

/** Whether the package needs a field of this name, such as one that the user chose for the rows. */
function mayBeNeeded({ kind, field }: Lack, operation: Operation): boolean {
  // In a document of the user, only the page info is wished.
  if (kind !== 'field' || !operation.isOwn) return false;
  let isNeeded = false;
  visit(operation.document, {
    Field(node) {
      isNeeded ||= node.name.value === field && !operation.wishes?.nodes.has(node);
    },
  });
  return isNeeded;
}

/** The document without these nodes, and without variables that nothing uses any more. */
function withoutNodes(document: DocumentNode, nodes: ReadonlySet<unknown>): DocumentNode {
  const isLeftOut = (node: unknown) => (nodes.has(node) ? null : undefined);
  const rest: DocumentNode = visit(document, {
    Field: { enter: isLeftOut },
    Argument: { enter: isLeftOut },
    SelectionSet: {
      leave: (set) => (set.selections.length > 0 ? undefined : { ...set, selections: [TYPENAME] }),
    },
  });
  const used = new Set<string>();
  visit(rest, {
    VariableDefinition: () => false,
    Variable: ({ name }) => {
      used.add(name.value);
    },
  });
  return visit(rest, {
    VariableDefinition: ({ variable }) => (used.has(variable.name.value) ? undefined : null),
  });
}

/** Selected in place of nothing. */
const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** A value without what is at this path; `undefined` if nothing else was in it. */
function withoutPath(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutPath(item, path)).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  if (!isPlainObject(value)) return value;
  const [name = '', ...inner] = path;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    if (key !== name && !COMBINED.has(key)) return [[key, item] as const];
    if (key === name && inner.length === 0) return [];
    const rest = withoutPath(item, key === name ? inner : path);
    return rest === undefined ? [] : [[key, rest] as const];
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
