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
import { Kind, print, visit } from './language.js';
import { type Operation, parseOperation } from './operation.js';

const MARK = 'wished';

/**
 * An operation of this package, which is parsed on its first use: parsing all of them would take a
 * good part of Node-RED's start.
 * @param inputs paths inside variables that the package can do without, such as `input.active`
 */
export function ownOperation(text: string, inputs: readonly string[] = []): Operation {
  let parsed: ParsedOperation | undefined;
  const operation = () => {
    parsed ??= parseOwn(text);
    return parsed;
  };
  // Properties of the object itself, because callers spread it.
  return {
    get text() {
      return operation().text;
    },
    get kind() {
      return operation().kind;
    },
    get name() {
      return operation().name;
    },
    get document() {
      return operation().document;
    },
    get definition() {
      return operation().definition;
    },
    isOwn: true,
    get wishes() {
      return { nodes: operation().nodes, inputs };
    },
  };
}

type WishedNodes = Map<FieldNode | ArgumentNode, string>;
interface ParsedOperation extends Omit<Operation, 'isOwn' | 'wishes'> {
  nodes: WishedNodes;
}

function parseOwn(text: string): ParsedOperation {
  const marked = parseOperation(text);
  const nodes: WishedNodes = new Map();
  const { document, definition } = visitMarks(marked, nodes);
  return { ...marked, text: print(document), document, definition, nodes };
}

/** Removes the marks, and collects the nodes that had them. */
function visitMarks(
  { document: marked, kind }: Operation,
  nodes: WishedNodes,
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
