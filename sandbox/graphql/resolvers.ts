import {
  buildASTSchema,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { normalizeTimestamp } from '../data/clock.js';
import type {
  AttributeRow,
  FileAttachmentRow,
  PartInventoryRow,
  Row,
  UserRow,
} from '../data/model.js';
import { DEFAULT_DIALECT } from '../faults/settings.js';
import type { Connection } from './connections.js';
import type { ApiContext } from './context.js';
import { documentIn, isSameSchema, type SchemaDialect, sendIn } from './dialect.js';
import { filterArgument, type ListArgs, list, page } from './lists.js';
import { attributeOwner, member } from './members.js';
import { mutations } from './mutations/index.js';
import { findByKeys } from './mutations/shape.js';
import { checkPermission, permissionsLeft, userPermissions } from './permission-check.js';
import { type GrantingRole, type PermissionGroup, permissionGroups } from './permissions.js';
import { scanBarcode } from './scan-barcode.js';
import { isStored, nodeType, schema } from './schema.js';

interface RuleSettings {
  enabled?: boolean;
}

type Resolver = GraphQLFieldResolver<unknown, ApiContext, Record<string, unknown>>;

/** Fields that the rules below do not cover. */
const SPECIAL: Record<string, Record<string, Resolver>> = {
  Query: {
    me: (_source, _args, context) => context.user,
    scanBarcode: (_source, { barcode }, { store }) => scanBarcode(String(barcode), store),
    requestFileUploadUrl: (_source, args, { uploads }) => uploads.request(String(args.filename)),
  },
  User: {
    permissionGroups: (row, _args, context) =>
      (row as UserRow).id === context.user.id
        ? userPermissions(context)
        : permissionGroups(row as UserRow, context.store),
  },
  RuleSettings: {
    enabled: (settings, _args, { control }) =>
      (settings as RuleSettings).enabled ?? control.settings.rule,
  },
  Role: {
    permissionGroups: (row, args, context, info) => {
      const groups = member('Role', 'permissionGroups')(row, context.store) as PermissionGroup[];
      return filtered(permissionsLeft(groups, context), args, context, info);
    },
    // Each permission group has one permission, with the same ID.
    permissions: (row, _args, { store }) =>
      ((row as GrantingRole).permissionGroupIds ?? []).map((id) =>
        store.table('Permission').get(id),
      ),
  },
  FileAttachment: { downloadUrl, url: downloadUrl },
  PartInventoriesConnection: {
    aggregates: (source, _args, { store }) => {
      const { rows } = source as Connection<PartInventoryRow>;
      const sum = (name: string) => {
        const read = member('PartInventory', name);
        return rows.reduce((total, row) => total + Number(read(row, store)), 0);
      };
      const quantities = { quantity: sum('quantity'), quantityAvailable: sum('quantityAvailable') };
      return { count: rows.length, sum: quantities };
    },
  },
};

function downloadUrl(row: unknown, _args: unknown, { uploads }: ApiContext): unknown {
  return uploads.downloadUrl((row as FileAttachmentRow).s3Key);
}

/** The queries that the sandbox refuses, because nothing in the schema says what they do. */
export function notSimulated(): string[] {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  return fields
    .filter((field) => !SPECIAL.Query?.[field.name] && !query(field))
    .map(({ name }) => name);
}

let isComplete = false;

/**
 * The schema of a dialect with a resolver for every field. The complete one is the same for all
 * sandboxes of a process; that of any other dialect is new.
 */
export function executableSchema(dialect: SchemaDialect): GraphQLSchema {
  if (!isSameSchema(dialect, DEFAULT_DIALECT)) {
    const own = withResolvers(buildASTSchema(documentIn(dialect), { assumeValid: true }));
    sendIn(dialect, own);
    return own;
  }
  if (!isComplete) withResolvers(schema);
  isComplete = true;
  return schema;
}

function withResolvers(schema: GraphQLSchema): GraphQLSchema {
  const dateTime = schema.getType('DateTime');
  if (dateTime instanceof GraphQLScalarType) {
    dateTime.parseValue = (value) => normalizeTimestamp(String(value));
    dateTime.parseLiteral = (node) =>
      normalizeTimestamp(String('value' in node ? node.value : undefined));
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isUnionType(type) || isInterfaceType(type)) {
      type.resolveType = (row: object) => ('partNumber' in row ? 'Part' : 'User');
    }
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = SPECIAL[type.name]?.[field.name] ?? ruled(type.name, field);
      // Safe: every request has an ApiContext, which the library does not know.
      if (resolve) field.resolve = resolve as GraphQLFieldResolver<unknown, unknown>;
    }
  }
  return schema;
}

/** The value of an attribute that is a file is a URL under which it can be fetched. */
function attributeValue(row: unknown, _args: unknown, { store, uploads }: ApiContext): unknown {
  const { type, value } = row as AttributeRow;
  const file = type === 'FILE_ATTACHMENT' && store.fileAttachments.get(Number(value));
  return file ? uploads.downloadUrl(file.s3Key) : value;
}

function ruled(type: string, field: GraphQLField<unknown, unknown>): Resolver | undefined {
  if (type === 'Query') return query(field) ?? (() => refuse(field.name));
  if (type === 'Mutation') return mutation(field.name);
  if (attributeOwner(type) && field.name === 'value') return attributeValue;
  return isStored(type) || type === 'Entity' ? memberResolver(type, field) : undefined;
}

function query(field: GraphQLField<unknown, unknown>): Resolver | undefined {
  const type = getNamedType(field.type);
  if (nodeType(type)) return (_source, args, context, info) => list(args, context, info);
  const keys = field.args.map(({ name }) => name);
  if (isObjectType(type) && isStored(type.name) && keys.length > 0) {
    return (_source, args, { store }) => findByKeys(type.name, keys, args, store) ?? null;
  }
  return undefined;
}

function refuse(query: string): never {
  throw new Error(`The sandbox does not simulate ${query}.`);
}

function mutation(name: string): Resolver {
  return (_source, args, context) => {
    context.control.executed(name);
    if (context.control.settings.permissionError === 'errors') checkPermission(name, context);
    const fault = context.control.fieldFault(args);
    if (fault && !fault.execute) throw new Error(fault.message);
    const result = context.store.transaction(() => mutations.get(name)?.(args, context));
    context.control.onCarriedOut?.(name, args);
    if (fault) throw new Error(fault.message);
    return result;
  };
}

/** A member of a row; relations take `filters` if the schema says so. */
function memberResolver(type: string, field: GraphQLField<unknown, unknown>): Resolver {
  const read = member(type, field.name);
  if (nodeType(getNamedType(field.type))) {
    return (row, args, context, info) =>
      page(read(row, context.store) as readonly Row[], args as ListArgs, context, info);
  }
  if (!field.args.some(({ name }) => name === 'filters')) {
    return (row, _args, { store }) => read(row, store);
  }
  return (row, args, context, info) => filtered(read(row, context.store), args, context, info);
}

/** A relation, as far as the argument `filters` leaves it. */
function filtered(
  value: unknown,
  { filters }: Record<string, unknown>,
  { store }: ApiContext,
  info: GraphQLResolveInfo,
): unknown {
  if (!filters || value === null) return value;
  const test = filterArgument(info, filters as object, store);
  if (Array.isArray(value)) return value.filter(test);
  return test(value) ? value : null;
}
