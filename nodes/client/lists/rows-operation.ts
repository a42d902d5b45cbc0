import type { ArgumentNode, FieldNode } from 'graphql';
import { Kind } from '../graphql/language.js';
import { type Operation, parseOperation, type SentOperation } from '../graphql/operation.js';
import type { Resource } from './resources.js';
import { type RowsQuery, rowsDocument, rowsVariables } from './rows-query.js';

/**
 * The operation that reads the rows of a resource. Its wishes are the fields that the package added, a
 * sort that nobody chose, and filters without a condition.
 * @throws IonError `ION_QUERY` for a field that is not valid in GraphQL
 */
export function rowsOperation(resource: Resource, query: RowsQuery): Operation {
  const operation = parseOperation(rowsDocument(resource, query.fields));
  const { list } = resource;
  const type = resource.sort.replace('SortEnum', '');
  const root = operation.definition.selectionSet.selections[0] as FieldNode;
  const row = fieldIn(fieldIn(root, 'edges'), 'node');
  const nodes = new Map<FieldNode | ArgumentNode, string>();
  for (const path of query.wished ?? []) {
    const field = path.split('.').reduce(fieldIn, row);
    // The types of the other tables are not known here.
    if (field) nodes.set(field, `${path.includes('.') ? list : type}.${path}`);
  }
  const hasFilters = query.filters.length > 0 || Object.keys(query.filter ?? {}).length > 0;
  const chosen = { sort: query.sort.length > 0, filters: hasFilters };
  for (const argument of root.arguments ?? []) {
    const name = argument.name.value as keyof typeof chosen;
    if (!chosen[name]) nodes.set(argument, `Query.${list}(${name}:)`);
  }
  return { ...operation, isOwn: true, wishes: { nodes, inputs: [] } };
}

/**
 * The operation and its variables before the first message: the values of its filters are null.
 * @throws IonError `ION_QUERY` for a field, operator or sort that is not valid in GraphQL
 */
export function sentRowsOperation(resource: Resource, query: RowsQuery): SentOperation {
  const filters = query.filters.map((filter) => ({ ...filter, value: null }));
  return {
    operation: rowsOperation(resource, query),
    variables: rowsVariables({ ...query, filters }),
  };
}

function fieldIn(field: FieldNode | undefined, name: string): FieldNode | undefined {
  return field?.selectionSet?.selections.find(
    (each): each is FieldNode => each.kind === Kind.FIELD && each.name.value === name,
  );
}
