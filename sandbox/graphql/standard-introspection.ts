import {
  type DocumentNode,
  executeSync,
  type GraphQLNamedType,
  type GraphQLSchema,
  getIntrospectionQuery,
  isAbstractType,
  parse,
  print,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from './context.js';

const INTROSPECTION = parse(getIntrospectionQuery());
const TEXT = print(INTROSPECTION);

/** The response of introspection for each type, as JSON, by its definition: most schemas share most definitions. */
const TYPES = new WeakMap<object, string>();

/** The JSON of each result. */
const TEXTS = new WeakMap<object, string>();

/** Answers the usual query for the whole schema, and reads each definition only once. */
export const standardIntrospection: Plugin<ApiContext> = {
  onExecute({ args, setResultAndStopExecution }) {
    if (!isStandard(args.document)) return;
    const result = { data: {} };
    TEXTS.set(result, introspect(args.schema as GraphQLSchema));
    setResultAndStopExecution(result);
  },
};

/** The JSON of a result of this plugin. */
export function introspectionText(result: object): string | undefined {
  return TEXTS.get(result);
}

function isStandard(document: DocumentNode): boolean {
  // Most queries are distinguished without their text.
  const isLike = document.definitions.length === INTROSPECTION.definitions.length;
  return isLike && print(document) === TEXT;
}

function introspect(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap());
  // The types that an abstract one has are defined elsewhere.
  const read = types.filter((type) => isAbstractType(type) || !TYPES.has(definitionOf(type)));
  // The same schema, but introspection lists only those types.
  const seen: GraphQLSchema = Object.create(schema, {
    getType: { value: (name: string) => schema.getType(name) },
    getTypeMap: { value: () => Object.fromEntries(read.map((type) => [type.name, type])) },
  });
  const { data } = executeSync({ schema: seen, document: INTROSPECTION });
  const { types: answers, ...rest } = (data as { __schema: { types: unknown[] } }).__schema;
  for (const [i, type] of read.entries()) TYPES.set(definitionOf(type), JSON.stringify(answers[i]));
  const list = types.map((type) => TYPES.get(definitionOf(type))).join();
  return `{"data":{"__schema":{"types":[${list}],${JSON.stringify(rest).slice(1)}}}`;
}

/** Types of GraphQL itself have no definition. */
function definitionOf(type: GraphQLNamedType): object {
  return type.astNode ?? type;
}
