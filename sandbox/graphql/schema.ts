import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildASTSchema,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isInputObjectType,
  isObjectType,
  parse,
} from 'graphql';

export const document = parse(readFileSync(join(__dirname, 'schema.graphql'), 'utf8'), {
  noLocation: true,
});

/** ION's public schema, built once per process: it has 1,468 types. */
export const schema = buildASTSchema(document, { assumeValid: true });

export function objectTypes(): GraphQLObjectType[] {
  return Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
  );
}

export function fieldsOf(type: string): Record<string, GraphQLField<unknown, unknown>> {
  const found = schema.getType(type);
  return isObjectType(found) ? found.getFields() : {};
}

/** The type of the rows in a connection; `undefined` for any other type. */
export function nodeType(type: GraphQLNamedType): GraphQLObjectType | undefined {
  const edges = isObjectType(type) ? type.getFields().edges : undefined;
  const edge = edges && getNamedType(edges.type);
  const node = isObjectType(edge) ? edge.getFields().node : undefined;
  const found = node && getNamedType(node.type);
  return isObjectType(found) ? found : undefined;
}

/** The type of the rows that a field leads to, in a list, in a connection or alone. */
export function rowType(field: GraphQLField<unknown, unknown>): GraphQLNamedType {
  const type = getNamedType(field.type);
  return nodeType(type) ?? type;
}

/** Types that are kept in a table: they have an etag, or are named in a mutation's response. */
const STORED = new Map<string, string>();
for (const { name } of objectTypes()) {
  const fields = fieldsOf(name);
  const stored = '_etag' in fields || 'Etag' in fields || name === 'BuildRequirement';
  if (stored && name !== 'IssuedPartInventory') STORED.set(name.toLowerCase(), name);
}

export function isStored(type: string): boolean {
  return STORED.get(type.toLowerCase()) === type;
}

/** The stored type that a column such as `partId` or `mbomId` refers to by its name. */
export function typeOfId(column: string): string | undefined {
  return STORED.get(column.replace(/Ids?$/, '').toLowerCase());
}

/** The column that refers to a type: `partId`, `mbomId`. */
export function idColumn(type: string, fields: object): string | undefined {
  const wanted = `${type}id`.toLowerCase();
  return Object.keys(fields).find((name) => name.toLowerCase() === wanted);
}

/** The type whose rows an input type filters, by the fields that take it as `filters`. */
const FILTERED = new Map<string, string>();
for (const type of objectTypes()) {
  for (const field of Object.values(type.getFields())) {
    const input = filterInput(field);
    if (input && !FILTERED.has(input.name)) FILTERED.set(input.name, rowType(field).name);
  }
}

export function filteredType(input: GraphQLInputObjectType): string | undefined {
  return FILTERED.get(input.name);
}

/** The type of the `filters` that a field takes. */
export function filterInput(
  field: GraphQLField<unknown, unknown>,
): GraphQLInputObjectType | undefined {
  const argument = field.args.find(({ name }) => name === 'filters');
  const type = argument && getNamedType(argument.type);
  return isInputObjectType(type) ? type : undefined;
}
