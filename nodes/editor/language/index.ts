// The GraphQL language bundle: built into resources/, loaded when a query editor opens first.
import { buildClientSchema, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import {
  getAutocompleteSuggestions,
  getDiagnostics,
  getHoverInformation,
  Position,
} from 'graphql-language-service';
import * as prettierGraphql from 'prettier/plugins/graphql';
import { format } from 'prettier/standalone';

export const ionGraphqlLanguage = {
  schema: (introspection: IntrospectionQuery): GraphQLSchema => buildClientSchema(introspection),
  suggestions: (schema: GraphQLSchema, text: string, line: number, column: number) =>
    getAutocompleteSuggestions(schema, text, new Position(line, column)),
  hover: (schema: GraphQLSchema, text: string, line: number, column: number) =>
    getHoverInformation(schema, text, new Position(line, column), undefined, { useMarkdown: true }),
  diagnostics: (text: string, schema: GraphQLSchema | undefined) => getDiagnostics(text, schema),
  format: (text: string): Promise<string> =>
    format(text, { parser: 'graphql', plugins: [prettierGraphql] }),
};
