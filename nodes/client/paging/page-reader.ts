import type { IonClient, IonResponse, RequestOptions, RequestState } from '../client.js';
import { type IonError, toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';
import { type SmallerPage, smallerPage } from '../graphql/page-refusal.js';
import { type Connection, connectionIn } from './connection.js';
import { offsetOf } from './cursors.js';
import { CollectedSize } from './list-limits.js';
import { FIRST_ROWS, MAX_AUTO_ROWS, type PageGrowth } from './page-growth.js';
import { lowerPageLimit, pageGrowthOf, pageLimitOf } from './page-limits.js';
import { argumentValue, type PagedOperation, pagedOperation } from './paged-operation.js';

/** The part of a client that reads pages. */
export type PageSource = Pick<IonClient, 'request' | 'concurrency'>;

/** Rows per page; `auto` begins with few and grows while ION is fast. */
export type PageSize = number | 'auto';

export interface PageReaderOptions {
  variables?: Record<string, unknown> | undefined;
  /** Applies unless the document has its own `first`. */
  pageSize: PageSize;
  onState?: ((state: RequestState) => void) | undefined;
  /** Sent with the request of each page. */
  trace?: RequestOptions['trace'];
  /**
   * True for a dialog.
   * @default false
   */
  isEditor?: boolean | undefined;
  /**
   * Whether the caller holds something of all rows until the end, so that their size is limited.
   * @default false
   */
  isCollected?: boolean | undefined;
}

export interface PageRequest {
  /** The page begins after this cursor; null is the position before the first row. */
  cursor: unknown;
  /** Rows to request, fewer after a timeout. */
  rows: number;
  /** Whether the request counts as a new message in the client's queue. */
  isNew: boolean;
  signal: AbortSignal;
}

export interface PageResponse {
  response: IonResponse;
  /** `undefined` if a parent of the list is null. */
  connection: Connection | undefined;
  /** The last of the requested rows, which are missing because ION refused a page with them. */
  refusedRows: number;
}

/** Pages that are late or too large are not halved below this number of rows. */
const MIN_PAGE_SIZE = 10;

/**
 * Requests single pages of one list. Pages become smaller when ION refuses their size, cannot return
 * them in time, or returns too much to be read.
 */
export class PageReader {
  /** The cursor in the user's own `after`; null without one. */
  readonly startCursor: unknown;
  readonly #client: PageSource;
  readonly #options: PageReaderOptions;
  readonly #variables: Record<string, unknown>;
  readonly #collected: CollectedSize | undefined;
  readonly #paged: PagedOperation;
  /** `undefined` for a fixed page size. */
  readonly #growth: PageGrowth | undefined;
  /** Maximum for this list. */
  #pageSize: number;
  #attempts = 0;

  /** @throws IonError `ION_QUERY` if the operation cannot be paged */
  constructor(client: PageSource, operation: Operation, options: PageReaderOptions) {
    this.#client = client;
    this.#options = options;
    this.#variables = options.variables ?? {};
    this.#collected = options.isCollected ? new CollectedSize() : undefined;
    this.#paged = pagedOperation(operation);
    const first = argumentValue(this.#paged.ownFirst, operation, this.#variables);
    const pageSize = typeof first === 'number' && first > 0 ? first : options.pageSize;
    this.#growth = pageSize === 'auto' ? pageGrowthOf(client, this.#paged.text) : undefined;
    this.#pageSize = pageSize === 'auto' ? MAX_AUTO_ROWS : pageSize;
    this.startCursor = argumentValue(this.#paged.ownAfter, operation, this.#variables) ?? null;
  }

  /** Response keys that lead from `data` to the list. */
  get path(): readonly string[] {
    return this.#paged.path;
  }

  /** Requests that the client sends at once. */
  get concurrency(): number {
    return this.#client.concurrency;
  }

  /** Response keys that lead from an edge to the id of its row. */
  get idPath(): PagedOperation['idPath'] {
    return this.#paged.idPath;
  }

  /** Rows of the next page, as many as ION allows and can return in time. */
  get pageSize(): number {
    const rows = this.#growth?.rows ?? this.#pageSize;
    return Math.min(rows, this.#pageSize, pageLimitOf(this.#client));
  }

  /** Rows of the first page. */
  get firstPageSize(): number {
    return Math.min(this.pageSize, this.#growth?.firstRows ?? this.#pageSize);
  }

  /** Rows that a page has at least when the rest of a list is divided; infinite for a fixed page size. */
  get leastShare(): number {
    return this.#growth ? FIRST_ROWS : Number.POSITIVE_INFINITY;
  }

  /** Requests that were sent for the pages read so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Reads one page, with fewer rows after each timeout, and after a page that is too large.
   * @throws IonError
   */
  async read(request: PageRequest): Promise<PageResponse> {
    const end = this.#growth?.begin(request.rows);
    try {
      return await this.#read(request);
    } finally {
      end?.();
    }
  }

  async #read({ cursor, rows, isNew, signal }: PageRequest): Promise<PageResponse> {
    let requested = Math.min(rows, pageLimitOf(this.#client));
    let refusedRows = rows - requested;
    let smaller: SmallerPage | undefined;
    const variables = () => ({
      ...this.#variables,
      [this.#paged.firstVariable]: requested,
      [this.#paged.afterVariable]: cursor,
    });
    const onRetry = (error: IonError) => {
      if (isTimeout(error)) {
        requested = halved(requested);
        this.#lower(requested);
      }
      return variables();
    };
    const { onState, isEditor, trace } = this.#options;
    const common = { signal, isNew, isEditor, onState, onRetry, trace };
    for (;;) {
      try {
        const options = { ...common, variables: variables() };
        const response = await this.#client.request(this.#paged, options);
        this.#attempts += response.attempts;
        // Only a smaller page that ION accepts proves that the size was the reason.
        if (smaller) this.#accept(smaller);
        const connection = connectionIn(response.data, this.#paged);
        refusedRows += this.#learn({ cursor, rows: requested }, connection, response);
        await this.#collected?.add(response, this.path);
        return { response, connection, refusedRows };
      } catch (thrown) {
        const error = toIonError(thrown);
        smaller = smallerPage(requested, error);
        const isHalved = !smaller && isTooLarge(error) && halved(requested) < requested;
        if (!smaller && !isHalved) throw thrown;
        this.#attempts += error.attempts;
        requested = smaller?.rows ?? halved(requested);
        if (smaller) refusedRows = rows - requested;
        else this.#lower(requested);
      }
    }
  }

  /** A guess is kept for this list and its document, the maximum that ION names for all lists. */
  #accept({ rows, isNamed }: SmallerPage): void {
    this.#pageSize = Math.min(this.#pageSize, rows);
    this.#growth?.limit(rows);
    if (isNamed) lowerPageLimit(this.#client, rows);
  }

  #lower(rows: number): void {
    this.#pageSize = Math.min(this.#pageSize, rows);
    this.#growth?.lower(rows);
  }

  /**
   * Learns from a page.
   * @returns the rows that a server left out although the list has more, because its pages are smaller
   */
  #learn(
    { cursor, rows }: Pick<PageRequest, 'cursor' | 'rows'>,
    connection: Connection | undefined,
    response: IonResponse,
  ): number {
    if (!connection || !this.#growth) return 0;
    const { edges, endCursor, hasNextPage } = connection;
    const { durationMs, textLength: characters } = response;
    if (edges.length === rows) this.#growth.accept({ rows, durationMs, characters });
    const before = cursor === null ? -1 : offsetOf(cursor);
    const isCut = hasNextPage && edges.length > 0 && edges.length < rows;
    if (!isCut || before === undefined || offsetOf(endCursor) !== before + edges.length) return 0;
    this.#lower(edges.length);
    return rows - edges.length;
  }
}

function halved(rows: number): number {
  return Math.max(Math.min(MIN_PAGE_SIZE, rows), Math.floor(rows / 2));
}

/** A response that exceeds the limits, which one with fewer rows may respect. */
function isTooLarge({ reason }: IonError): boolean {
  return reason?.key === 'tooLarge';
}

/** ION's gateway sends 502 after 30 s (ION's API manual), and a smaller page may be fast enough. */
function isTimeout({ code, status }: IonError): boolean {
  return code === 'ION_TIMEOUT' || status === 502 || status === 504;
}
