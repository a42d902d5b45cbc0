import type {
  ArgumentNode,
  DocumentNode,
  FieldNode,
  SelectionNode,
  ValueNode,
  VariableDefinitionNode,
} from 'graphql';
import { IonError } from '../errors.js';
import { Kind, print, visit } from '../graphql/language.js';
import type { Operation } from '../graphql/operation.js';
import { checkDocumentSize } from './document-limits.js';
import { findConnection, type RowKeys, rowKeysOf } from './find-connection.js';
import { withoutOtherOperations } from './fragments.js';

/** An operation that reads one connection page by page. */
export interface PagedOperation extends Operation, RowKeys {
  /** Response keys that lead from `data` to the connection. */
  path: string[];
  /** Name of the variable that carries the page size. */
  firstVariable: string;
  /** Name of the variable that carries the cursor. */
  afterVariable: string;
  /** The user's own `first`, if the document gives one. */
  ownFirst: ArgumentValue;
  /** The user's own `after`, if the document gives one. */
  ownAfter: ArgumentValue;
}

/** A literal of the document, or the name of the variable that holds the value. */
type ArgumentValue = { literal: unknown } | { variable: string } | undefined;

/** Fields of the page info that are added if the document lacks them. */
const PAGE_INFO = ['hasNextPage', 'startCursor', 'endCursor', 'totalCount'];
/** No page can follow another one without it. */
const NEEDED = 'endCursor';

/**
 * Rewrites an operation so that its connection can be read page by page: adds `first`, `after` and
 * `pageInfo` if they are missing. Everything else stays as it was written. Not every list of ION has
 * a page info with counts, so the fields that are added to it are wishes.
 * @throws IonError `ION_QUERY` if there is not exactly one connection, if it is read backwards, if
 * the operation is a mutation, or if the document is too large
 */
export function pagedOperation(operation: Operation): PagedOperation {
  if (operation.kind !== 'query') {
    // A mutation would be executed once for every page.
    throw new IonError(
      'ION_QUERY',
      'Only queries can be paged. Set Paging to "off" for a mutation.',
    );
  }
  const { definition } = operation;
  const document = withoutOtherOperations(operation);
  checkDocumentSize(document);
  const { path, fields } = findConnection(operation);
  const field = fields[0] as FieldNode;
  for (const backwards of ['last', 'before']) {
    if (argument(field, backwards)) {
      throw new IonError(
        'ION_QUERY',
        `"${path.join('.')}" is read backwards ("${backwards}"), which cannot be paged. Use first and after.`,
      );
    }
  }
  const taken = new Set(
    (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value),
  );
  const first = pagingArgument(fields, 'first', document, taken);
  const after = pagingArgument(fields, 'after', document, taken);
  const added = [
    ...(first.isNew ? [variableDefinition(first.variable, 'Int')] : []),
    ...(after.isNew ? [variableDefinition(after.variable, 'String')] : []),
  ];
  const replaced = new Set(fields);
  const nodes = new Map(operation.wishes?.nodes);
  const rewritten: DocumentNode = visit(document, {
    Field(node) {
      if (!replaced.has(node)) return undefined;
      const paged = withPaging(node, { first: first.variable, after: after.variable });
      for (const each of paged.added)
        nodes.set(each, `${path.join('.')}.pageInfo.${each.name.value}`);
      return paged.field;
    },
    // An enum prints its name unchanged; a block string would be indented line by line.
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
    wishes: { inputs: [], ...operation.wishes, nodes },
    path,
    firstVariable: first.variable,
    afterVariable: after.variable,
    ownFirst: first.own,
    ownAfter: after.own,
    ...rowKeysOf(field, operation),
  };
}

/** The value of an argument: a literal, the message's variable, or the variable's default. */
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
    // A variable with other uses keeps its value; paging adds another variable.
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

/** The field with paging, and the fields of its page info that were added and are not needed. */
function withPaging(
  field: FieldNode,
  variables: { first: string; after: string },
): { field: FieldNode; added: FieldNode[] } {
  const others = (field.arguments ?? []).filter(
    ({ name }) => name.value !== 'first' && name.value !== 'after',
  );
  const selections = field.selectionSet?.selections ?? [];
  const added = missingPageInfo(selections);
  const paged: FieldNode = {
    ...field,
    arguments: [
      ...others,
      variableArgument('first', variables.first),
      variableArgument('after', variables.after),
    ],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [...selections.filter((node) => !isPageInfo(node)), pageInfo(selections, added)],
    },
  };
  return { field: paged, added: added.filter(({ name }) => name.value !== NEEDED) };
}

function isPageInfo(selection: SelectionNode): selection is FieldNode {
  return (
    selection.kind === Kind.FIELD && selection.name.value === 'pageInfo' && isUnmodified(selection)
  );
}

/** Whether the field is in every response, under its own name. */
function isUnmodified(field: FieldNode): boolean {
  return !field.alias && !field.directives?.length;
}

function pageInfo(selections: readonly SelectionNode[], added: readonly FieldNode[]): FieldNode {
  return {
    ...nameField('pageInfo'),
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [...ownPageInfo(selections), ...added],
    },
  };
}

function missingPageInfo(selections: readonly SelectionNode[]): FieldNode[] {
  const own = ownPageInfo(selections);
  const has = (name: string) =>
    own.some((node) => node.kind === Kind.FIELD && node.name.value === name && isUnmodified(node));
  return PAGE_INFO.filter((name) => !has(name)).map(nameField);
}

function ownPageInfo(selections: readonly SelectionNode[]): SelectionNode[] {
  return selections
    .filter(isPageInfo)
    .flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
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
