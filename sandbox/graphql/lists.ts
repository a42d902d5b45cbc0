import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GraphQLInputObjectType,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
} from 'graphql';
import type { Row } from '../data/model.js';
import type { Store } from '../data/store.js';
import { type Connection, type PagingArgs, paginate } from './connections.js';
import type { ApiContext } from './context.js';
import { compileFilter, type Predicate } from './filters.js';
import { member, rowsOf } from './members.js';
import { filterInput, nodeType } from './schema.js';
import { distinctRows, sortRows } from './sort.js';

export interface ListArgs extends PagingArgs {
  filters?: unknown;
  sort?: readonly string[] | null;
  distinctOn?: readonly string[] | null;
}

/** The rows of the last list query of each kind, so that paging does not filter and sort again. */
const lastLists = new WeakMap<Store, Map<string, { version: number; rows: readonly Row[] }>>();
const REMEMBERED = 50;

/** One page of all rows of a type. */
export function list(
  args: ListArgs,
  { store, control }: ApiContext,
  info: GraphQLResolveInfo,
): Connection<Row> | Promise<Connection<Row>> {
  const { after: _a, before: _b, first: _f, last: _l, ...which } = args;
  const key = `${info.fieldName} ${JSON.stringify(which)}`;
  let lists = lastLists.get(store);
  if (!lists || lists.size > REMEMBERED) {
    lists = new Map();
    lastLists.set(store, lists);
  }
  let known = lists.get(key);
  if (known?.version !== store.version) {
    const type = nodeType(getNamedType(info.returnType));
    known = {
      version: store.version,
      rows: select(type ? rowsOf(type.name, store) : [], which, store, info),
    };
    lists.set(key, known);
  }
  const connection = paginate(known.rows, args, control.settings);
  const ms = connection.edges.length * control.settings.rowLatency;
  // Does not keep a closed sandbox alive.
  return ms > 0 ? sleep(ms, connection, { ref: false }) : connection;
}

/** One page of the rows that belong to another row. */
export function page(
  rows: readonly Row[],
  args: ListArgs,
  { store, control }: ApiContext,
  info: GraphQLResolveInfo,
): Connection<Row> {
  return paginate(select(rows, args, store, info), args, control.settings);
}

/** The test of the `filters` that a field got. */
export function filterArgument(
  info: GraphQLResolveInfo,
  filters: unknown,
  store: Store,
): Predicate {
  return compileFilter(inputOf(info), filters, store);
}

function inputOf({ parentType, fieldName }: GraphQLResolveInfo): GraphQLInputObjectType {
  const field = parentType.getFields()[fieldName];
  const input = field && filterInput(field);
  if (!input) throw new Error(`${fieldName} takes no filters`);
  return input;
}

function select(
  all: readonly Row[],
  { filters, sort, distinctOn, ...columns }: ListArgs,
  store: Store,
  info: GraphQLResolveInfo,
): readonly Row[] {
  const type = nodeType(getNamedType(info.returnType));
  if (!isObjectType(type)) throw new Error(`${info.fieldName} is not a connection`);
  let rows = all;
  if (filters) rows = rows.filter(filterArgument(info, filters, store));
  // Only `procedures` takes columns as arguments.
  for (const [column, wanted] of Object.entries(columns)) {
    if (PAGING.has(column) || wanted === null || wanted === undefined) continue;
    const read = member(type.name, column);
    rows = rows.filter((row) => String(read(row, store)) === String(wanted));
  }
  const sorted = sortRows(rows, sort ?? [], type, store);
  return distinctRows(sorted, distinctOn ?? [], type, store);
}

const PAGING = new Set(['first', 'after', 'last', 'before']);
