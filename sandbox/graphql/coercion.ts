import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  getOperationAST,
  isInputObjectType,
  isListType,
  isScalarType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from './context.js';

type Variables = Record<string, unknown>;

/** Takes numbers as text in variables for numbers, as graphene does. */
export const coercion: Plugin<ApiContext> = {
  onExecute({ args }) {
    // Safe: the library adds members of its own to the context of a request.
    const { control } = args.contextValue as ApiContext;
    const operation = getOperationAST(args.document, args.operationName);
    if (control.settings.coercion !== 'lenient' || !operation || !args.variableValues) return;
    args.variableValues = coerced(operation, args.variableValues, args.schema);
  },
};

function coerced(
  { variableDefinitions = [] }: OperationDefinitionNode,
  values: Variables,
  schema: GraphQLSchema,
): Variables {
  const result = { ...values };
  for (const { variable, type: node } of variableDefinitions) {
    const type = typeFromAST(schema, node as never) as GraphQLInputType | undefined;
    const { value: name } = variable.name;
    if (type && name in result) result[name] = coerce(result[name], type);
  }
  return result;
}

function coerce(value: unknown, nullable: GraphQLInputType): unknown {
  const type = getNullableType(nullable);
  if (Array.isArray(value)) {
    return isListType(type) ? value.map((each) => coerce(each, type.ofType)) : value;
  }
  if (isListType(type)) return coerce(value, type.ofType);
  if (isInputObjectType(type) && typeof value === 'object' && value !== null) {
    const fields = type.getFields();
    const entries = Object.entries(value).map(([name, each]) => {
      const field = fields[name];
      return [name, field ? coerce(each, field.type) : each];
    });
    return Object.fromEntries(entries);
  }
  if (typeof value !== 'string' || !isScalarType(type) || value.trim() === '') return value;
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (type.name === 'Float') return number;
  // A fraction is cut off, as Python's int() does.
  return type.name === 'Int' ? Math.trunc(number) : value;
}
