import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { cursorAt, offsetOf } from '../../nodes/client/paging/cursors.js';
import type { PageSource } from '../../nodes/client/paging/page-reader.js';
import type { PagedOperation } from '../../nodes/client/paging/paged-operation.js';
import { formatMicros, parseMicros } from '../../sandbox/data/clock.js';

/** A change as the database stores it: with the time at which its transaction began. */
export interface TableChange {
  id: number;
  /** Microseconds since 1970. */
  updated: number;
  /** End of the transaction, after which others see it. */
  visibleAt: number;
}

/** Delays of one request. */
export interface Journey {
  /** Until ION reads its table, in microseconds. */
  there: number;
  /** Until it writes the date of its response. */
  answering: number;
  /** Until the response arrives. */
  back: number;
  fails: boolean;
}

const AT_ONCE: Journey = { there: 0, answering: 0, back: 0, fails: false };

/** ION's list of run steps on a clock that the test moves; responses and changes take time. */
export class SlowTable implements PageSource {
  readonly concurrency = 1;
  /** Microseconds since 1970. */
  now = Date.UTC(2026, 0, 1) * 1000;
  /** For the next requests; others take no time. */
  journeys: Journey[] = [];
  readonly #rows = new Map<number, { updated: number; etag: number }>();
  #coming: TableChange[] = [];
  #etag = 0;

  change(change: TableChange): void {
    this.#coming.push(change);
    this.#appear();
  }

  pass(micros: number): void {
    this.now += micros;
    this.#appear();
  }

  /** The currently visible state of each row. */
  states(): Map<number, number> {
    return new Map([...this.#rows].map(([id, { etag }]) => [id, etag]));
  }

  async request(operation: Operation, { variables = {} }: RequestOptions): Promise<IonResponse> {
    const { there, answering, back, fails } = this.journeys.shift() ?? AT_ONCE;
    this.pass(there);
    const { firstVariable, afterVariable, path } = operation as PagedOperation;
    const since = parseMicros(/"gte":"([^"]+)"/.exec(JSON.stringify(variables))?.[1] ?? '') ?? 0;
    const rows = [...this.#rows]
      .filter(([, { updated }]) => updated >= since)
      .sort(([one], [other]) => one - other);
    const cursor = variables[afterVariable];
    const begin = cursor ? Number(offsetOf(cursor)) + 1 : 0;
    const page = rows.slice(begin, begin + Number(variables[firstVariable]));
    const edges = page.map(([id, { updated, etag }]) => {
      const _updated = formatMicros(updated);
      return { node: { id, _updated, _etag: etag, _created: _updated } };
    });
    const connection = {
      edges,
      pageInfo: {
        hasNextPage: begin + page.length < rows.length,
        startCursor: edges.length > 0 ? cursorAt(begin) : null,
        endCursor: edges.length > 0 ? cursorAt(begin + page.length - 1) : null,
        totalCount: rows.length,
      },
    };
    this.pass(answering);
    // HTTP dates have whole seconds.
    const date = new Date(this.now / 1000).toUTCString();
    this.pass(back);
    if (fails) throw new IonError('ION_NETWORK', 'The connection broke.');
    return { data: { [String(path[0])]: connection }, attempts: 1, date };
  }

  #appear(): void {
    const visible = this.#coming.filter(({ visibleAt }) => visibleAt <= this.now);
    this.#coming = this.#coming.filter(({ visibleAt }) => visibleAt > this.now);
    visible.sort((one, other) => one.visibleAt - other.visibleAt);
    for (const { id, updated } of visible) this.#rows.set(id, { updated, etag: ++this.#etag });
  }
}
