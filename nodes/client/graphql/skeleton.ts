import type { DirectiveNode, FieldNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';
import { isPlainObject, setProperty } from '../support/json.js';
import { Kind } from './language.js';
import type { Operation } from './operation.js';

/** The type of a field. */
export interface FieldShape {
  isList: boolean;
  /** The name of its type, without the marks of lists. */
  type: string;
}

/** The part of a schema that gives an answer its shape. */
export interface Shapes {
  /** @returns `undefined` for a field that the type does not have */
  shapeOf(type: string, field: string): FieldShape | undefined;
  readonly mutationType: string | undefined;
}

type Data = Record<string, unknown>;

/** Fragments can repeat each other, so that a short document has any number of selections. */
const MAX_SELECTIONS = 10_000;
/** Lists by their names in connections, for an unknown schema. */
const LISTS: ReadonlySet<string> = new Set(['edges', 'nodes']);

/**
 * Data in the shape of an answer: objects nested, lists empty, everything else null.
 * @param shapes the schema, if it is known
 */
export function skeletonOf(operation: Operation, variables: Data = {}, shapes?: Shapes): Data {
  return new Skeleton(operation, variables, shapes).data();
}

class Skeleton {
  readonly #operation: Operation;
  readonly #variables: Data;
  readonly #shapes: Shapes | undefined;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  #count = 0;

  constructor(operation: Operation, variables: Data, shapes: Shapes | undefined) {
    this.#operation = operation;
    this.#variables = variables;
    this.#shapes = shapes;
    for (const each of operation.document.definitions) {
      if (each.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(each.name.value, each);
    }
  }

  data(): Data {
    const data: Data = {};
    this.#fill(data, this.#operation.definition.selectionSet, this.#shapes?.mutationType, []);
    return data;
  }

  /** @param within the fragments around, because one may contain itself */
  #fill(
    data: Data,
    { selections }: SelectionSetNode,
    type: string | undefined,
    within: readonly string[],
  ): void {
    for (const selection of selections) {
      if (++this.#count > MAX_SELECTIONS) return;
      if (!this.#isIncluded(selection.directives)) continue;
      if (selection.kind === Kind.FIELD) {
        this.#add(data, selection, type, within);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const { typeCondition, selectionSet } = selection;
        this.#fill(data, selectionSet, typeCondition?.name.value ?? type, within);
      } else {
        const { value: name } = selection.name;
        const fragment = this.#fragments.get(name);
        if (!fragment || within.includes(name)) continue;
        const { typeCondition, selectionSet } = fragment;
        this.#fill(data, selectionSet, typeCondition.name.value, [...within, name]);
      }
    }
  }

  #add(
    data: Data,
    { name: { value: name }, alias, selectionSet }: FieldNode,
    type: string | undefined,
    within: readonly string[],
  ): void {
    const key = alias?.value ?? name;
    const shape = type === undefined ? undefined : this.#shapes?.shapeOf(type, name);
    const isList = shape ? shape.isList : selectionSet !== undefined && LISTS.has(name);
    if (isList || !selectionSet) {
      setProperty(data, key, isList ? [] : null);
      return;
    }
    // The same field can be selected several times.
    const present = Object.hasOwn(data, key) ? data[key] : undefined;
    const object = isPlainObject(present) ? present : {};
    setProperty(data, key, object);
    this.#fill(object, selectionSet, shape?.type, within);
  }

  #isIncluded(directives: readonly DirectiveNode[] = []): boolean {
    return directives.every(({ name, arguments: given }) => {
      const value = given?.[0]?.value;
      if (!value || (name.value !== 'skip' && name.value !== 'include')) return true;
      const condition =
        value.kind === Kind.VARIABLE
          ? this.#variables[value.name.value]
          : 'value' in value && value.value;
      return condition !== (name.value === 'skip');
    });
  }
}
