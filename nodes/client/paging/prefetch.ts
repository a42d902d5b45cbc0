import { setImmediate as nextTurn } from 'node:timers/promises';
import { closedError } from '../errors.js';
import { addAbortListener } from '../support/abort-listeners.js';
import { cursorAt } from './cursors.js';
import type { PageReader, PageResponse } from './page-reader.js';

/** A range of offsets, the end not included. */
export interface OffsetRange {
  begin: number;
  end: number;
}

/** A page that was requested at a predicted offset. */
export interface PrefetchedPage extends PageResponse {
  /** Offset of the first row that was requested. */
  offset: number;
  /** Rows that were requested, without those that ION refused. */
  rows: number;
}

interface OpenPage {
  offset: number;
  rows: number;
  /** Offset of the next page that is open. */
  end: number;
  response: Promise<PageResponse>;
}

/**
 * The pages of a range of offsets, in order. As many are requested at once as the client sends;
 * ending the iteration cancels the requests that are still open. Their sizes may differ.
 * @throws IonError `ION_CLOSED` once the signal is aborted
 */
export async function* prefetch(
  reader: PageReader,
  range: OffsetRange,
  signal: AbortSignal,
): AsyncGenerator<PrefetchedPage, void, undefined> {
  if (signal.aborted) throw closedError();
  const requests = new AbortController();
  const removeListener = addAbortListener(signal, () => requests.abort());
  const open = new OpenPages(reader, range, requests.signal);
  try {
    for (let page = open.next(); page; page = open.next()) {
      const { offset, rows } = page;
      const response = await page.response;
      if (requests.signal.aborted) throw closedError();
      const { refusedRows } = response;
      open.shift(refusedRows);
      yield { ...response, offset, rows: rows - refusedRows };
      // Pages that are already here would otherwise be delivered without a pause.
      await nextTurn();
    }
  } finally {
    requests.abort();
    removeListener();
  }
}

/** Pages that were requested but not delivered, in their order. */
class OpenPages {
  readonly #reader: PageReader;
  readonly #end: number;
  readonly #signal: AbortSignal;
  readonly #pages: OpenPage[] = [];
  /** Offset of the next page. */
  #offset: number;
  /** Rows of the open pages. */
  #rows = 0;
  /** Rows of the largest page. */
  #largest = 0;
  /** Requests that were not answered. */
  #running = 0;
  /** Maximum for the pages at the end of the list. */
  #share = Number.POSITIVE_INFINITY;

  constructor(reader: PageReader, { begin, end }: OffsetRange, signal: AbortSignal) {
    this.#reader = reader;
    this.#offset = begin;
    this.#end = end;
    this.#signal = signal;
  }

  /** The page to deliver next; `undefined` at the end of the range. */
  next(): OpenPage | undefined {
    this.#request();
    return this.#pages[0];
  }

  /** Takes the first page out. Its refused rows are requested again, before the pages behind it. */
  shift(refusedRows: number): void {
    const page = this.#pages.shift();
    if (!page) return;
    this.#rows -= page.rows;
    const { end } = page;
    const offset = page.offset + page.rows - refusedRows;
    const rows = Math.min(end - offset, this.#reader.pageSize);
    if (rows > 0) this.#pages.unshift(this.#open(offset, rows, end));
  }

  #request(): void {
    const { concurrency } = this.#reader;
    while (this.#running < concurrency && this.#offset < this.#end && !this.#signal.aborted) {
      const rows = this.#nextSize();
      this.#largest = Math.max(this.#largest, rows);
      // Small pages continue while a large one holds up their delivery, within the memory of large ones.
      if (this.#rows + rows > this.#largest * concurrency) return;
      const end = this.#offset + rows;
      this.#pages.push(this.#open(this.#offset, rows, end));
      this.#offset = end;
    }
  }

  #open(offset: number, rows: number, end: number): OpenPage {
    this.#rows += rows;
    this.#running++;
    const cursor = cursorAt(offset - 1);
    const response = this.#reader.read({ cursor, rows, isNew: false, signal: this.#signal });
    response.then(
      () => {
        this.#running--;
        this.#request();
      },
      // Pages behind a failed one are not needed.
      () => {},
    );
    return { offset, rows, end, response };
  }

  #nextSize(): number {
    const { pageSize, concurrency, leastShare } = this.#reader;
    const left = this.#end - this.#offset;
    // The last pages divide the rest evenly, so that none comes long after the others.
    if (this.#share === Number.POSITIVE_INFINITY && left <= pageSize * concurrency) {
      this.#share = Math.max(leastShare, Math.ceil(left / concurrency));
    }
    return Math.min(pageSize, this.#share, left);
  }
}
