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
  /** Rows that were requested. */
  rows: number;
}

/**
 * The pages of a range of offsets, in order. As many are requested at once as the client sends;
 * ending the iteration cancels the requests that are still open.
 * @throws IonError `ION_CLOSED` once the signal is aborted
 */
export async function* prefetch(
  reader: PageReader,
  { begin, end }: OffsetRange,
  signal: AbortSignal,
): AsyncGenerator<PrefetchedPage, void, undefined> {
  if (signal.aborted) throw closedError();
  const requests = new AbortController();
  const removeListener = addAbortListener(signal, () => requests.abort());
  const open: { offset: number; rows: number; page: Promise<PageResponse> }[] = [];
  let next = begin;
  const request = () => {
    while (open.length < reader.concurrency && next < end) {
      const rows = Math.min(reader.pageSize, end - next);
      const cursor = cursorAt(next - 1);
      const page = reader.read({ cursor, rows, isNew: false, signal: requests.signal });
      // Pages behind a failed one are not awaited.
      page.catch(() => {});
      open.push({ offset: next, rows, page });
      next += rows;
    }
  };
  try {
    for (request(); open[0]; request()) {
      const { offset, rows, page } = open[0];
      const response = await page;
      if (requests.signal.aborted) throw closedError();
      open.shift();
      yield { ...response, offset, rows };
      // Pages that are already here would otherwise be delivered without a pause.
      await nextTurn();
    }
  } finally {
    requests.abort();
    removeListener();
  }
}
