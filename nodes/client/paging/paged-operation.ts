import type {
  ArgumentNode,
  DefinitionNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  ValueNode,
  VariableDefinitionNode,
} from 'graphql';
import { Kind, print, visit } from 'graphql/language';
import { IonError, quote } from '../errors.js';
import type { Operation } from '../graphql/operation.js';

/** An operation that reads one connection page by page. */
export interface PagedOperation extends Operation {
  /** Response keys that lead from `data` to the connection. */
  path: string[];
  /** Names of the variables that carry the page size and the cursor. */
  firstVariable: string;
  afterVariable: string;
  /** The user's own `first`, where the document gives one. */
  ownFirst: ArgumentValue;
  ownAfter: ArgumentValue;
  /** Response key of the connection's `edges`. */
  edgesKey: string;
  /** Response keys that lead from an edge to the id of its row, where the document selects it. */
  idPath: [node: string, id: string] | undefined;
}

/** A literal of the document, or the name of the variable that holds the value. */
type ArgumentValue = { literal: unknown } | { variable: string } | undefined;

/** Fields with a selection of their own that are searched for the connection. */
const MAX_FIELDS_SEARCHED = 1000;
/** Visits to fields in one document; a field counts each time that a fragment leads to it. */
const MAX_FIELDS_SEEN = 50_000;
/** Size of a document that is rewritten: printing it takes one pass over its text for each level. */
const MAX_NODES = 50_000;
const MAX_LEVELS = 64;
/** Characters, each of them as often as its level: printing indents a text once for each level. */
const MAX_PRINTED = 2_000_000;
const NESTED_VALUES: ReadonlySet<string> = new Set([Kind.LIST, Kind.OBJECT, Kind.LIST_TYPE]);
/** In characters, of an alias or a field that leads to the connection. */
const MAX_KEY = 500;

export interface PagingOptions {
  /** False where the schema's page info has no count of all rows. */
  totalCount: boolean;
}

/**
 * Rewrites an operation so that its connection can be read page by page: adds `first`, `after` and
 * `pageInfo` where they are missing. Everything else stays as it was written.
 * @throws IonError `ION_QUERY` when there is no connection, or more than one
 */
export function pagedOperation(operation: Operation, options: PagingOptions): PagedOperation {
  if (operation.kind !== 'query') {
    // It would be executed once for every page.
    throw new IonError(
      'ION_QUERY',
      'Only queries can be paged. For a mutation set the pages to "one".',
    );
  }
  const { definition } = operation;
  const document = ownPart(operation);
  checkSize(document);
  const { path, fields } = theConnection(operation);
  const field = fields[0] as FieldNode;
  for (const backwards of ['last', 'before']) {
    if (argument(field, backwards)) {
      throw new IonError(
        'ION_QUERY',
        `"${path.join('.')}" is read backwards ("${backwards}"), which cannot be paged. Use first and after.`,
      );
    }
  }
  const variables = new Set(
    (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value),
  );
  const first = pagingArgument(fields, 'first', document, variables);
  const after = pagingArgument(fields, 'after', document, variables);
  const added = [
    ...(first.isNew ? [variableDefinition(first.variable, 'Int')] : []),
    ...(after.isNew ? [variableDefinition(after.variable, 'String')] : []),
  ];
  const replaced = new Set(fields);
  const rewritten: DocumentNode = visit(document, {
    Field(node) {
      if (!replaced.has(node)) return undefined;
      return withPaging(node, { first: first.variable, after: after.variable }, options);
    },
    // Printed as it is, on one line: a block string would be indented, line by line.
    StringValue: ({ value }) => ({ kind: Kind.ENUM, value: JSON.stringify(value) }),
    OperationDefinition: {
      leave(node) {
        if (node.name?.value !== definition.name?.value) return undefined;
        return { ...node, variableDefinitions: [...(node.variableDefinitions ?? []), ...added] };
      },
    },
  });
  return {
    ...operation,
    text: print(rewritten),
    document: rewritten,
    path,
    firstVariable: first.variable,
    afterVariable: after.variable,
    ownFirst: first.own,
    ownAfter: after.own,
    ...rowKeys(field, new Fragments(document)),
  };
}

/** The value that the user gave an argument, as a literal or in the variables. */
export function argumentValue(
  value: ArgumentValue,
  operation: Operation,
  variables: Record<string, unknown>,
): unknown {
  if (!value) return undefined;
  if ('literal' in value) return value.literal;
  const given = variables[value.variable];
  if (given !== undefined) return given;
  const definition = operation.definition.variableDefinitions?.find(
    ({ variable }) => variable.name.value === value.variable,
  );
  return definition?.defaultValue && literalOf(definition.defaultValue);
}

/** @throws IonError `ION_QUERY` for what would take too long to rewrite */
function checkSize(document: DocumentNode): void {
  let nodes = 0;
  let level = 0;
  // Of lists and objects within each other, which are joined once for each level as well.
  let inner = 0;
  let printed = 0;
  visit(document, {
    enter(node) {
      if (++nodes > MAX_NODES) throw tooLarge();
      const text = 'value' in node && typeof node.value === 'string' ? node.value : '';
      printed += (text.length + 2 * level) * (level + inner);
      if (printed > MAX_PRINTED) throw tooLarge();
      if (NESTED_VALUES.has(node.kind)) inner++;
      if (node.kind === Kind.SELECTION_SET && ++level > MAX_LEVELS) {
        throw new IonError(
          'ION_QUERY',
          `The query has fields within fields over more than ${MAX_LEVELS} levels. Pages can be read of a simpler one.`,
        );
      }
    },
    leave(node) {
      if (node.kind === Kind.SELECTION_SET) level--;
      if (NESTED_VALUES.has(node.kind)) inner--;
    },
  });
}

function tooLarge(): IonError {
  return new IonError(
    'ION_QUERY',
    'The query is too large for its pages to be read one by one. Select fewer fields.',
  );
}

/** A connection is a field that selects `edges`; those inside another connection do not count. */
function theConnection(operation: Operation): { path: string[]; fields: FieldNode[] } {
  const fragments = new Fragments(operation.document);
  const found = new Map<string, { path: string[]; fields: FieldNode[] }>();
  let searched = 0;
  const search = (selectionSet: SelectionSetNode, path: string[]) => {
    for (const field of fragments.fieldsOf(selectionSet)) {
      if (!field.selectionSet) continue;
      // Fragments that use themselves, or each other twice, lead on without an end.
      if (++searched > MAX_FIELDS_SEARCHED) {
        throw new IonError(
          'ION_QUERY',
          `The query has more than ${MAX_FIELDS_SEARCHED} fields among which to look for the list. Pages can be read of a smaller one.`,
        );
      }
      const key = responseKey(field);
      if (key.length > MAX_KEY) throw tooLarge();
      const here = [...path, key];
      if (fragments.fieldsOf(field.selectionSet).some(({ name }) => name.value === 'edges')) {
        const name = here.join('.');
        const known = found.get(name);
        if (known) known.fields.push(field);
        else found.set(name, { path: here, fields: [field] });
      } else {
        search(field.selectionSet, here);
      }
    }
  };
  search(operation.definition.selectionSet, []);
  const [connection, ...others] = found.values();
  if (!connection) {
    throw new IonError(
      'ION_QUERY',
      'The query has no connection to page through: no field selects "edges". Set the pages to "one", or select a list such as runs { edges { node { id } } }.',
    );
  }
  if (others.length > 0) {
    throw new IonError(
      'ION_QUERY',
      `The query has ${found.size} connections (${quote([...found.keys()].join(', '))}), but only one can be paged. Split it into one query each.`,
    );
  }
  return connection;
}

function rowKeys(
  connection: FieldNode,
  fragments: Fragments,
): Pick<PagedOperation, 'edgesKey' | 'idPath'> {
  const inside = (field: FieldNode | undefined, name: string) =>
    field?.selectionSet &&
    fragments.fieldsOf(field.selectionSet).find((each) => each.name.value === name);
  const edges = inside(connection, 'edges');
  const node = inside(edges, 'node');
  const id = inside(node, 'id');
  return {
    edgesKey: edges ? responseKey(edges) : 'edges',
    idPath: node && id && [responseKey(node), responseKey(id)],
  };
}

function responseKey(field: FieldNode): string {
  return field.alias?.value ?? field.name.value;
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

/** The operation and its fragments: other operations of the document lack the new variables. */
function ownPart({ document, definition }: Operation): DocumentNode {
  const fragments = fragmentsOf(document);
  const used = new Set<DefinitionNode>([definition]);
  // The iteration reaches what is added on the way.
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

/** The fragments of a document, by which one selection can hold the fields of many others. */
class Fragments {
  readonly #byName: Map<string, FragmentDefinitionNode>;
  /** Selections that were searched before, with the fields found. */
  readonly #known = new Map<SelectionSetNode, FieldNode[]>();
  #seen = 0;

  constructor(document: DocumentNode) {
    this.#byName = fragmentsOf(document);
  }

  /**
   * The fields of a selection set, those in its fragments included.
   * @throws IonError `ION_QUERY` where fragments multiply them beyond what can be searched
   */
  fieldsOf(selectionSet: SelectionSetNode): FieldNode[] {
    let fields = this.#known.get(selectionSet);
    if (!fields) {
      fields = [];
      this.#collect(selectionSet, fields, new Set());
      this.#known.set(selectionSet, fields);
    }
    return fields;
  }

  #collect({ selections }: SelectionSetNode, fields: FieldNode[], visited: Set<string>): void {
    for (const selection of selections) {
      if (++this.#seen > MAX_FIELDS_SEEN) throw tooLarge();
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

function pagingArgument(
  fields: readonly FieldNode[],
  name: 'first' | 'after',
  document: DocumentNode,
  taken: Set<string>,
): { variable: string; isNew: boolean; own: ArgumentValue } {
  const values = fields.map((field) => argument(field, name)?.value);
  const [value] = values;
  if (value?.kind === Kind.VARIABLE) {
    const variable = value.name.value;
    // A variable that serves nothing else is set per page; one with other uses keeps its value.
    const isShared = isUsed(variable, document, new Set(values));
    if (!isShared) return { variable, isNew: false, own: { variable } };
    return { variable: freeName(name, taken), isNew: true, own: { variable } };
  }
  const own = value && { literal: literalOf(value) };
  return { variable: freeName(name, taken), isNew: true, own };
}

function isUsed(
  variable: string,
  document: DocumentNode,
  except: ReadonlySet<ValueNode | undefined>,
): boolean {
  let used = false;
  visit(document, {
    VariableDefinition: () => false,
    Variable(node) {
      if (node.name.value === variable && !except.has(node)) used = true;
    },
  });
  return used;
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}${number}`;
  taken.add(name);
  return name;
}

function argument(field: FieldNode, name: string): ArgumentNode | undefined {
  return field.arguments?.find((candidate) => candidate.name.value === name);
}

function literalOf(value: ValueNode): unknown {
  if (value.kind === Kind.INT) return Number(value.value);
  return value.kind === Kind.STRING ? value.value : undefined;
}

function withPaging(
  field: FieldNode,
  variables: { first: string; after: string },
  { totalCount }: PagingOptions,
): FieldNode {
  const others = (field.arguments ?? []).filter(
    ({ name }) => name.value !== 'first' && name.value !== 'after',
  );
  const selections = field.selectionSet?.selections ?? [];
  const wanted = ['hasNextPage', 'startCursor', 'endCursor', ...(totalCount ? ['totalCount'] : [])];
  return {
    ...field,
    arguments: [
      ...others,
      variableArgument('first', variables.first),
      variableArgument('after', variables.after),
    ],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [...selections.filter((node) => !isPageInfo(node)), pageInfo(selections, wanted)],
    },
  };
}

function isPageInfo(selection: SelectionNode): selection is FieldNode {
  return selection.kind === Kind.FIELD && selection.name.value === 'pageInfo' && isPlain(selection);
}

/** In the answer under its own name, whatever the variables are. */
function isPlain(field: FieldNode): boolean {
  return !field.alias && !field.directives?.length;
}

function pageInfo(selections: readonly SelectionNode[], wanted: string[]): FieldNode {
  const own = selections
    .filter(isPageInfo)
    .flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
  const has = (name: string) =>
    own.some((node) => node.kind === Kind.FIELD && node.name.value === name && isPlain(node));
  const missing = wanted.filter((name) => !has(name)).map(nameField);
  return {
    ...nameField('pageInfo'),
    selectionSet: { kind: Kind.SELECTION_SET, selections: [...own, ...missing] },
  };
}

function nameField(name: string): FieldNode {
  return { kind: Kind.FIELD, name: { kind: Kind.NAME, value: name } };
}

function variableArgument(name: string, variable: string): ArgumentNode {
  return {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: name },
    value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
  };
}

function variableDefinition(name: string, type: string): VariableDefinitionNode {
  return {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } },
    type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } },
  };
}
