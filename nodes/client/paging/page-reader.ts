import type { IonClient, IonResponse, RequestState } from '../client.js';
import { type IonError, toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';
import { type SmallerPage, smallerPage } from '../graphql/page-refusal.js';
import { type Connection, connectionIn } from './connection.js';
import { CollectedSize } from './list-limits.js';
import { lowerPageLimit, pageLimitOf } from './page-limits.js';
import { argumentValue, type PagedOperation, pagedOperation } from './paged-operation.js';

/** The part of a client that reads pages. */
export type PageSource = Pick<IonClient, 'request' | 'concurrency'>;

export interface PageReaderOptions {
  variables?: Record<string, unknown> | undefined;
  /** Rows per page, unless the document has its own `first`. */
  pageSize: number;
  onState?: ((state: RequestState) => void) | undefined;
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
}

/** Timeouts do not halve pages below this number of rows. */
const MIN_PAGE_SIZE = 10;

/**
 * Requests single pages of one list. Pages become smaller when ION refuses their size or cannot return
 * them in time.
 */
export class PageReader {
  /** The cursor in the user's own `after`; null without one. */
  readonly startCursor: unknown;
  readonly #client: PageSource;
  readonly #options: PageReaderOptions;
  readonly #variables: Record<string, unknown>;
  readonly #collected: CollectedSize | undefined;
  readonly #paged: PagedOperation;
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
    this.#pageSize = typeof first === 'number' && first > 0 ? first : options.pageSize;
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

  /** Rows per page, as many as ION allows and can return in time. */
  get pageSize(): number {
    return Math.min(this.#pageSize, pageLimitOf(this.#client));
  }

  /** Requests that were sent for the pages read so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Reads one page, with fewer rows after each timeout, and after a page that is too large for ION.
   * @throws IonError
   */
  async read({ cursor, rows, isNew, signal }: PageRequest): Promise<PageResponse> {
    let requested = Math.min(rows, pageLimitOf(this.#client));
    let smaller: SmallerPage | undefined;
    const variables = () => ({
      ...this.#variables,
      [this.#paged.firstVariable]: requested,
      [this.#paged.afterVariable]: cursor,
    });
    const onRetry = (error: IonError) => {
      if (isTimeout(error)) {
        requested = halved(requested);
        this.#pageSize = Math.min(this.#pageSize, requested);
      }
      return variables();
    };
    const { onState, isEditor } = this.#options;
    for (;;) {
      try {
        const options = { variables: variables(), signal, isNew, isEditor, onState, onRetry };
        const response = await this.#client.request(this.#paged, options);
        this.#attempts += response.attempts;
        // Only a smaller page that ION accepts proves that the size was the reason.
        if (smaller) this.#accept(smaller);
        const connection = connectionIn(response.data, this.#paged);
        await this.#collected?.add(response, this.path);
        return { response, connection };
      } catch (thrown) {
        const error = toIonError(thrown);
        smaller = smallerPage(requested, error);
        if (!smaller) throw thrown;
        this.#attempts += error.attempts;
        requested = smaller.rows;
      }
    }
  }

  /** A guess is kept for this list only, the maximum that ION names for all lists. */
  #accept({ rows, isNamed }: SmallerPage): void {
    this.#pageSize = Math.min(this.#pageSize, rows);
    if (isNamed) lowerPageLimit(this.#client, rows);
  }
}

function halved(rows: number): number {
  return Math.max(Math.min(MIN_PAGE_SIZE, rows), Math.floor(rows / 2));
}

/** ION's gateway sends 502 after 30 s (ION's API manual), and a smaller page may be fast enough. */
function isTimeout({ code, status }: IonError): boolean {
  return code === 'ION_TIMEOUT' || status === 502 || status === 504;
}
