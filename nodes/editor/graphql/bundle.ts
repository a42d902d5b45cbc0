// What the query editor knows of GraphQL. A bundle of its own in resources/, because it is large:
// loaded when a query editor opens first (language.ts).
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
const language = {
  buildSchema: (introspection: unknown): GraphQLSchema =>
    buildClientSchema(introspection as IntrospectionQuery),

  suggestions: (schema: GraphQLSchema, text: string, line: number, character: number) =>
    getAutocompleteSuggestions(schema, text, new Position(line, character)),

  /** Plain text about a place: a line of GraphQL, and its description in the schema. */
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

  /** What the schema does not have; without a schema only what is no GraphQL. */
  diagnostics: (text: string, schema: GraphQLSchema | undefined) => getDiagnostics(text, schema),

  format: (text: string): Promise<string> =>
    format(text, { parser: 'graphql', plugins: [prettierGraphql] }),

  /** Whether the operation that would run changes something in ION. */
  isMutation(text: string, operationName: string): boolean {
    return parse(text).definitions.some(
      (definition) =>
        definition.kind === 'OperationDefinition' &&
        definition.operation === 'mutation' &&
        (operationName === '' || definition.name?.value === operationName),
    );
  },
};

export type GraphqlLanguage = typeof language;
export type { GraphQLSchema };

declare global {
  interface Window {
    ionGraphqlLanguage?: GraphqlLanguage;
  }
}
window.ionGraphqlLanguage = language;
