const FIRST_PAUSE_MS = 2000;
const MAX_PAUSE_MS = 10_000;
const FIRST_PATIENCE_MS = 5000;

interface Settings<Query> {
  /** One try; never rejects. It calls `end` if ION answers. The signal gives it up. */
  probe(query: Query, signal: AbortSignal): Promise<void>;
  onBegin(): void;
  onEnd(): void;
  /** @default 2000 ms, doubling to 10 s */
  firstPauseMs?: number | undefined;
}

/**
 * A time in which ION is out of reach. The last query is tried again and again, one try at a time: at
 * its begin, with each scan, and at growing pauses. A try without a response ends after 5 s, the
 * next after twice that, and so on: the response may be lost, or ION slow.
 */
export class Outage<Query> {
  readonly #settings: Settings<Query>;
  #query: Query | undefined;
  #pauses = 0;
  #patienceMs = FIRST_PATIENCE_MS;
  #timer: NodeJS.Timeout | undefined;
  #isProbing = false;
  #isClosed = false;

  constructor(settings: Settings<Query>) {
    this.#settings = settings;
  }

  get isUnderWay(): boolean {
    return this.#query !== undefined;
  }

  /** ION was out of reach for this query. */
  begin(query: Query): void {
    if (this.#isClosed || this.isUnderWay) return;
    this.#query = query;
    this.#settings.onBegin();
    this.#probe();
  }

  /** A query was answered from memory. */
  scanned(query: Query): void {
    if (!this.isUnderWay) return;
    this.#query = query;
    this.#probe();
  }

  /** ION answers. */
  end(): void {
    if (!this.isUnderWay) return;
    this.#query = undefined;
    this.#pauses = 0;
    this.#patienceMs = FIRST_PATIENCE_MS;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#settings.onEnd();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #probe(): void {
    if (this.#isProbing || this.#isClosed || this.#query === undefined) return;
    this.#isProbing = true;
    const givingUp = new AbortController();
    const timer = setTimeout(() => {
      if (this.isUnderWay) this.#patienceMs *= 2;
      givingUp.abort();
    }, this.#patienceMs);
    void this.#settings.probe(this.#query, givingUp.signal).then(() => {
      clearTimeout(timer);
      this.#isProbing = false;
      this.#probeLater();
    });
  }

  #probeLater(): void {
    if (this.#timer || this.#isClosed || !this.isUnderWay) return;
    const { firstPauseMs = FIRST_PAUSE_MS } = this.#settings;
    const pause = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** this.#pauses++);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#probe();
    }, pause);
  }
}
