import type {
  FragmentDefinitionNode,
  GraphQLSchema,
  IntrospectionQuery,
  SelectionSetNode,
} from 'graphql';
import { IonError, quote, reasonOf } from '../errors.js';
import { LruCache } from '../support/lru-cache.js';
import type { Lack } from './lacks.js';
import { Kind, parse, print } from './language.js';
import type { Operation, SentOperation } from './operation.js';
import { type Adapted, type RefusedParts, SchemaLacks } from './schema-lacks.js';
import type { FieldShape, Shapes } from './skeleton.js';

/** The differences between an operation and a schema. */
export interface Fit {
  /** Wished parts that the schema lacks, so that they are left out. */
  lacks: Lack[];
  /** The reasons why ION would refuse the operation. */
  problems: readonly string[];
}

/** Characters of a document: the validation of a longer one would block the event loop too long. */
const MAX_VALIDATED = 20_000;
const MAX_LEVELS = 20;
/** Limits for a schema: the event loop is blocked while it is built. ION's has 1,500 and 15,000. */
const MAX_TYPES = 5000;
const MAX_MEMBERS = 100_000;

/** The end of texts of the library about null in place of a required value. */
const NULL = /\bnot (to )?be null\.?$/;
/** The end of texts of the library about a text in place of a number. */
const NO_NUMBER = /\b(?:Int|Float) cannot represent non[ -]\w+ value: "([^"]*)"\.?$/;
/** Documents whose validation is remembered, because a flow repeats the same texts. */
const MAX_KNOWN = 100;

/** The schema of one ION, read by introspection. */
export class IonSchema implements Shapes {
  readonly #schema: GraphQLSchema;
  /** The problems of documents. */
  readonly #known = new LruCache<string, readonly string[]>(MAX_KNOWN, MAX_KNOWN);

  /** @throws IonError `ION_RESPONSE` for data that is no schema, or too large */
  constructor(introspection: unknown) {
    const { buildClientSchema } =
      require('graphql/utilities') as typeof import('graphql/utilities');
    try {
      checkSize(introspection as IntrospectionQuery);
      this.#schema = buildClientSchema(introspection as IntrospectionQuery, { assumeValid: true });
    } catch (cause) {
      const message = `The schema of ION cannot be read: ${quote(reasonOf(cause))}`;
      throw new IonError('ION_RESPONSE', message, { cause });
    }
  }

  /** @returns `undefined` for a document that is too long */
  fitOf({ operation, variables }: SentOperation): Fit | undefined {
    if (operation.text.length > MAX_VALIDATED) return undefined;
    const lacks = new SchemaLacks();
    const refused: RefusedParts = new Map();
    // Each pass leaves out more parts, as the client does with the parts that ION refuses.
    for (;;) {
      const sent = lacks.adapt(operation, variables, refused);
      const problems = this.#problemsOf(operation, sent);
      const isRefused =
        problems.length > 0 && !canLeaveOut(lacks, operation, sent, problems, refused);
      if (problems.length === 0 || isRefused) return { lacks: [...refused.values()], problems };
    }
  }

  /**
   * The reasons why ION would refuse an operation with these variables, unless it is only that a value
   * is null, which in a dry run may be the ID of an object that was not created, or a number as text,
   * which ION may accept.
   * @returns `undefined` for a document that is too long to be checked, also without its comments
   */
  problemsOf(
    operation: Operation,
    variables: Record<string, unknown> = {},
  ): readonly string[] | undefined {
    const isLong = operation.text.length > MAX_VALIDATED;
    const text = isLong ? print(operation.document) : operation.text;
    if (text.length > MAX_VALIDATED) return undefined;
    const problems = this.#problemsOf(operation, { text, variables });
    return problems.filter((problem) => !NULL.test(problem) && !isNumberAsText(problem));
  }

  get mutationType(): string | undefined {
    return this.#schema.getMutationType()?.name;
  }

  shapeOf(type: string, field: string): FieldShape | undefined {
    const found = this.#schema.getType(type);
    const fields = found && 'getFields' in found ? found.getFields() : {};
    const fieldType = Object.hasOwn(fields, field) && fields[field]?.type;
    if (!fieldType) return undefined;
    const text = String(fieldType);
    return { isList: text.includes('['), type: text.replace(/[[\]!]/g, '') };
  }

  #problemsOf(
    { definition }: Operation,
    { text, variables }: Pick<Adapted, 'text' | 'variables'>,
  ): readonly string[] {
    const { getVariableValues } =
      require('graphql/execution') as typeof import('graphql/execution');
    const invalid = this.#invalid(text);
    if (invalid.length > 0) return invalid;
    // A node that is checked without a message knows only those of this package's own operations.
    if (!variables) return [];
    const definitions = definition.variableDefinitions ?? [];
    const { errors = [] } = getVariableValues(this.#schema, definitions, variables);
    return errors.map(({ message }) => message);
  }

  /** The reasons why ION would refuse a document. */
  #invalid(text: string): readonly string[] {
    const known = this.#known.get(text);
    if (known) return known;
    const { validate } = require('graphql/validation') as typeof import('graphql/validation');
    const errors = validate(this.#schema, parse(text, { noLocation: true }));
    const problems = errors.map(({ message }) => message);
    this.#known.set(text, problems, 1);
    return problems;
  }
}

function isNumberAsText(problem: string): boolean {
  const [, text = ''] = NO_NUMBER.exec(problem) ?? [];
  return text.trim() !== '' && Number.isFinite(Number(text));
}

/** @throws Error for a schema that takes too long to build */
function checkSize({ __schema: { types } }: IntrospectionQuery): void {
  let members = 0;
  for (const type of types) {
    if ('fields' in type) for (const field of type.fields ?? []) members += 1 + field.args.length;
    if ('inputFields' in type) members += type.inputFields?.length ?? 0;
    if ('enumValues' in type) members += type.enumValues?.length ?? 0;
  }
  if (types.length <= MAX_TYPES && members <= MAX_MEMBERS) return;
  throw new Error(`it has ${types.length} types with ${members} members`);
}

/** Adds the parts that the schema lacks to those that are left out, if they are only wished. */
function canLeaveOut(
  lacks: SchemaLacks,
  operation: Operation,
  sent: Adapted,
  problems: readonly string[],
  refused: RefusedParts,
): boolean {
  if (!operation.wishes) return false;
  const errors = problems.map((message) => ({ message }));
  const error = new IonError('ION_GRAPHQL', quote(problems[0] ?? ''), { errors });
  return lacks.refuse(operation, sent, error, refused) === undefined;
}

/** The names of the mutations that an operation runs. */
export function mutationsOf({ kind, definition, document }: Operation): string[] {
  if (kind !== 'mutation') return [];
  const namesIn = ({ selections }: SelectionSetNode, level: number): string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value;
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : document.definitions.find(
              (each): each is FragmentDefinitionNode =>
                each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
            );
      const isRead = fragment && level <= MAX_LEVELS;
      return isRead ? namesIn(fragment.selectionSet, level + 1) : [];
    });
  return [...new Set(namesIn(definition.selectionSet, 0))].filter((name) => !name.startsWith('__'));
}
