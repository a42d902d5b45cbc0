// The documents of this package. They mark the parts that the package can do without:
// - `... on RunStep @wished { title }`: fields of a type
// - `runs(sort: [ID_ASC]) @wished(arguments: [sort])`: arguments of a field
// The marks are removed before the document is sent.
import type {
  ArgumentNode,
  ConstDirectiveNode,
  DirectiveNode,
  FieldNode,
  InlineFragmentNode,
  SelectionNode,
} from 'graphql';
import { Kind, print, visit } from 'graphql/language';
import { type Operation, parseOperation } from './operation.js';

const MARK = 'wished';

/**
 * An operation of this package.
 * @param inputs paths inside variables that the package can do without, such as `input.active`
 */
export function ownOperation(text: string, inputs: readonly string[] = []): Operation {
  const marked = parseOperation(text);
  const nodes = new Map<FieldNode | ArgumentNode, string>();
  const { document, definition } = visitMarks(marked, nodes);
  const isOwn = true;
  return {
    ...marked,
    text: print(document),
    document,
    definition,
    isOwn,
    wishes: { nodes, inputs },
  };
}

/** Removes the marks, and collects the nodes that had them. */
function visitMarks(
  { document: marked, kind }: Operation,
  nodes: Map<FieldNode | ArgumentNode, string>,
): Pick<Operation, 'document' | 'definition'> {
  const root = kind === 'query' ? 'Query' : 'Mutation';
  const document = visit(marked, {
    Field: {
      leave(field) {
        const mark = field.directives?.find(isMark);
        if (!mark) return undefined;
        for (const argument of field.arguments ?? []) {
          const { value: name } = argument.name;
          if (!namesIn(mark).has(name)) continue;
          nodes.set(argument, `${root}.${field.name.value}(${name}:)`);
        }
        return { ...field, directives: field.directives?.filter((each) => each !== mark) };
      },
    },
    SelectionSet: {
      leave(set) {
        const selections = set.selections.flatMap((selection) => {
          if (!isMarkedGroup(selection)) return selection;
          const type = selection.typeCondition?.name.value;
          for (const field of selection.selectionSet.selections) {
            if (field.kind === Kind.FIELD) nodes.set(field, `${type}.${field.name.value}`);
          }
          return selection.selectionSet.selections;
        });
        return { ...set, selections };
      },
    },
  });
  const definition = document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  return { document, definition: definition as Operation['definition'] };
}

function isMark({ name }: DirectiveNode): boolean {
  return name.value === MARK;
}

function isMarkedGroup(selection: SelectionNode): selection is InlineFragmentNode {
  return selection.kind === Kind.INLINE_FRAGMENT && (selection.directives?.some(isMark) ?? false);
}

/** The arguments that a mark names. */
function namesIn(mark: DirectiveNode | ConstDirectiveNode): ReadonlySet<string> {
  const list = mark.arguments?.[0]?.value;
  const names = list?.kind === Kind.LIST ? list.values : [];
  return new Set(names.map((each) => (each.kind === Kind.ENUM ? each.value : '')));
}
