import assert from 'node:assert/strict';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import type { PageSize } from '../../../nodes/client/paging/page-reader.js';
import { pages } from '../../../nodes/client/paging/paginator.js';
import { failure } from '../../support/errors.js';
import { type ListBehaviour, ListSource } from '../../support/list-source.js';

const IDS = '{ runs { edges { node { id } } } }';
const upTo = (length: number) => Array.from({ length }, (_, index) => index + 1);

interface Reading {
  pageSize?: PageSize;
  limit?: number;
  prefetch?: boolean;
}

/** The number of rows, which is checked, and the sizes that were requested. */
async function read(
  source: ListSource,
  { pageSize = 'auto', limit = 0, prefetch = true }: Reading = {},
  text = IDS,
): Promise<number[]> {
  const { signal } = new AbortController();
  const from = source.asked.length;
  const ids: unknown[] = [];
  const operation = parseOperation(text);
  for await (const { edges } of pages(source, operation, { pageSize, limit, prefetch, signal })) {
    ids.push(...edges.map((edge) => (edge as { node: { id: unknown } }).node.id));
  }
  assert.deepEqual(ids, limit > 0 ? source.ids.slice(0, limit) : source.ids);
  return source.asked.slice(from);
}

describe('pages of an automatic size', () => {
  const fast = (length: number, behaviour: Partial<ListBehaviour> = {}) =>
    new ListSource(upTo(length), {
      cursors: 'offset',
      totalCount: true,
      maxPageSize: 100_000,
      delay: () => 1,
      durationMs: () => 50,
      ...behaviour,
    });
  const isParallel = (open: number[]) => Math.max(...open) >= 5;
  const sequential = { prefetch: false };

  it('grow while ION is fast, one after the other', async () => {
    const expected = [100, 200, 400, 800, 1000, 1000, 1000];
    assert.deepEqual(await read(fast(4000), sequential), expected);
    const opaque = fast(4000, { cursors: 'opaque', totalCount: false });
    assert.deepEqual(await read(opaque), expected);
  });

  it('grow in parallel, by one larger page at a time', async () => {
    const source = fast(30_000);
    const sizes = await read(source);
    assert.deepEqual(sizes.slice(0, 6), [100, 200, 100, 100, 100, 100]);
    assert.ok(sizes.filter((rows) => rows === 1000).length > 20);
    assert.equal(Math.max(...source.open), source.concurrency);
  });

  it('do not grow if ION is slow', async () => {
    const sizes = await read(fast(2000, { durationMs: () => 2500 }));
    assert.deepEqual(new Set(sizes), new Set([100]));
  });

  it('do not wait for a larger page that is slow', async () => {
    const source = fast(4000, { delay: (request) => (request === 2 ? 30 : 1) });
    const sizes = await read(source);
    assert.equal(sizes[1], 200);
    // Small pages up to the rows of five large ones, not only four beside the large one.
    assert.deepEqual(sizes.slice(2, 10), Array(8).fill(100));
  });

  it('divide the rest of the list evenly', async () => {
    const source = fast(9000);
    await read(source, sequential);
    source.ids.splice(3600);
    assert.deepEqual(await read(source), [1000, 520, 520, 520, 520, 520]);
  });

  it('are not smaller than 100 rows only to be divided', async () => {
    const source = fast(9000);
    await read(source, sequential);
    source.ids.splice(1250);
    assert.deepEqual(await read(source), [1000, 100, 100, 50]);
  });

  it('keep their size for the next list of the same document', async () => {
    const source = fast(4000);
    await read(source, sequential);
    assert.deepEqual(await read(source, sequential), [1000, 1000, 1000, 1000]);
    const other = '{ runs { edges { node { id title } } } }';
    assert.equal((await read(source, sequential, other))[0], 100);
    assert.equal((await read(fast(4000), sequential))[0], 100, 'another ION');
  });

  it('begin with few rows that are slow, also if more are known to come in time', async () => {
    const source = fast(9000, { durationMs: (rows) => 2 * rows });
    await read(source, sequential);
    assert.deepEqual((await read(source, sequential)).slice(0, 3), [125, 1000, 1000]);
  });

  it('respect a limit', async () => {
    assert.deepEqual(await read(fast(4000), { limit: 250, prefetch: false }), [100, 150]);
    assert.deepEqual(await read(fast(4000), { limit: 30 }), [30]);
    await read(fast(9000), { limit: 4321 });
  });

  it('have as many rows as the document says, if it does', async () => {
    const text = '{ runs(first: 300) { edges { node { id } } } }';
    assert.deepEqual(await read(fast(1000), sequential, text), [300, 300, 300, 300]);
  });

  it('stay fixed for a number', async () => {
    const sizes = await read(fast(1000), { pageSize: 250 });
    assert.deepEqual(sizes, [250, 250, 250, 250]);
  });

  for (const isNamed of [true, false]) {
    const error = isNamed ? 'names the maximum' : 'names no maximum';
    it(`stay below what ION refuses, and stay parallel, if its error ${error}`, async () => {
      const source = fast(9000, { refusal: { most: 350, isNamed }, delay: () => 9 });
      const sizes = await read(source);
      const largest = isNamed ? 350 : 200;
      assert.equal(sizes.filter((rows) => rows > largest).length, 1, 'one refusal');
      assert.ok(isParallel(source.open.slice(-15)));
      const next = await read(source);
      assert.equal(Math.max(...next), largest);
      const document = '{ runs { edges { node { id title } } } }';
      const others = await read(source, {}, document);
      assert.equal(Math.max(...others), isNamed ? 350 : 400, 'another document');
    });
  }

  it('stay parallel if the server sends fewer rows than requested', async () => {
    const source = fast(9000, { maxPageSize: 150, delay: () => 9 });
    const sizes = await read(source);
    assert.equal(Math.max(...sizes.slice(2)), 150, String(sizes));
    assert.ok(isParallel(source.open.slice(-15)));
  });

  it('are halved after a timeout, stay small for this list, and grow again in the next one', async () => {
    const source = fast(4000, { isLate: (request) => request === 4 });
    assert.deepEqual(await read(source, sequential), [100, 200, 400, 800, ...Array(9).fill(400)]);
    assert.deepEqual((await read(source, sequential)).slice(0, 3), [400, 800, 1000]);
  });

  it('begin smaller after a list in which they were late', async () => {
    const source = fast(4000, { isLate: (request) => request === 9 });
    await read(source, sequential);
    assert.deepEqual((await read(source, sequential)).slice(0, 4), [1000, 1000, 500, 500]);
    assert.deepEqual((await read(source, sequential)).slice(0, 3), [500, 1000, 1000]);
  });

  for (const pageSize of ['auto', 700] as const) {
    it(`are halved if they are too large to be read (${pageSize})`, async () => {
      const sizes = await read(fast(4000, { mostReadable: 180 }), { pageSize });
      const readable = sizes.filter((rows) => rows <= 180);
      assert.ok(readable.length > 20);
      assert.ok(sizes.length - readable.length <= 7, String(sizes));
    });
  }

  it('fail if 10 rows are too large to be read', async () => {
    const source = fast(400, { mostReadable: 9 });
    await failure(read(source), 'ION_RESPONSE');
    assert.deepEqual(source.asked, [100, 50, 25, 12, 10]);
  });
});
