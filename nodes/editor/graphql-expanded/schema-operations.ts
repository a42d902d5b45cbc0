// The queries and mutations of a schema, to choose from.
import type { GraphQLField, GraphQLSchema } from 'graphql';

export const OPERATION_KINDS = ['query', 'mutation'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export interface SchemaOperation {
  kind: OperationKind;
  /** A field of the schema's root type. */
  field: GraphQLField<unknown, unknown>;
}

/** The queries and mutations of a schema, each kind by name. */
export function operationsOf(
  schema: GraphQLSchema,
  kinds: readonly OperationKind[] = OPERATION_KINDS,
): SchemaOperation[] {
  const roots = { query: schema.getQueryType(), mutation: schema.getMutationType() };
  return kinds.flatMap((kind) =>
    Object.values(roots[kind]?.getFields() ?? {})
      .map((field) => ({ kind, field }))
      .sort((a, b) => (a.field.name < b.field.name ? -1 : 1)),
  );
}

/**
 * The operations whose name or description contains each word: first those whose name begins with the
 * text, then those with all in their name.
 */
export function operationsWith(text: string, operations: SchemaOperation[]): SchemaOperation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = ({ field }: SchemaOperation) => {
    const name = field.name.toLowerCase();
    if (name === words.join('')) return 0;
    if (name.startsWith(words.join(''))) return 1;
    if (words.every((word) => name.includes(word))) return 2;
    const all = `${name} ${field.description ?? ''}`.toLowerCase();
    return words.every((word) => all.includes(word)) ? 3 : undefined;
  };
  return [0, 1, 2, 3].flatMap((wanted) => operations.filter((each) => rank(each) === wanted));
}
