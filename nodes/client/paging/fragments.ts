import type {
  DefinitionNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, visit } from '../graphql/language.js';
import type { Operation } from '../graphql/operation.js';
import { documentTooLarge } from './document-limits.js';

/** Visits to fields in one document; a field counts once for each fragment spread that leads to it. */
const MAX_FIELD_VISITS = 50_000;

/** The fields that selections of a document hold, directly or through fragments. */
export class Fragments {
  readonly #byName: Map<string, FragmentDefinitionNode>;
  readonly #fields = new Map<SelectionSetNode, FieldNode[]>();
  #visits = 0;

  constructor(document: DocumentNode) {
    this.#byName = fragmentsOf(document);
  }

  /**
   * The fields of a selection set, including those in its fragments.
   * @throws IonError `ION_QUERY` if fragments multiply the fields beyond a limit
   */
  fieldsOf(selectionSet: SelectionSetNode): FieldNode[] {
    let fields = this.#fields.get(selectionSet);
    if (!fields) {
      fields = [];
      this.#collect(selectionSet, fields, new Set());
      this.#fields.set(selectionSet, fields);
    }
    return fields;
  }

  #collect({ selections }: SelectionSetNode, fields: FieldNode[], visited: Set<string>): void {
    for (const selection of selections) {
      if (++this.#visits > MAX_FIELD_VISITS) throw documentTooLarge();
      if (selection.kind === Kind.FIELD) {
        fields.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#collect(selection.selectionSet, fields, visited);
      } else {
        const name = selection.name.value;
        const fragment = this.#byName.get(name);
        if (!fragment || visited.has(name)) continue;
        this.#collect(fragment.selectionSet, fields, visited.add(name));
      }
    }
  }
}

/** The operation and its fragments: other operations of the document lack the paging variables. */
export function withoutOtherOperations({ document, definition }: Operation): DocumentNode {
  const fragments = fragmentsOf(document);
  const used = new Set<DefinitionNode>([definition]);
  // The loop also reaches the fragments that it adds.
  for (const node of used) {
    visit(node, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment) used.add(fragment);
      },
    });
  }
  return { ...document, definitions: document.definitions.filter((each) => used.has(each)) };
}

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  return fragments;
}
