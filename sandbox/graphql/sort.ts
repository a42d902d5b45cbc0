import type { GraphQLObjectType } from 'graphql';
import type { Store } from '../data/store.js';
import { member } from './members.js';

type Read = (row: unknown) => unknown;

/** Sorts by names such as `_UPDATED_ASC` or `START_TIME_DESC`, stable, the first name first. */
export function sortRows<R extends { id: number }>(
  rows: readonly R[],
  names: readonly string[],
  type: GraphQLObjectType,
  store: Store,
): readonly R[] {
  // Tables are in the order of their ids already.
  if (names.length === 0 || names[0] === 'ID_ASC') return rows;
  const keys = names.map((name) => ({
    read: column(name, type, store),
    sign: name.endsWith('_DESC') ? -1 : 1,
  }));
  return rows
    .map((row) => ({ row, values: keys.map((key) => key.read(row)) }))
    .sort((a, b) => {
      for (const [i, { sign }] of keys.entries()) {
        const order = compare(a.values[i], b.values[i]);
        if (order !== 0) return order * sign;
      }
      return 0;
    })
    .map(({ row }) => row);
}

/** Keeps the first row for each combination of the named columns. */
export function distinctRows<R>(
  rows: readonly R[],
  names: readonly string[],
  type: GraphQLObjectType,
  store: Store,
): readonly R[] {
  if (names.length === 0) return rows;
  const reads = names.map((name) => column(name, type, store));
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = JSON.stringify(reads.map((read) => read(row)));
    return !seen.has(key) && seen.add(key);
  });
}

/** Finds the member that an enum name such as `_LAST_SESSION_ID_ASC` means. */
function column(name: string, type: GraphQLObjectType, store: Store): Read {
  const wanted = plain(name.replace(/_(ASC|DESC)$/, ''));
  const value = /^(string|number|datetime|boolean|select|multiselect)values?$/.exec(wanted);
  if (value) return (row) => typedValue(row as FieldLike, String(value[1]).toUpperCase());
  const field = Object.keys(type.getFields()).find((key) => plain(key) === wanted);
  // A few names sort by columns that the API does not show.
  if (!field) return () => null;
  const read = member(type.name, field);
  return (row) => read(row, store);
}

interface FieldLike {
  type: string;
  value: unknown;
}

function typedValue(row: FieldLike, fieldType: string): unknown {
  return row.type === fieldType ? row.value : null;
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Ascending, nulls last, as PostgreSQL sorts. */
function compare(a: unknown, b: unknown): number {
  const noA = a === null || a === undefined;
  const noB = b === null || b === undefined;
  if (noA || noB) return Number(noA) - Number(noB);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : Number(left > right);
}
