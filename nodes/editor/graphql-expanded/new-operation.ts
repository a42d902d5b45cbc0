// The text of an operation to start from, for a query or mutation of the schema.
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import type { QueryTemplate } from '../graphql/query-templates.js';
import type { SchemaOperation } from './schema-operations.js';

type Field = GraphQLField<unknown, unknown>;

interface Selected {
  name: string;
  fields?: Selected[];
}

/** Rows of a connection, as in the query of a new node. */
const ROWS = 10;
/** Names that the next operation needs. */
const KEYS = ['id', '_etag'];
const TYPE_NAME = [{ name: '__typename' }];
/** Inputs within inputs, of which examples are made. */
const MAX_LEVELS = 3;

/** A valid operation with what its arguments require as variables, and an example of these. */
export function newOperation({ kind, field }: SchemaOperation): QueryTemplate {
  // A mutation without its input does nothing, even if the schema does not require it.
  const isSent = (each: GraphQLArgument) =>
    isRequiredArgument(each) ||
    (kind === 'mutation' && isInputObjectType(getNamedType(each.type)) && !each.deprecationReason);
  const sent = field.args.filter(isSent);
  const declared = sent.map(({ name, type }) => `$${name}: ${String(type)}`);
  const given = sent.map(({ name }) => `${name}: $${name}`);
  if (nodeOf(field.type) && field.args.some((each) => isFirst(each) && !isSent(each))) {
    given.push(`first: ${ROWS}`);
  }
  const name = field.name.charAt(0).toUpperCase() + field.name.slice(1);
  const isPayload = kind === 'mutation';
  const root = `${field.name}${inParentheses(given)}`;
  const query = `${kind} ${name}${inParentheses(declared)} ${block([
    { name: root, fields: selectionOf(field.type, isPayload) },
  ])}\n`;
  if (sent.length === 0) return { query };
  const examples = sent.map((each) => [each.name, exampleOf(each.type)]);
  return { query, variables: JSON.stringify(Object.fromEntries(examples), null, 2) };
}

function isFirst({ name, type }: GraphQLArgument): boolean {
  return name === 'first' && getNamedType(type).name === 'Int';
}

function inParentheses(parts: string[]): string {
  return parts.length > 0 ? `(${parts.join(', ')})` : '';
}

function block(fields: Selected[], indent = '  '): string {
  const lines = fields.map(({ name, fields }) =>
    fields && fields.length > 0 ? `${name} ${block(fields, `${indent}  `)}` : name,
  );
  return `{\n${lines.map((line) => indent + line).join('\n')}\n${indent.slice(2)}}`;
}

/** The fields to select; none for a value. */
function selectionOf(output: GraphQLOutputType, isPayload: boolean): Selected[] {
  const type = getNamedType(output);
  if (isLeafType(type)) return [];
  const node = nodeOf(output);
  if (node) return inConnection(valuesOf(node));
  const values = valuesOf(type);
  const isObject = values.some(({ name }) => name === 'id') || !isPayload;
  // The payload of a mutation holds the changed object.
  const all = isObject && values.length > 0 ? values : [...values, ...objectsOf(type)];
  return all.length > 0 ? all : TYPE_NAME;
}

/** The type of a connection's nodes; `undefined` if it is none. */
function nodeOf(output: GraphQLOutputType): GraphQLNamedType | undefined {
  const inObject = (type: GraphQLNamedType, name: string) => {
    const field = isObjectType(type) ? type.getFields()[name] : undefined;
    return field && isSelectable(field) ? getNamedType(field.type) : undefined;
  };
  const edge = inObject(getNamedType(output), 'edges');
  const node = edge && inObject(edge, 'node');
  return isLeafType(node) ? undefined : node;
}

function inConnection(fields: Selected[]): Selected[] {
  const node = { name: 'node', fields: fields.length > 0 ? fields : TYPE_NAME };
  return [{ name: 'edges', fields: [node] }];
}

/** The fields that are values, the ID first. */
function valuesOf(type: GraphQLNamedType): Selected[] {
  const values = fieldsOf(type).filter((field) => isLeafType(getNamedType(field.type)));
  const names = values.map(({ name }) => ({ name }));
  const isId = ({ name }: Selected) => name === 'id';
  return [...names.filter(isId), ...names.filter((each) => !isId(each))];
}

/** The fields that are objects, with what the next operation needs of them. */
function objectsOf(type: GraphQLNamedType): Selected[] {
  const objects = fieldsOf(type).filter((field) => !isLeafType(getNamedType(field.type)));
  return objects.map(({ name, type }) => {
    const node = nodeOf(type);
    const fields = node ? inConnection(keysOf(node)) : keysOf(getNamedType(type));
    return { name, fields: fields.length > 0 ? fields : TYPE_NAME };
  });
}

function keysOf(type: GraphQLNamedType): Selected[] {
  const values = valuesOf(type);
  const keys = values.filter(({ name }) => KEYS.includes(name));
  return keys.length > 0 ? keys : values;
}

function fieldsOf(type: GraphQLNamedType): Field[] {
  const hasFields = isObjectType(type) || isInterfaceType(type);
  return hasFields ? Object.values(type.getFields()).filter(isSelectable) : [];
}

function isSelectable({ args, deprecationReason }: Field): boolean {
  return !deprecationReason && !args.some(isRequiredArgument);
}

function exampleOf(type: GraphQLInputType, level = 0): unknown {
  if (isNonNullType(type)) return exampleOf(type.ofType, level);
  if (isListType(type)) return level < MAX_LEVELS ? [exampleOf(type.ofType, level + 1)] : [];
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequiredInputField);
    const entries = required.map((each) => [each.name, exampleOf(each.type, level + 1)]);
    return Object.fromEntries(entries);
  }
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (type.name === 'Boolean') return false;
  return ['ID', 'Int', 'Float'].includes(type.name) ? 1 : '';
}
