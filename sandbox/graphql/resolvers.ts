import {
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { normalizeTimestamp } from '../data/clock.js';
import { computedFieldsOf } from '../data/computed-fields.js';
import type { FileAttachmentRow, PartInventoryRow, Row, TypeName } from '../data/model.js';
import type { Store } from '../data/store.js';
import { type Connection, type PagingArgs, paginate } from './connections.js';
import type { ApiContext } from './context.js';
import { compileFilter, type Predicate } from './filters.js';
import { mutations } from './mutations/index.js';
import { distinctRows, sortRows } from './sort.js';

type Args = Record<string, unknown>;
type Resolver = (
  source: unknown,
  args: Args,
  context: ApiContext,
  info: GraphQLResolveInfo,
) => unknown;

interface ListArgs extends PagingArgs {
  filters?: unknown;
  sort?: readonly string[] | null;
  distinctOn?: readonly string[] | null;
  /** Arguments that `procedures` alone has. */
  isLatestVersion?: boolean | null;
  title?: string | null;
  status?: string | null;
  familyId?: string | null;
}

/** The types with computed fields; RunStepAttribute is stored like RunAttribute. */
const TYPES: readonly (TypeName | 'RunStepAttribute')[] = [
  'Run',
  'RunStep',
  'RunStepField',
  'Part',
  'PartInventory',
  'Location',
  'Issue',
  'User',
  'RunAttribute',
  'RunStepAttribute',
  'Session',
  'APIKeyObject',
  'WebhookReceiver',
  'WebhookSubscription',
  'WebhookEvent',
];

/** Computed fields that only filters know. */
const NOT_MEMBERS = new Set([
  'Run.partNumber',
  'Run.locationId',
  'RunStep.allParents',
  'RunStep.allChildren',
  'Location.allParents',
  'Location.allChildren',
  'RunAttribute.runStepId',
  'RunStepAttribute.runId',
]);

const SINGLE: readonly string[] = [
  'organization',
  'run',
  'runStep',
  'runStepField',
  'procedure',
  'part',
  'partInventory',
  'location',
  'issue',
  'user',
  'fileAttachment',
  'webhookReceiver',
  'webhookSubscription',
  'webhookEvent',
];

const LISTS: readonly string[] = [
  'apiKeys',
  'runs',
  'runSteps',
  'runStepFields',
  'procedures',
  'parts',
  'partInventories',
  'locations',
  'issues',
  'users',
  'sessions',
  'webhookReceivers',
  'webhookSubscriptions',
  'webhookEvents',
];

const NOT_YET: readonly string[] = ['setDatagridValue'];

const each = <T>(names: readonly string[], resolver: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, resolver]));

const notYet = () => {
  throw new Error('This is not part of this sandbox yet');
};

/** The resolvers of everything that the schema and the data model leave open. */
export const resolvers = {
  DateTime: new GraphQLScalarType({
    name: 'DateTime',
    parseValue: (value) => normalizeTimestamp(String(value)),
  }),
  IonType: {
    __resolveType: (row: object) => ('partNumber' in row ? 'Part' : 'User'),
  },
  Timeline: { __resolveType: () => 'RunEvents' },
  ...Object.fromEntries(TYPES.map((type) => [type, members(type)])),
  // Only the answer to a creation or a new secret shows it, so the list must hide it.
  APIKeyObject: {
    clientSecret: (key: { shownSecret?: string }) => key.shownSecret ?? null,
  },
  FileAttachment: {
    downloadUrl: (row: FileAttachmentRow, _args: Args, { uploads }: ApiContext) =>
      uploads.downloadUrl(row.s3Key),
    url: (row: FileAttachmentRow, _args: Args, { uploads }: ApiContext) =>
      uploads.downloadUrl(row.s3Key),
  },
  PartInventoriesConnection: {
    aggregates: ({ rows }: Connection<PartInventoryRow>) => ({
      count: rows.length,
      sum: {
        quantity: rows.reduce((sum, row) => sum + row.quantity, 0),
        quantityAvailable: rows.reduce(
          (sum, row) =>
            sum + row.quantity - row.quantityScrapped - row.quantityKitted - row.quantityInstalled,
          0,
        ),
      },
    }),
  },
  Query: {
    me: (_source: unknown, _args: Args, context: ApiContext) => context.user,
    ...each<Resolver>(SINGLE, (_source, args, { store }, info) => {
      return store.table(getNamedType(info.returnType).name)?.get(Number(args.id)) ?? null;
    }),
    ...each<Resolver>(LISTS, (_source, args, context, info) => list(args, context, info)),
    requestFileUploadUrl: (_source: unknown, args: { filename: string }, { uploads }: ApiContext) =>
      uploads.request(args.filename),
  },
  Mutation: {
    ...Object.fromEntries(
      Object.entries(mutations).map(([name, mutate]) => [
        name,
        (_source: unknown, args: Args, context: ApiContext) => {
          context.control.executed(name);
          const result = context.store.transaction(() => mutate(args, context));
          context.control.onCarriedOut?.(name, args);
          return result;
        },
      ]),
    ),
    ...each(NOT_YET, notYet),
  },
};

/** Resolvers of a type's computed fields; relations take `filters` if the schema says so. */
function members(type: string): Record<string, Resolver> {
  const stored = type === 'RunStepAttribute' ? 'RunAttribute' : type;
  return Object.fromEntries(
    Object.entries(computedFieldsOf(stored))
      .filter(([name]) => !NOT_MEMBERS.has(`${type}.${name}`))
      .map(([name, read]): [string, Resolver] => [
        name,
        (row, args, { store }, info) => {
          const value = read(row, store);
          if (!args.filters || value === null) return value;
          const test = filterArgument(info, args.filters, store);
          if (Array.isArray(value)) return value.filter(test);
          return test(value) ? value : null;
        },
      ]),
  );
}

function filterArgument(info: GraphQLResolveInfo, filters: unknown, store: Store): Predicate {
  return compileFilter(filterInput(info), filters, store);
}

function filterInput(info: GraphQLResolveInfo): GraphQLInputObjectType {
  const argument = info.parentType
    .getFields()
    [info.fieldName]?.args.find(({ name }) => name === 'filters');
  const type = argument && getNamedType(argument.type);
  if (!isInputObjectType(type)) throw new Error(`${info.fieldName} takes no filters`);
  return type;
}

/** The type of the rows in a connection. */
function nodeType(info: GraphQLResolveInfo): GraphQLObjectType {
  const connection = getNamedType(info.returnType);
  const edge = isObjectType(connection) && connection.getFields().edges;
  const edgeType = edge && getNamedType(edge.type);
  const node = isObjectType(edgeType) && edgeType.getFields().node;
  const type = node && getNamedType(node.type);
  if (!isObjectType(type)) throw new Error(`${info.fieldName} is not a connection`);
  return type;
}

/** The rows of the last list query of each kind, so that paging does not filter and sort again. */
const lastLists = new WeakMap<Store, Map<string, { version: number; rows: readonly Row[] }>>();
const REMEMBERED = 50;

function list(
  args: ListArgs,
  { store, control }: ApiContext,
  info: GraphQLResolveInfo,
): Connection<Row> {
  const { after: _a, before: _b, first: _f, last: _l, ...which } = args;
  const key = `${info.fieldName} ${JSON.stringify(which)}`;
  let lists = lastLists.get(store);
  if (!lists || lists.size > REMEMBERED) {
    lists = new Map();
    lastLists.set(store, lists);
  }
  let known = lists.get(key);
  if (known?.version !== store.version) {
    known = { version: store.version, rows: select(which, store, info) };
    lists.set(key, known);
  }
  return paginate(known.rows, args, control.settings);
}

function select(args: ListArgs, store: Store, info: GraphQLResolveInfo): readonly Row[] {
  const type = nodeType(info);
  let rows = store.table(type.name)?.all() ?? [];
  if (args.filters) rows = rows.filter(filterArgument(info, args.filters, store));
  for (const column of ['title', 'status', 'familyId'] as const) {
    const wanted = args[column];
    if (typeof wanted !== 'string') continue;
    rows = rows.filter((row) => String((row as unknown as Args)[column]) === wanted);
  }
  const sorted = sortRows(rows, args.sort ?? [], type, store);
  return distinctRows(sorted, args.distinctOn ?? [], type, store);
}
