import {
  type DocumentNode,
  type GraphQLSchema,
  isEnumType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  Kind,
  visit,
} from 'graphql';
import { normalizeTimestamp, TIME_FORMS, type Timestamp } from '../data/clock.js';
import type { Dialect } from '../faults/settings.js';
import { document } from './schema.js';
import { schemaWithout } from './smaller-schema.js';

/** The settings that decide which schema a sandbox has, and how its types send their values. */
export type SchemaDialect = Pick<
  Dialect,
  'unknown' | 'uploadFlow' | 'idForm' | 'enumCase' | 'timeForm'
>;

const COMPARED = ['uploadFlow', 'idForm', 'enumCase', 'timeForm'] as const;

/** Whether two dialects have the same schema. */
export function isSameSchema(a: SchemaDialect, b: SchemaDialect): boolean {
  const isSame = a.unknown === b.unknown || a.unknown.length + b.unknown.length === 0;
  return isSame && COMPARED.every((name) => a[name] === b[name]);
}

/** Parts of the schema that only the way of attaching a file in three calls needs. */
const THREE_CALLS = [
  'Query.requestFileUploadUrl',
  'CreateFileAttachmentInput.s3Key',
  'CreateFileAttachmentInput.s3Etag',
];

/** The document of a dialect's schema. */
export function documentIn(dialect: SchemaDialect): DocumentNode {
  const { unknown, uploadFlow, idForm } = dialect;
  const lacks = uploadFlow === 'two-calls' ? [...unknown, ...THREE_CALLS] : unknown;
  const complete = idForm === 'schema' ? document : withIds(idForm);
  return lacks.length === 0 ? complete : schemaWithout(complete, lacks);
}

/** Times whose type in the schema is String. */
const TEXT_TIMES = [
  ['Run', 'startTime'],
  ['Run', 'endTime'],
] as const;

/** Lets the types of a schema, which no other dialect may share, send their values in a dialect. */
export function sendIn({ enumCase, timeForm }: SchemaDialect, schema: GraphQLSchema): void {
  if (enumCase === 'lower') lowerEnums(schema);
  if (timeForm !== 'microseconds') writeTimes(schema, TIME_FORMS[timeForm]);
}

function lowerEnums(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    // The types of introspection are the same in all schemas.
    if (!isEnumType(type) || isIntrospectionType(type)) continue;
    const { serialize } = type;
    type.serialize = (value) => serialize.call(type, value)?.toLowerCase();
  }
}

function writeTimes(schema: GraphQLSchema, write: (timestamp: Timestamp) => string): void {
  const dateTime = schema.getType('DateTime');
  if (isScalarType(dateTime)) {
    dateTime.serialize = (value) => write(normalizeTimestamp(String(value)));
  }
  for (const [name, member] of TEXT_TIMES) {
    const type = schema.getType(name);
    const field = isObjectType(type) ? type.getFields()[member] : undefined;
    const read = field?.resolve;
    if (!field || !read) continue;
    field.resolve = (...args) => {
      const value = read(...args);
      return typeof value === 'string' ? write(value) : value;
    };
  }
}

const IS_ID = /^id$|Ids?$/;
/** IDs that are no numbers of rows. */
const FOREIGN_IDS = new Set(['clientId', 'integrationId', 'messageId', 'webhookId']);
const NUMBERS = new Set(['Int', 'Float']);
const TEXTS = new Set(['ID', 'String']);

/** The documents with each form of IDs, which take long to make. */
const DOCUMENTS = new Map<'number' | 'text', DocumentNode>();

/** The same types with all IDs as numbers, or as texts; what a client sends stays as it is. */
function withIds(form: 'number' | 'text'): DocumentNode {
  const known = DOCUMENTS.get(form);
  if (known) return known;
  const [from, to] = form === 'text' ? [NUMBERS, 'ID'] : [TEXTS, 'Int'];
  const made: DocumentNode = visit(document, {
    // Only the type of the field itself changes; its arguments keep theirs.
    FieldDefinition(field) {
      const { value: name } = field.name;
      if (!IS_ID.test(name) || FOREIGN_IDS.has(name)) return false;
      const type = visit(field.type, {
        NamedType: (named) =>
          from.has(named.name.value)
            ? { ...named, name: { kind: Kind.NAME, value: to } }
            : undefined,
      });
      return { ...field, type };
    },
  });
  DOCUMENTS.set(form, made);
  return made;
}
