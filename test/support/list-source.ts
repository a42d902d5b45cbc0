import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
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
  /** Changes the list before a request is answered. */
  move?: (ids: number[], request: number) => void;
}

/** A list of IDs that is read like ION's lists, by offsets, and that may change during the read. */
export class ListSource implements PageSource {
  readonly concurrency = 5;
  /** The requested sizes. */
  readonly asked: number[] = [];
  readonly ids: number[];
  readonly #behaviour: ListBehaviour;

  constructor(ids: number[], behaviour: ListBehaviour) {
    this.ids = ids;
    this.#behaviour = behaviour;
  }

  async request(operation: Operation, options: RequestOptions): Promise<IonResponse> {
    const { cursors, totalCount, maxPageSize, delay, move } = this.#behaviour;
    const { firstVariable, afterVariable, path } = operation as PagedOperation;
    const variables = options.variables as Record<string, number | string | null>;
    const first = Number(variables[firstVariable]);
    this.asked.push(first);
    const request = this.asked.length;
    for (let turns = delay(request); turns > 0; turns--) await nextTurn();
    if (options.signal.aborted) throw options.signal.reason;
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
    return { data: { [String(path[0])]: connection }, attempts: 1 };
  }

  #offsetAfter(cursor: unknown): number {
    if (cursor === null || cursor === undefined) return 0;
    const offset = offsetOf(cursor) ?? Number(/^row (\d+)/.exec(String(cursor))?.[1]);
    return offset + 1;
  }
}
