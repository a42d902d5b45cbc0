// The knowledge of GraphQL in the query editor.
import {
  buildClientSchema,
  type GraphQLSchema,
  type IntrospectionQuery,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import {
  getAutocompleteSuggestions,
  getDiagnostics,
  getHoverInformation,
  Position,
} from 'graphql-language-service';
import * as prettierGraphql from 'prettier/plugins/graphql';
import { format } from 'prettier/standalone';

/** One schema for all editors that use the same introspection. */
const schemas = new WeakMap<object, GraphQLSchema>();

/** Lines and characters count from 0, as in the language server protocol. */
export const language = {
  buildSchema(introspection: object): GraphQLSchema {
    const schema =
      schemas.get(introspection) ?? buildClientSchema(introspection as IntrospectionQuery);
    schemas.set(introspection, schema);
    return schema;
  },

  suggestions: (schema: GraphQLSchema, text: string, line: number, character: number) =>
    getAutocompleteSuggestions(schema, text, new Position(line, character)),

  /** Plain text about a position: a line of GraphQL, and its description in the schema. */
  hover(
    schema: GraphQLSchema,
    text: string,
    line: number,
    character: number,
  ): { code: string; description: string } {
    const found = String(getHoverInformation(schema, text, new Position(line, character)));
    const [code = '', ...description] = found.split('\n\n');
    return { code, description: description.join('\n\n') };
  },

  /** Names that the schema does not have; without a schema only syntax errors. */
  diagnostics: (text: string, schema: GraphQLSchema | undefined) => getDiagnostics(text, schema),

  format: (text: string): Promise<string> =>
    format(text, { parser: 'graphql', plugins: [prettierGraphql] }),

  /** The names of the variables that the operation declares which would run. */
  variablesOf: (text: string, operationName: string): string[] =>
    operationsIn(text, operationName).flatMap(({ variableDefinitions = [] }) =>
      variableDefinitions.map(({ variable }) => variable.name.value),
    ),

  /** The names of the variables without which ION rejects the operation. */
  requiredVariablesOf: (text: string, operationName: string): string[] =>
    operationsIn(text, operationName).flatMap(({ variableDefinitions = [] }) =>
      variableDefinitions
        .filter(({ type, defaultValue }) => type.kind === 'NonNullType' && !defaultValue)
        .map(({ variable }) => variable.name.value),
    ),

  /** Whether the operation that would run is a mutation. */
  isMutation: (text: string, operationName: string): boolean =>
    operationsIn(text, operationName).some(({ operation }) => operation === 'mutation'),
};

/** The operations of a document with a name, or all. Throws for a syntax error. */
function operationsIn(text: string, operationName: string): OperationDefinitionNode[] {
  return parse(text).definitions.filter(
    (definition) =>
      definition.kind === 'OperationDefinition' &&
      (operationName === '' || definition.name?.value === operationName),
  ) as OperationDefinitionNode[];
}

export type { GraphQLSchema };
