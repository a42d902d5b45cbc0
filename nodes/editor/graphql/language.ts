// The knowledge of GraphQL in the query editor.
import { buildClientSchema, type GraphQLSchema, type IntrospectionQuery, parse } from 'graphql';
import {
  getAutocompleteSuggestions,
  getDiagnostics,
  getHoverInformation,
  Position,
} from 'graphql-language-service';
import * as prettierGraphql from 'prettier/plugins/graphql';
import { format } from 'prettier/standalone';

/** Lines and characters count from 0, as in the language server protocol. */
export const language = {
  buildSchema: (introspection: unknown): GraphQLSchema =>
    buildClientSchema(introspection as IntrospectionQuery),

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

  /** Whether the operation that would run is a mutation. */
  isMutation(text: string, operationName: string): boolean {
    return parse(text).definitions.some(
      (definition) =>
        definition.kind === 'OperationDefinition' &&
        definition.operation === 'mutation' &&
        (operationName === '' || definition.name?.value === operationName),
    );
  },
};

export type { GraphQLSchema };
