import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { cursorAt, offsetOf } from '../../nodes/client/paging/cursors.js';
import type { PageSource } from '../../nodes/client/paging/page-reader.js';
import type { PagedOperation } from '../../nodes/client/paging/paged-operation.js';

export interface ListBehaviour {
  /** Relay's offsets, or opaque cursors. */
  cursors: 'offset' | 'opaque';
  /** Whether the page info contains the number of rows. */
  totalCount: boolean;
  /** The server sends at most this many rows at once, whatever the request. */
  maxPageSize: number;
  /** Turns of the event loop that a response takes, by the number of the request. */
  delay: (request: number) => number;
  /** Time that a page takes, in ms, by its rows; without it, no page grows. */
  durationMs?: (rows: number) => number;
  /** Characters of a response, by its rows. */
  textLength?: (rows: number) => number;
  /** The server refuses more rows; whether its error names the maximum. */
  refusal?: { most: number; isNamed: boolean };
  /** A response with more rows exceeds the limits of a response. */
  mostReadable?: number;
  /** Whether the first try of a request is late, by its number. */
  isLate?: (request: number) => boolean;
  /** Changes the list before a request is answered. */
  move?: (ids: number[], request: number) => void;
}

/** A list of IDs that is read like ION's lists, by offsets, and that may change during the read. */
export class ListSource implements PageSource {
  readonly concurrency = 5;
  /** The number of open requests at each one, it included. */
  readonly open: number[] = [];
  /** The requested sizes. */
  readonly asked: number[] = [];
  readonly ids: number[];
  readonly #behaviour: ListBehaviour;
  #running = 0;

  constructor(ids: number[], behaviour: ListBehaviour) {
    this.ids = ids;
    this.#behaviour = behaviour;
  }

  async request(operation: Operation, options: RequestOptions): Promise<IonResponse> {
    const { cursors, totalCount, maxPageSize, delay, move, isLate } = this.#behaviour;
    const { firstVariable, afterVariable, path } = operation as PagedOperation;
    let variables = options.variables as Record<string, number | string | null>;
    let attempts = 1;
    const ask = () => {
      this.asked.push(Number(variables[firstVariable]));
      return this.asked.length;
    };
    let request = ask();
    await this.#wait(delay(request), options.signal);
    if (isLate?.(request)) {
      const error = new IonError('ION_TIMEOUT', 'Late.');
      variables = (options.onRetry?.(error) ?? variables) as typeof variables;
      attempts++;
      request = ask();
    }
    const first = Number(variables[firstVariable]);
    this.#refuse(first, attempts);
    move?.(this.ids, request);
    const begin = this.#offsetAfter(variables[afterVariable]);
    const rows = this.ids.slice(begin, begin + Math.min(first, maxPageSize));
    const cursor = (offset: number) =>
      cursors === 'offset' ? cursorAt(offset) : `row ${offset}, more or less`;
    const connection = {
      edges: rows.map((id) => ({ node: { id } })),
      pageInfo: {
        hasNextPage: begin + rows.length < this.ids.length,
        startCursor: rows.length > 0 ? cursor(begin) : null,
        endCursor: rows.length > 0 ? cursor(begin + rows.length - 1) : null,
        ...(totalCount && { totalCount: this.ids.length }),
      },
    };
    const { durationMs, textLength } = this.#behaviour;
    return {
      data: { [String(path[0])]: connection },
      attempts,
      durationMs: durationMs?.(rows.length),
      textLength: textLength?.(rows.length),
    };
  }

  /** A request is open until its turns are over, or until it is cancelled. */
  async #wait(turns: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.open.push(++this.#running);
    const end = () => {
      this.#running--;
    };
    signal.addEventListener('abort', end, { once: true });
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    if (signal.aborted) throw signal.reason;
    signal.removeEventListener('abort', end);
    end();
  }

  #refuse(first: number, attempts: number): void {
    const { refusal, mostReadable = Number.POSITIVE_INFINITY } = this.#behaviour;
    if (refusal && first > refusal.most) {
      const message = refusal.isNamed
        ? `first must be at most ${refusal.most}.`
        : 'The page size is too large.';
      throw new IonError('ION_GRAPHQL', message, { errors: [{ message }] }).with({ attempts });
    }
    if (first > mostReadable) {
      const reason = { key: 'tooLarge' } as const;
      throw new IonError('ION_RESPONSE', 'Too large.', { reason }).with({ attempts });
    }
  }

  #offsetAfter(cursor: unknown): number {
    if (cursor === null || cursor === undefined) return 0;
    const offset = offsetOf(cursor) ?? Number(/^row (\d+)/.exec(String(cursor))?.[1]);
    return offset + 1;
  }
}
