import type {
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, print, visit } from '../graphql/language.js';
import type { Operation } from '../graphql/operation.js';
import { checkDocumentSize } from '../paging/document-limits.js';

/** A text with a placeholder for the prefix of one operation in a shared document. */
export type Template = readonly string[];

/** An operation that can share a document with others of its kind. */
export interface Mergeable {
  operation: Operation;
  variables: readonly Template[];
  selections: Template;
  fragments: Template;
  /** The root fields, by their response keys. */
  fields: ReadonlyMap<string, FieldNode>;
}

/** Stands for the prefix; a name in a document never contains it. */
const MARK = '\uE000';
/** Limit for the document of one operation, in characters. A longer one has its own request. */
const MAX_LENGTH = 20_000;
const MAX_ROOT_FIELDS = 100;
/** Directives that split a response into several parts. */
const INCREMENTAL: ReadonlySet<string> = new Set(['defer', 'stream']);

const known = new WeakMap<Operation, Mergeable | null>();

/** @returns `undefined` for an operation that needs a document of its own */
export function mergeable(operation: Operation): Mergeable | undefined {
  let found = known.get(operation);
  if (found === undefined) {
    found = isPrintable(operation) ? (new Document(operation).read() ?? null) : null;
    known.set(operation, found);
  }
  return found ?? undefined;
}

function isPrintable({ text, document }: Operation): boolean {
  if (text.length > MAX_LENGTH) return false;
  try {
    checkDocumentSize(document);
    return true;
  } catch {
    return false;
  }
}

/** A document whose names get a prefix. ION has to refuse the same faults in it as before. */
class Document {
  readonly #operation: Operation;
  readonly #definition: OperationDefinitionNode;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** Fragments that were replaced by their fields at the root. */
  readonly #inlined = new Set<string>();
  readonly #used = new Set<string>();
  readonly #fields = new Map<string, FieldNode>();
  #count = 0;

  constructor(operation: Operation) {
    this.#operation = operation;
    this.#definition = operation.definition;
    for (const each of operation.document.definitions) {
      if (each.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(each.name.value, each);
    }
  }

  read(): Mergeable | undefined {
    const { document } = this.#operation;
    if (print(document).includes(MARK)) return undefined;
    const others = document.definitions.length - this.#fragments.size;
    if (others !== 1 || (this.#definition.directives?.length ?? 0) > 0) return undefined;
    const root = this.#root(this.#definition.selectionSet.selections, []);
    if (!root) return undefined;
    for (const selection of root) this.#findFragments(selection);
    const fragments = [...this.#used].map((name) => this.#fragments.get(name));
    const isUsed = (name: string) => this.#used.has(name) || this.#inlined.has(name);
    if (![...this.#fragments.keys()].every(isUsed)) return undefined;
    if (!this.#usesItsVariables([...root, ...fragments])) return undefined;
    const definitions = this.#definition.variableDefinitions ?? [];
    return {
      operation: this.#operation,
      variables: definitions.map((each) => template([each])),
      selections: template(root),
      fragments: template(fragments),
      fields: this.#fields,
    };
  }

  /** The selections at the root, with aliases and without spreads. */
  #root(
    selections: readonly SelectionNode[],
    path: readonly string[],
  ): SelectionNode[] | undefined {
    const result: SelectionNode[] = [];
    for (const selection of selections) {
      const renamed = this.#atRoot(selection, path);
      if (!renamed) return undefined;
      result.push(renamed);
    }
    return result;
  }

  #atRoot(selection: SelectionNode, path: readonly string[]): SelectionNode | undefined {
    if (selection.kind === Kind.FIELD) return this.#rootField(selection);
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const { selectionSet } = selection;
      return this.#withRoot(selectionSet, path, (set) => ({ ...selection, selectionSet: set }));
    }
    const { name, directives = [] } = selection;
    const fragment = this.#fragments.get(name.value);
    // A fragment that contains itself is for ION to refuse.
    if (!fragment || fragment.directives?.length || path.includes(name.value)) return undefined;
    this.#inlined.add(name.value);
    const { typeCondition, selectionSet } = fragment;
    return this.#withRoot(selectionSet, [...path, name.value], (set) => ({
      kind: Kind.INLINE_FRAGMENT,
      typeCondition,
      directives,
      selectionSet: set,
    }));
  }

  #withRoot(
    { kind, selections }: SelectionSetNode,
    path: readonly string[],
    make: (set: SelectionSetNode) => SelectionNode,
  ): SelectionNode | undefined {
    const root = this.#root(selections, path);
    return root && make({ kind, selections: root });
  }

  #rootField(field: FieldNode): FieldNode | undefined {
    const { name, alias } = field;
    // The schema itself is large, and has its own form in some responses.
    if (name.value.startsWith('__') && name.value !== '__typename') return undefined;
    if (++this.#count > MAX_ROOT_FIELDS) return undefined;
    const key = (alias ?? name).value;
    this.#fields.set(key, field);
    return { ...field, alias: { kind: Kind.NAME, value: MARK + key } };
  }

  #findFragments(node: SelectionNode | FragmentDefinitionNode): void {
    visit(node, {
      FragmentSpread: ({ name }) => {
        const fragment = this.#fragments.get(name.value);
        if (!fragment || this.#used.has(name.value)) return;
        this.#used.add(name.value);
        this.#findFragments(fragment);
      },
    });
  }

  /** ION refuses the whole document for a variable that is not declared or not used. */
  #usesItsVariables(
    nodes: readonly (SelectionNode | FragmentDefinitionNode | undefined)[],
  ): boolean {
    const used = new Set<string>();
    let isIncremental = false;
    for (const node of nodes) {
      if (!node) return false;
      visit(node, {
        Variable: ({ name }) => {
          used.add(name.value);
        },
        Directive: ({ name }) => {
          isIncremental ||= INCREMENTAL.has(name.value);
        },
        FragmentSpread: ({ name }) => {
          if (!this.#fragments.has(name.value)) used.add(`...${name.value}`);
        },
      });
    }
    const declared = this.#definition.variableDefinitions?.map((each) => each.variable.name.value);
    const isSame =
      used.size === (declared?.length ?? 0) && declared?.every((each) => used.has(each));
    return !isIncremental && (isSame ?? used.size === 0);
  }
}

/** Prints nodes with the placeholder in front of the names of variables and fragments. */
function template(nodes: readonly unknown[]): Template {
  const marked = (name: { value: string }) => ({ kind: Kind.NAME, value: MARK + name.value });
  const texts = (nodes as SelectionNode[]).map((node) =>
    print(
      visit(node as SelectionNode, {
        Variable: ({ name }) => ({ kind: Kind.VARIABLE, name: marked(name) }),
        FragmentSpread: { leave: (spread) => ({ ...spread, name: marked(spread.name) }) },
        FragmentDefinition: { leave: (fragment) => ({ ...fragment, name: marked(fragment.name) }) },
      }),
    ),
  );
  return texts.join('\n').split(MARK);
}
