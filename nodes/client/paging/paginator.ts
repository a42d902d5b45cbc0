import { createHash } from 'node:crypto';
import type { IonResponse } from '../client.js';
import { IonError, toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';
import { LargeSet } from '../support/large-set.js';
import { cursorAt, offsetOf } from './cursors.js';
import { checkRowCount } from './list-limits.js';
import {
  PageReader,
  type PageReaderOptions,
  type PageResponse,
  type PageSource,
} from './page-reader.js';
import { type PrefetchedPage, prefetch } from './prefetch.js';

/** Rewinds in a row that find no new row. */
const MAX_EMPTY_REWINDS = 100;
/** Pages in a row without a new row, not counting pages that a rewind reads again. */
const MAX_EMPTY_PAGES = 300;
const MAX_CURSOR_LENGTH = 1000;
/** A longer id or cursor is remembered as its hash. */
const MAX_REMEMBERED_LENGTH = 100;

export interface PagesOptions extends PageReaderOptions {
  /** Maximum number of rows; 0: no limit. */
  limit: number;
  signal: AbortSignal;
  /**
   * Whether several pages may be requested at once.
   * @default true
   */
  prefetch?: boolean | undefined;
}

export interface Page {
  /** GraphQL's `data` of this page. */
  data: Record<string, unknown>;
  /** The rows: the list that `data` holds, not a copy. */
  edges: unknown[];
  /** Rows in the whole list, if the server reports it. */
  totalCount?: number;
  isLast: boolean;
  /** Number of the page, from 1. */
  number: number;
  /** Rows of this page and all before it. */
  rowsSoFar: number;
  response: IonResponse;
  /** Requests that were sent to the API so far. */
  attempts: number;
}

/**
 * The pages of the operation's connection, in order, to the end or to the limit. Later pages are
 * requested in parallel if ION's cursors are offsets and it reports the number of rows.
 *
 * A list that does not change is complete and has no duplicates. A list that changes during the
 * read has no duplicates if the document selects the rows' `id`; when it becomes shorter, the rows
 * that moved up are read again, so that no row that stays is missing.
 * @throws IonError with `pages`, the number of pages that were delivered before the failure;
 * `ION_QUERY` if the operation cannot be paged, `ION_RESPONSE` if a server sends more than any list
 * of ION holds
 */
export async function* pages(
  client: PageSource,
  operation: Operation,
  options: PagesOptions,
): AsyncGenerator<Page, void, undefined> {
  const paginator = new Paginator(client, operation, options);
  let delivered = 0;
  try {
    for await (const page of paginator.pages()) {
      delivered++;
      yield page;
    }
  } catch (thrown) {
    const error = toIonError(thrown);
    throw error.with({ attempts: error.attempts + paginator.attempts, pages: delivered });
  }
}

/**
 * The error of a caller that failed to process a page, with the same details as an error of `pages`.
 * @param thrown an error of `pages` is returned unchanged
 */
export function failureAt({ number, attempts, response }: Page, thrown: unknown): IonError {
  const error = toIonError(thrown);
  if (error.pages !== undefined) return error;
  return error.with({ pages: number - 1, attempts, traceId: error.traceId ?? response.traceId });
}

/** The position in one list, and the rows that were delivered of it. */
class Paginator {
  readonly #reader: PageReader;
  readonly #options: PagesOptions;
  /** The next page begins after this cursor; null is the position before the first row. */
  #cursor: unknown;
  /** Number of the last page that was delivered. */
  #number = 0;
  /** Number of rows that were delivered. */
  #rows = 0;
  #totalCount: number | undefined;
  #isDone = false;
  /** Ids of the rows that were delivered. */
  readonly #ids = new LargeSet();
  /** Cursors that were used since the last rewind. */
  readonly #usedCursors = new Set<unknown>();
  /** Pages in a row without a new row. */
  #emptyPages = 0;
  /** Rewinds in a row that found no new row. */
  #emptyRewinds = 0;
  /** Number of ids at the last rewind. */
  #idsAtRewind = 0;

  constructor(client: PageSource, operation: Operation, options: PagesOptions) {
    this.#options = options;
    this.#reader = new PageReader(client, operation, options);
    this.#cursor = this.#reader.startCursor;
  }

  /** Requests that were sent for the pages read so far. */
  get attempts(): number {
    return this.#reader.attempts;
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    const first = await this.#next(true);
    if (first) yield first;
    if (this.#options.prefetch !== false) yield* this.#prefetched();
    while (!this.#isDone) {
      const page = await this.#next(false);
      if (page) yield page;
    }
  }

  /** The page after the cursor; `undefined` if it holds nothing new. */
  async #next(isNew: boolean): Promise<Page | undefined> {
    this.#useCursor();
    const { pageSize, firstPageSize } = this.#reader;
    const rows = Math.min(isNew ? firstPageSize : pageSize, this.#remaining);
    const { signal } = this.#options;
    return this.#accept(await this.#reader.read({ cursor: this.#cursor, rows, isNew, signal }));
  }

  /** @throws IonError `ION_RESPONSE` for a cursor that cannot lead to the next page */
  #useCursor(): void {
    if (this.#cursor === undefined)
      throw this.#incompleteError('gives no cursor that leads to them');
    if (typeof this.#cursor === 'string' && this.#cursor.length > MAX_CURSOR_LENGTH) {
      throw this.#incompleteError(`gives a cursor of more than ${MAX_CURSOR_LENGTH} characters`);
    }
    const cursor = hashIfLong(this.#cursor);
    if (this.#usedCursors.has(cursor))
      throw this.#incompleteError('gives a cursor that was used before');
    this.#usedCursors.add(cursor);
  }

  /** Pages that are requested in parallel, up to the first one that is not as predicted. */
  async *#prefetched(): AsyncGenerator<Page, void, undefined> {
    const begin = this.#offset;
    if (this.#isDone || begin === undefined || this.#totalCount === undefined) return;
    const range = { begin, end: Math.min(this.#totalCount, begin + this.#remaining) };
    for await (const response of prefetch(this.#reader, range, this.#options.signal)) {
      if (!this.#isAsPredicted(response)) return;
      const page = this.#accept(response);
      if (page) yield page;
      if (this.#isDone || !this.#isComplete(response)) return;
    }
  }

  #isAsPredicted({ connection, offset }: PrefetchedPage): boolean {
    const { startCursor, totalCount } = connection ?? {};
    return startCursor === cursorAt(offset) && totalCount === this.#totalCount;
  }

  /** Whether the next prefetched page continues an accepted one; a timeout makes pages shorter. */
  #isComplete({ connection, offset, rows }: PrefetchedPage): boolean {
    return connection?.edges.length === rows && this.#offset === offset + rows;
  }

  /** Takes a page that continues the list; `undefined` if it holds nothing new. */
  #accept({ response, connection }: PageResponse): Page | undefined {
    if (!connection) {
      // A parent that is null, such as an id that does not exist, has no list. That is no failure.
      this.#isDone = true;
      return this.#page(response, [], undefined);
    }
    const { edges, endCursor, hasNextPage, totalCount } = connection;
    if (this.#rewind(totalCount)) return undefined;
    removeEdges(edges, (edge) => this.#isKnown(edge));
    edges.splice(this.#remaining);
    this.#rows += edges.length;
    this.#isDone = !hasNextPage || this.#remaining === 0;
    this.#cursor = typeof endCursor === 'string' ? endCursor : undefined;
    checkRowCount(this.#rows, this.#reader.path);
    if (edges.length > 0 || this.#isDone) {
      this.#emptyPages = 0;
      return this.#page(response, edges, totalCount);
    }
    // Pages that a rewind reads again hold nothing new.
    if (++this.#emptyPages > MAX_EMPTY_PAGES + this.#rows / this.#reader.pageSize) {
      throw this.#incompleteError('sends only pages without a new row');
    }
    return undefined;
  }

  #page(response: IonResponse, edges: unknown[], totalCount: number | undefined): Page {
    return {
      data: response.data,
      edges,
      ...(totalCount !== undefined && { totalCount }),
      isLast: this.#isDone,
      number: ++this.#number,
      rowsSoFar: this.#rows,
      response,
      attempts: this.attempts,
    };
  }

  /**
   * Moves the cursor back when the list became shorter, because rows that were not read yet may have
   * moved up by as many positions.
   * @returns whether it did
   */
  #rewind(totalCount: number | undefined): boolean {
    const before = this.#totalCount;
    this.#totalCount = totalCount;
    const offset = this.#offset;
    if (!offset || before === undefined || totalCount === undefined) return false;
    if (totalCount >= before || !this.#reader.idPath) return false;
    if (this.#ids.size > this.#idsAtRewind) this.#emptyRewinds = 0;
    this.#idsAtRewind = this.#ids.size;
    if (++this.#emptyRewinds > MAX_EMPTY_REWINDS) {
      throw this.#incompleteError('reports a different number each time');
    }
    this.#cursor = cursorAt(Math.max(0, offset - (before - totalCount)) - 1);
    this.#usedCursors.clear();
    return true;
  }

  #incompleteError(reason: string): IonError {
    const path = this.#reader.path.join('.');
    return new IonError(
      'ION_RESPONSE',
      `ION reports that "${path}" has more rows, but ${reason}. The list was read up to row ${this.#rows}.`,
    );
  }

  #isKnown(edge: unknown): boolean {
    const { idPath } = this.#reader;
    if (!idPath) return false;
    const [nodeKey, idKey] = idPath;
    const node = (edge as Record<string, Record<string, unknown> | null> | null)?.[nodeKey];
    const id = hashIfLong(node?.[idKey]);
    // Two objects are never the same id.
    if (id === undefined || id === null || typeof id === 'object') return false;
    return !this.#ids.add(id);
  }

  /** Offset of the next row; `undefined` if the cursor does not hold it. */
  get #offset(): number | undefined {
    if (this.#cursor === null) return 0;
    const offset = offsetOf(this.#cursor);
    return offset === undefined ? undefined : offset + 1;
  }

  /** Rows that may still be delivered. */
  get #remaining(): number {
    const { limit } = this.#options;
    return limit > 0 ? limit - this.#rows : Number.POSITIVE_INFINITY;
  }
}

/** A hash instead of a long text. */
function hashIfLong(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= MAX_REMEMBERED_LENGTH) return value;
  return createHash('sha256').update(value).digest('base64');
}

/** Removes edges from the list itself, which `data` holds too. */
function removeEdges(edges: unknown[], isUnwanted: (edge: unknown) => boolean): void {
  const wanted = edges.filter((edge) => !isUnwanted(edge));
  if (wanted.length === edges.length) return;
  edges.length = 0;
  for (const edge of wanted) edges.push(edge);
}
