import type { Row } from '../../data/model.js';
import type { Table } from '../../data/store.js';
import type { ApiContext } from '../context.js';

export type Mutation = (args: Record<string, unknown>, context: ApiContext) => unknown;

/** A write with an etag that the row no longer has. */
export class StaleEtag extends Error {}

/** A mutation that takes one `input`; the schema has checked its type. */
export function withInput<I>(write: (input: I, context: ApiContext) => unknown): Mutation {
  return (args, context) => write(args.input as I, context);
}

/** A mutation with plain arguments; the schema has checked their types. */
export function withArgs<A>(write: (args: A, context: ApiContext) => unknown): Mutation {
  return (args, context) => write(args as A, context);
}

/** Names a row and the state in which it was read. */
export interface Versioned {
  id: string | number;
  etag: string;
}

/** The row that a write is about. */
export function existing<R extends Row>(
  table: Table<R>,
  id: string | number | null | undefined,
): R {
  const row = table.get(Number(id));
  if (!row) throw new Error(`${table.type} with id ${id} was not found.`);
  return row;
}

/** The row that a write is about, provided nobody has changed it in between. */
export function current<R extends Row>(table: Table<R>, { id, etag }: Versioned): R {
  const row = existing(table, id);
  checkEtag(row, etag);
  return row;
}

export function checkEtag(row: Row, etag: string): void {
  if (row._etag === etag) return;
  throw new StaleEtag('Etag does not match');
}

const NOT_COLUMNS = new Set(['id', 'etag', 'attributes']);

/** The columns that an input sets; ids, which GraphQL passes as strings, become numbers. */
export function columns<I extends object>(input: I, ...except: string[]): Record<string, unknown> {
  const entries = Object.entries(input).filter(
    ([key]) => !NOT_COLUMNS.has(key) && !except.includes(key),
  );
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      /Id$/.test(key) && typeof value === 'string' ? Number(value) : value,
    ]),
  );
}
