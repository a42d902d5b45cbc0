import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import type { IonClient, IonResponse, RequestState } from '../client.js';
import { closedError, IonError, quote, toIonError } from '../errors.js';
import type { Operation } from '../graphql/operation.js';
import { LargeSet } from '../support/large-set.js';
import { Slices } from '../support/slices.js';
import { cursorAt, offsetOf } from './cursors.js';
import { argumentValue, type PagedOperation, pagedOperation } from './paged-operation.js';

/** Pages are not made smaller than this, in rows. */
const MIN_PAGE_SIZE = 10;
const MAX_FAILED_STEPS = 100;
/** Pages in a row that hold nothing new, besides those that are read again. */
const MAX_EMPTY_PAGES = 300;
/** Rows that one answer may bring, however many were asked for. */
const MAX_PAGE_ROWS = 100_000;
/** Rows of one list. */
const MAX_ROWS = 1_000_000;
/** In characters. */
const MAX_CURSOR = 1000;
/** In characters; a longer id or cursor is kept as its hash. */
const MAX_KEPT = 100;
/** Characters of all answers whose rows are collected. */
const MAX_COLLECTED_CHARACTERS = 256 * 1024 * 1024;
/** Memory of collected rows in bytes, by a rough estimate. */
const MAX_COLLECTED_BYTES = getHeapStatistics().heap_size_limit / 2;
const BYTES_OF_OBJECT = 64;
const BYTES_OF_VALUE = 8;

export interface PagesOptions {
  variables?: Record<string, unknown> | undefined;
  /** Rows a page, where the document does not say so itself. */
  pageSize: number;
  /** Rows in all; 0: no limit. */
  limit: number;
  signal: AbortSignal;
  onState?: ((state: RequestState) => void) | undefined;
  /** False reads the pages one by one, also where they could be asked for in parallel. */
  prefetch?: boolean | undefined;
  /** True where something of all rows is held until the end, so that their size has a limit. */
  isCollected?: boolean | undefined;
}

export interface Page {
  /** GraphQL's `data` of this page. */
  data: Record<string, unknown>;
  /** The rows: the very list that `data` holds. */
  edges: unknown[];
  /** Rows in the whole list, where the server tells. */
  totalCount?: number;
  isLast: boolean;
  /** 1 for the first. */
  number: number;
  /** Rows of this page and of those before it. */
  rowsSoFar: number;
  answer: IonResponse;
  /** Requests that were sent to the API so far. */
  attempts: number;
}

/** What answers the requests: a client. */
export type PageSource = Pick<IonClient, 'request' | 'concurrency'>;

/**
 * The pages of the operation's connection, in order, to the end or to the limit. Where ION's
 * cursors are offsets and it tells the number of rows, later pages are asked for in parallel.
 *
 * A list that stays as it is comes complete and without doubles. A list that changes meanwhile
 * comes without doubles where the document selects the rows' `id`; and when it gets shorter, what
 * moved up is read again, so that a row which stays is not missed.
 * Ends with `ION_RESPONSE` where a server sends more than any list of ION is.
 * @throws IonError with `pages`, the number that was delivered before the failure
 */
export async function* pages(
  client: PageSource,
  operation: Operation,
  options: PagesOptions,
): AsyncGenerator<Page, void, undefined> {
  const reading = new Paginator(client, operation, options);
  let delivered = 0;
  try {
    for await (const page of reading.pages()) {
      delivered++;
      yield page;
    }
  } catch (thrown) {
    const error = toIonError(thrown);
    error.attempts += reading.attempts;
    error.pages = delivered;
    throw error;
  }
}

/**
 * The error of the one who took a page and cannot go on, with what an error of `pages` tells.
 * @param thrown one of `pages` stays as it is
 */
export function failureAt({ number, attempts, answer }: Page, thrown: unknown): IonError {
  const error = toIonError(thrown);
  if (error.pages !== undefined) return error;
  return error.with({ pages: number - 1, attempts, traceId: error.traceId ?? answer.traceId });
}

/** A connection as an answer holds it. */
interface Connection {
  edges: unknown[];
  startCursor: unknown;
  endCursor: unknown;
  hasNextPage: boolean;
  totalCount: number | undefined;
}

interface Received {
  answer: IonResponse;
  /** Missing where a parent of the list is null. */
  connection: Connection | undefined;
}

/** Operations whose page info turned out to have no `totalCount`. */
const withoutTotalCount = new WeakSet<Operation>();

/** One list that is being read: where the reading stands, and how it goes on. */
class Paginator {
  /** Requests that were answered. */
  attempts = 0;
  readonly #client: PageSource;
  readonly #operation: Operation;
  readonly #options: PagesOptions;
  readonly #variables: Record<string, unknown>;
  #paged: PagedOperation;
  #pageSize: number;
  /** The cursor after which the next page begins; null stands before the first row. */
  #cursor: unknown;
  /** Numbers of pages and rows that were delivered. */
  #number = 0;
  #rows = 0;
  #totalCount: number | undefined;
  #isDone = false;
  /** Ids of the rows that were delivered. */
  readonly #ids = new LargeSet();
  /** Cursors that were used since the last step back. */
  readonly #cursors = new Set<unknown>();
  /** Pages in a row that held nothing new. */
  #emptyPages = 0;
  /** Sizes of the answers that are collected. */
  #characters = 0;
  #bytes = 0;
  /** Steps back that led to no row with a new id, and how many ids there were at the last one. */
  #stepsInVain = 0;
  #idsAtStep = 0;

  constructor(client: PageSource, operation: Operation, options: PagesOptions) {
    this.#client = client;
    this.#operation = operation;
    this.#options = options;
    this.#variables = options.variables ?? {};
    this.#paged = pagedOperation(operation, { totalCount: !withoutTotalCount.has(operation) });
    const first = argumentValue(this.#paged.ownFirst, operation, this.#variables);
    this.#pageSize = typeof first === 'number' && first > 0 ? first : options.pageSize;
    this.#cursor = argumentValue(this.#paged.ownAfter, operation, this.#variables) ?? null;
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    const first = await this.#next(true);
    if (first) yield first;
    if (this.#options.prefetch !== false) yield* this.#inParallel();
    while (!this.#isDone) {
      const page = await this.#next(false);
      if (page) yield page;
    }
  }

  /** The page after the cursor; `undefined` where it holds nothing new. */
  async #next(isNew: boolean): Promise<Page | undefined> {
    if (this.#cursor === undefined) throw this.#stuck('gives no cursor that leads to them');
    if (typeof this.#cursor === 'string' && this.#cursor.length > MAX_CURSOR) {
      throw this.#stuck(`gives a cursor of more than ${MAX_CURSOR} characters`);
    }
    const cursor = short(this.#cursor);
    if (this.#cursors.has(cursor)) throw this.#stuck('gives a cursor that was used before');
    this.#cursors.add(cursor);
    return this.#take(await this.#request(this.#cursor, isNew, this.#options.signal));
  }

  /**
   * Asks for the pages to come at once, as many as the client sends at a time, and delivers them
   * in order. Ends at the first one that is not as predicted: what follows is read one by one.
   */
  async *#inParallel(): AsyncGenerator<Page, void, undefined> {
    const begin = this.#offset();
    if (this.#isDone || begin === undefined || this.#totalCount === undefined) return;
    if (this.#options.signal.aborted) throw closedError();
    const end = Math.min(this.#totalCount, begin + this.#left());
    const stop = new AbortController();
    const stopped = () => stop.abort();
    this.#options.signal.addEventListener('abort', stopped, { once: true });
    const ahead: { offset: number; size: number; received: Promise<Received> }[] = [];
    let next = begin;
    const ask = () => {
      while (ahead.length < this.#client.concurrency && next < end) {
        const size = Math.min(this.#pageSize, end - next);
        const received = this.#request(cursorAt(next - 1), false, stop.signal, size);
        // Those behind a failure are not waited for.
        received.catch(() => {});
        ahead.push({ offset: next, size, received });
        next += size;
      }
    };
    try {
      for (ask(); ahead[0]; ask()) {
        const { offset, size, received } = ahead[0];
        const { connection } = await received;
        if (stop.signal.aborted) throw closedError();
        ahead.shift();
        const { startCursor, edges, totalCount } = connection ?? {};
        if (startCursor !== cursorAt(offset) || totalCount !== this.#totalCount) return;
        const page = this.#take(await received);
        if (page) yield page;
        // The page is in its place, but a shorter one (the server was overloaded) moves the rest.
        if (this.#isDone || edges?.length !== size || this.#offset() !== offset + size) return;
        // What came meanwhile would otherwise be delivered without a break.
        await nextTurn();
      }
    } finally {
      stop.abort();
      this.#options.signal.removeEventListener('abort', stopped);
    }
  }

  /** One page, repeated with fewer rows where ION could not answer in time. */
  async #request(
    cursor: unknown,
    isNew: boolean,
    signal: AbortSignal,
    rows = Math.min(this.#pageSize, this.#left()),
  ): Promise<Received> {
    const { onState } = this.#options;
    const variables = () => ({
      ...this.#variables,
      [this.#paged.firstVariable]: rows,
      [this.#paged.afterVariable]: cursor,
    });
    const onRetry = (error: IonError) => {
      if (isTooMuchAtOnce(error)) {
        rows = Math.max(Math.min(MIN_PAGE_SIZE, rows), Math.floor(rows / 2));
        this.#pageSize = Math.min(this.#pageSize, rows);
      }
      return variables();
    };
    try {
      const options = { variables: variables(), signal, isNew, onState, onRetry };
      const answer = await this.#client.request(this.#paged, options);
      this.attempts += answer.attempts;
      const connection = connectionOf(answer.data, this.#paged);
      if (this.#options.isCollected) await this.#checkCollected(answer);
      return { answer, connection };
    } catch (thrown) {
      if (!lacksTotalCount(thrown) || withoutTotalCount.has(this.#operation)) throw thrown;
      this.attempts += thrown.attempts;
      withoutTotalCount.add(this.#operation);
      this.#paged = pagedOperation(this.#operation, { totalCount: false });
      return this.#request(cursor, isNew, signal, rows);
    }
  }

  /** What the answers need that are held until the end. */
  async #checkCollected({ data, textLength = 0 }: IonResponse): Promise<void> {
    this.#characters += textLength;
    this.#bytes += textLength + (await sizeOf(data, new Slices()));
    const isTooLong = this.#characters > MAX_COLLECTED_CHARACTERS;
    if (!isTooLong && this.#bytes <= MAX_COLLECTED_BYTES) return;
    throw this.#tooMuch(
      `Its rows are too large to be held in memory together (${Math.round(this.#characters / 1024 / 1024)} Mi characters so far)`,
      ADVICE,
    );
  }

  #checkRows(): void {
    if (this.#rows > MAX_ROWS) throw this.#tooMuch(`It has more than ${MAX_ROWS} rows`, ADVICE);
  }

  #tooMuch(problem: string, advice: string): IonError {
    const path = quote(this.#paged.path.join('.'));
    return new IonError('ION_RESPONSE', `The list "${path}" cannot be read. ${problem}. ${advice}`);
  }

  /** Takes a page that continues the list; `undefined` where it holds nothing new. */
  #take({ answer, connection }: Received): Page | undefined {
    if (!connection) {
      // A parent that is null (an id that does not exist) has no list, and that is no failure.
      this.#isDone = true;
      return this.#page(answer, [], undefined);
    }
    const { edges, endCursor, hasNextPage, totalCount } = connection;
    if (this.#stepsBack(totalCount)) return undefined;
    removeRows(edges, (edge) => this.#isKnown(edge));
    edges.splice(this.#left());
    this.#rows += edges.length;
    this.#isDone = !hasNextPage || this.#left() === 0;
    this.#cursor = typeof endCursor === 'string' ? endCursor : undefined;
    this.#checkRows();
    if (edges.length > 0 || this.#isDone) {
      this.#emptyPages = 0;
      return this.#page(answer, edges, totalCount);
    }
    // What was read before a step back comes again, and is nothing new.
    if (++this.#emptyPages > MAX_EMPTY_PAGES + this.#rows / this.#pageSize) {
      throw this.#stuck('sends nothing but pages without a new one');
    }
    return undefined;
  }

  #page(answer: IonResponse, edges: unknown[], totalCount: number | undefined): Page {
    return {
      data: answer.data,
      edges,
      ...(totalCount !== undefined && { totalCount }),
      isLast: this.#isDone,
      number: ++this.#number,
      rowsSoFar: this.#rows,
      answer,
      attempts: this.attempts,
    };
  }

  /** When the list got shorter, rows that were not read yet may have moved up by as many places. */
  #stepsBack(totalCount: number | undefined): boolean {
    const before = this.#totalCount;
    this.#totalCount = totalCount;
    const offset = this.#offset();
    if (!offset || before === undefined || totalCount === undefined) return false;
    if (totalCount >= before || !this.#paged.idPath) return false;
    if (this.#ids.size > this.#idsAtStep) this.#stepsInVain = 0;
    this.#idsAtStep = this.#ids.size;
    if (++this.#stepsInVain > MAX_FAILED_STEPS) {
      throw this.#stuck('changes their number each time');
    }
    this.#cursor = cursorAt(Math.max(0, offset - (before - totalCount)) - 1);
    this.#cursors.clear();
    return true;
  }

  #stuck(reason: string): IonError {
    return new IonError(
      'ION_RESPONSE',
      `ION says that "${this.#paged.path.join('.')}" has more rows, but ${reason}. The list was read up to row ${this.#rows}.`,
    );
  }

  #isKnown(edge: unknown): boolean {
    if (!this.#paged.idPath) return false;
    const [nodeKey, idKey] = this.#paged.idPath;
    const node = (edge as Record<string, Record<string, unknown> | null> | null)?.[nodeKey];
    const id = short(node?.[idKey]);
    // An object is never the same as another one.
    if (id === undefined || id === null || typeof id === 'object') return false;
    return !this.#ids.add(id);
  }

  /** Offset of the next row, where the cursor tells it. */
  #offset(): number | undefined {
    if (this.#cursor === null) return 0;
    const offset = offsetOf(this.#cursor);
    return offset === undefined ? undefined : offset + 1;
  }

  /** How many rows may still be delivered. */
  #left(): number {
    const { limit } = this.#options;
    return limit > 0 ? limit - this.#rows : Number.POSITIVE_INFINITY;
  }
}

const ADVICE =
  'Narrow the filters, set a limit, or send a message for each page (in an ION GraphQL node: pages "stream").';

/** A hash in place of a long text. */
function short(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= MAX_KEPT) return value;
  return createHash('sha256').update(value).digest('base64');
}

/** Bytes that a value needs besides its texts, by a rough estimate. */
async function sizeOf(value: unknown, slices: Slices): Promise<number> {
  let size = 0;
  const left: unknown[] = [value];
  for (let next = left.pop(); left.length > 0 || next !== undefined; next = left.pop()) {
    size += typeof next === 'object' ? BYTES_OF_OBJECT : BYTES_OF_VALUE;
    if (typeof next !== 'object' || next === null) continue;
    if (slices.isOver) await slices.pause();
    // A list may hold a million numbers.
    for (const item of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof item === 'object' && item !== null) left.push(item);
      else size += BYTES_OF_VALUE;
    }
  }
  return size;
}

/** ION's gateway answers 502 after 30 s without a response; a smaller page may do. */
function isTooMuchAtOnce(error: IonError): boolean {
  return error.code === 'ION_TIMEOUT' || error.status === 502 || error.status === 504;
}

/** Some of ION's lists (API keys, logs) use a page info without counts. */
function lacksTotalCount(thrown: unknown): thrown is IonError {
  return (
    thrown instanceof IonError &&
    thrown.code === 'ION_GRAPHQL' &&
    (thrown.errors?.some(({ message }) => message.includes('totalCount')) ?? false)
  );
}

function removeRows(edges: unknown[], isUnwanted: (edge: unknown) => boolean): void {
  const kept = edges.filter((edge) => !isUnwanted(edge));
  if (kept.length === edges.length) return;
  edges.length = 0;
  for (const edge of kept) edges.push(edge);
}

function connectionOf(
  data: Record<string, unknown>,
  { path, edgesKey }: PagedOperation,
): Connection | undefined {
  let value: unknown = data;
  for (const key of path) {
    if (value === null || value === undefined) return undefined;
    if (Array.isArray(value)) {
      throw new IonError(
        'ION_QUERY',
        `"${path.join('.')}" lies inside a list, so that there is one for each of its entries, but only one can be paged.`,
      );
    }
    value = (value as Record<string, unknown>)[key];
  }
  if (value === null || value === undefined) return undefined;
  const { [edgesKey]: edges, pageInfo } = value as Record<string, unknown>;
  if (!Array.isArray(edges) || typeof pageInfo !== 'object' || pageInfo === null) {
    throw new IonError(
      'ION_RESPONSE',
      `The answer has no list of edges with page info at "${path.join('.')}".`,
    );
  }
  if (edges.length > MAX_PAGE_ROWS) {
    throw new IonError(
      'ION_RESPONSE',
      `One page of "${path.join('.')}" has more than ${MAX_PAGE_ROWS} rows. Set a smaller page size.`,
    );
  }
  const { startCursor, endCursor, hasNextPage, totalCount } = pageInfo as Record<string, unknown>;
  return {
    edges,
    startCursor,
    endCursor,
    hasNextPage: hasNextPage === true,
    totalCount: typeof totalCount === 'number' ? totalCount : undefined,
  };
}
