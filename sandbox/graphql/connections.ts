/** The paging arguments that every list field takes. */
export interface PagingArgs {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

export interface Connection<R> {
  edges: { node: R; cursor: string }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
    count: number;
    totalCount: number;
  };
  /** All rows that the filters let through, for aggregates. */
  rows: readonly R[];
}

export interface PagingSettings {
  /** Rows of the largest page; a larger one is refused. */
  maxPageSize: number | null;
  /** The text of that refusal, in which `{max}` stands for the number. */
  pageRefusal: string;
  /** Whether cursors have another form than graphene's offsets. */
  opaqueCursors: boolean;
}

const PREFIX = 'arrayconnection:';
/** The form of opaque cursors; the offset is not a decimal number. */
const OPAQUE_PREFIX = 'row/';

/** The cursor of the row at an offset. */
export function toCursor(offset: number): string {
  return Buffer.from(`${PREFIX}${offset}`).toString('base64');
}

/** The offset in a cursor; `undefined` for an empty or foreign one, which graphene ignores too. */
export function fromCursor(cursor: string | null | undefined): number | undefined {
  const text = Buffer.from(cursor ?? '', 'base64').toString();
  const offset = text.startsWith(PREFIX) ? Number.parseInt(text.slice(PREFIX.length), 10) : NaN;
  return Number.isNaN(offset) ? undefined : offset;
}

function toOpaqueCursor(offset: number): string {
  return Buffer.from(`${OPAQUE_PREFIX}${offset.toString(36)}`).toString('base64url');
}

function fromOpaqueCursor(cursor: string | null | undefined): number | undefined {
  const text = Buffer.from(cursor ?? '', 'base64url').toString();
  return text.startsWith(OPAQUE_PREFIX)
    ? Number.parseInt(text.slice(OPAQUE_PREFIX.length), 36)
    : undefined;
}

/** Cuts one page out of a list, by the rules of graphene (graphql-relay's array connections). */
export function paginate<R>(
  rows: readonly R[],
  args: PagingArgs,
  { maxPageSize = null, pageRefusal = '', opaqueCursors = false }: Partial<PagingSettings> = {},
): Connection<R> {
  const first = pageSize('first', args.first);
  const last = pageSize('last', args.last);
  if (maxPageSize !== null && Math.max(first ?? 0, last ?? 0) > maxPageSize) {
    throw new Error(pageRefusal.replace('{max}', String(maxPageSize)));
  }
  const offsetOf = opaqueCursors ? fromOpaqueCursor : fromCursor;
  const cursorOf = opaqueCursors ? toOpaqueCursor : toCursor;
  const lower = Math.max((offsetOf(args.after) ?? -1) + 1, 0);
  const upper = Math.max(Math.min(offsetOf(args.before) ?? rows.length, rows.length), 0);
  let start = lower;
  let end = upper;
  if (first !== undefined) end = Math.min(end, start + first);
  if (last !== undefined) start = Math.max(start, end - last);
  const edges = rows
    .slice(start, Math.max(start, end))
    .map((node, i) => ({ node, cursor: cursorOf(start + i) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: first !== undefined && end < upper,
      hasPreviousPage: last !== undefined && start > lower,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
      count: edges.length,
      totalCount: rows.length,
    },
    rows,
  };
}

function pageSize(name: string, value: number | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value < 0) throw new Error(`Argument "${name}" must be a non-negative integer.`);
  return value;
}
