import assert from 'node:assert/strict';
import type { IonResponse, RequestOptions } from '../../../nodes/client/client.js';
import type { Operation } from '../../../nodes/client/graphql/operation.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import type { PageSource } from '../../../nodes/client/paging/page-reader.js';
import type { PagedOperation } from '../../../nodes/client/paging/paged-operation.js';
import { type PagesOptions, pages } from '../../../nodes/client/paging/paginator.js';
import { failure } from '../../support/errors.js';

/** More requests than any of the limits allows. */
const ENDLESS = 2500;

type PageOf = (number: number) => {
  rows: unknown[];
  endCursor?: string;
  totalCount?: number;
  isLast?: boolean;
  textLength?: number;
};

/** A server that has one more page each time. */
class EndlessSource implements PageSource {
  readonly concurrency = 5;
  requests = 0;
  readonly #pageOf: PageOf;

  constructor(pageOf: PageOf) {
    this.#pageOf = pageOf;
  }

  async request(
    { path }: Operation & Partial<PagedOperation>,
    _: RequestOptions,
  ): Promise<IonResponse> {
    const number = this.requests++;
    if (number > ENDLESS) throw new Error('the list is read without an end');
    const { rows, endCursor = `c${number}`, totalCount, isLast, textLength } = this.#pageOf(number);
    const edges = rows.map((node) => ({ node }));
    const pageInfo = { hasNextPage: !isLast, endCursor, totalCount };
    return { data: { [String(path?.[0])]: { edges, pageInfo } }, attempts: 1, textLength };
  }
}

const newRows = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => ({ id: from + index }));

describe('pages without an end', () => {
  const read = async (pageOf: PageOf, options: Partial<PagesOptions> = {}) => {
    const { signal } = new AbortController();
    const operation = parseOperation('{ runs { edges { node { id } } } }');
    let rows = 0;
    const all = { pageSize: 1000, limit: 0, signal, ...options };
    for await (const { edges } of pages(new EndlessSource(pageOf), operation, all)) {
      rows += edges.length;
    }
    return rows;
  };
  const refused = (pageOf: PageOf, options?: Partial<PagesOptions>) =>
    failure(read(pageOf, options), 'ION_RESPONSE');

  it('end after a million rows, with advice', async () => {
    const error = await refused((number) => ({ rows: newRows(1000, number * 1000) }));
    assert.match(
      error.message,
      /"runs".*more than 1000000 rows.*filters.*limit.*one message per page/,
    );
    assert.equal(error.pages, 1000);
  });

  it('end if most of them are empty', async () => {
    assert.match((await refused(() => ({ rows: [] }))).message, /has more rows, but/);
    const known = newRows(10, 0);
    assert.match((await refused(() => ({ rows: known }))).message, /without a new row/);
  });

  it('end at a cursor that is too long', async () => {
    const long = (length: number) => (number: number) => ({
      rows: newRows(1, number),
      endCursor: String(number).padStart(length, 'x'),
      isLast: number === 3,
    });
    assert.match((await refused(long(1001))).message, /cursor of more than 1000 characters/);
    assert.equal(await read(long(1000)), 4);
  });

  it('distinguish rows with long IDs', async () => {
    const ids = ['a', 'b', 'a'].map((end) => ({ id: 'x'.repeat(100_000) + end }));
    assert.equal(await read(() => ({ rows: ids, isLast: true })), 2);
  });

  it('end if collected rows would not fit into memory', async () => {
    const long = (number: number) => ({ rows: newRows(1, number), textLength: 60 * 1024 * 1024 });
    const { message } = await refused(long, { isCollected: true });
    assert.match(message, /too large to be held in memory together.*filters/);
    const last = (number: number) => ({ ...long(number), isLast: number === 20 });
    assert.equal(await read(last), 21);
  });
});
