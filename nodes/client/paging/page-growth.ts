/** Rows of a page if nothing is known about the list. */
export const FIRST_ROWS = 100;
/** Rows of the largest page. */
export const MAX_AUTO_ROWS = 1000;
/** Pages grow as long as they are expected within this time, in ms; ION ends a request after 30 s. */
const MAX_PAGE_MS = 2000;
/** Time for the first page of a list, in ms, because all others wait for it. */
const MAX_FIRST_PAGE_MS = 250;
/** Pages grow up to this size, in characters, because several are held in memory at once. */
const MAX_PAGE_CHARACTERS = 4 * 1024 * 1024;

/** A page that has all rows that were requested. */
export interface FullPage {
  rows: number;
  /** Time that ION took, in ms; unknown without it. */
  durationMs: number | undefined;
  /** Length of the response; unknown without it. */
  characters: number | undefined;
}

/**
 * The page size of one document, which grows with each page that comes fast enough. The time of a page
 * is a part for the request and a part for each row. The growth takes all of it for the part of the
 * rows, so that a larger page takes at most as long as expected if rows cost about the same.
 */
export class PageGrowth {
  /** Rows of the largest page that came. */
  #proven = FIRST_ROWS;
  /** Rows of the page to try next, at least as many. */
  #next = FIRST_ROWS;
  /** Rows of the largest page that ION does not refuse. */
  #maximum = MAX_AUTO_ROWS;
  #msPerRow = 0;
  /** Open requests for more rows than are proven. */
  #trials = 0;

  /** Rows for the next page. Only one page at a time is larger than any before. */
  get rows(): number {
    return this.#trials > 0 ? this.#proven : this.#next;
  }

  /** Rows for the first page of a list. */
  get firstRows(): number {
    const fast = this.#msPerRow > 0 ? MAX_FIRST_PAGE_MS / this.#msPerRow : 0;
    return Math.min(this.#proven, Math.max(FIRST_ROWS, Math.floor(fast)));
  }

  /**
   * Notes that a page is requested.
   * @returns a function to call when the request has ended
   */
  begin(rows: number): () => void {
    if (rows <= this.#proven) return () => {};
    this.#trials++;
    return () => {
      this.#trials--;
    };
  }

  /** Learns from a page. Smaller pages than the largest one so far say nothing new. */
  accept({ rows, durationMs, characters = 0 }: FullPage): void {
    if (rows < this.#proven || durationMs === undefined) return;
    this.#proven = Math.min(rows, this.#maximum);
    this.#msPerRow = durationMs / rows;
    const grown = Math.min(
      2 * rows,
      rowsWithin(MAX_PAGE_MS, durationMs, rows),
      rowsWithin(MAX_PAGE_CHARACTERS, characters, rows),
      this.#maximum,
    );
    this.#next = Math.max(this.#proven, grown);
  }

  /** Begins again from fewer rows, because a page did not come in time. */
  lower(rows: number): void {
    this.#proven = Math.min(this.#proven, rows);
    this.#next = this.#proven;
  }

  /** Stays at this number of rows, because ION refused more. */
  limit(rows: number): void {
    this.#maximum = Math.min(this.#maximum, rows);
    this.lower(this.#maximum);
  }
}

/** Rows of a page that uses the whole budget, if `rows` rows use a part of it. */
function rowsWithin(budget: number, used: number, rows: number): number {
  return used > 0 ? Math.floor((rows * budget) / used) : Number.POSITIVE_INFINITY;
}
