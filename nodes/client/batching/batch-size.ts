/** The number of operations in one document. */
export type OperationsPerRequest = 'auto' | number;

/** Limit for the operations in one document. */
export const MAX_OPERATIONS = 50;
const FIRST_SIZE = 4;
/** The size grows if a full document was answered within this time, in ms. */
const MAX_FAST_MS = 2000;
/** The size shrinks after this time, in ms, because ION ends a request after 30 s. */
const MIN_SLOW_MS = 10_000;
/** The size is multiplied by at most this number at once. */
const MAX_GROWTH = 4;
/** A limit that ION set is tried again after this time, in ms. */
const MAX_LIMIT_AGE_MS = 10 * 60_000;

/** Adapts the number of operations in one document to the time that ION takes for it. */
export class BatchSize {
  readonly #isFixed: boolean;
  readonly #now: () => number;
  #size: number;
  #limit = MAX_OPERATIONS;
  #limitedAt = Number.NEGATIVE_INFINITY;
  #isKnown = false;

  /**
   * @param operations `auto` starts with 4; a number is kept, as far as ION accepts it
   * @param now the monotonic time, in ms
   */
  constructor(operations: OperationsPerRequest, now = () => performance.now()) {
    this.#isFixed = operations !== 'auto';
    this.#now = now;
    this.#size = operations === 'auto' ? FIRST_SIZE : within(operations);
  }

  /** Whether ION has answered, or failed to answer, a document. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The number of operations in the next document, 1 to 50. */
  get current(): number {
    if (this.#now() - this.#limitedAt >= MAX_LIMIT_AGE_MS) this.#limit = MAX_OPERATIONS;
    return Math.min(this.#size, this.#limit);
  }

  /**
   * ION answered a document.
   * @param count its operations
   * @param ms the time that it took
   */
  answered(count: number, ms: number): void {
    this.#isKnown = true;
    if (ms > MIN_SLOW_MS) this.failed(count);
    // A smaller document does not show what a larger one takes.
    else if (ms <= MAX_FAST_MS && count >= this.current) {
      // An answer in a quarter of the time leaves room for four times as many.
      this.#change(Math.max(2, Math.min(MAX_GROWTH, Math.floor(MAX_FAST_MS / ms))) * this.current);
    }
  }

  /**
   * A document got no answer of ION, perhaps because it took too long.
   * @param count its operations; a single one says nothing about the size
   */
  failed(count: number): void {
    this.#isKnown = true;
    // Several documents of the same size that fail at the same time halve it once.
    if (count > 1) this.#change(Math.min(this.current, Math.floor(count / 2)));
  }

  /** ION accepts no more than this number of operations in one document. */
  limit(operations: number): void {
    this.#isKnown = true;
    this.#limit = Math.min(this.current, within(operations));
    this.#limitedAt = this.#now();
    // After that time, it grows again from there.
    this.#change(this.#limit);
  }

  #change(size: number): void {
    if (!this.#isFixed) this.#size = within(Math.min(size, this.#limit));
  }
}

function within(operations: number): number {
  return Math.max(1, Math.min(Math.floor(operations), MAX_OPERATIONS));
}
