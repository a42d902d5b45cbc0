import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import type { PageSize } from '../../../nodes/client/paging/page-reader.js';
import { pages } from '../../../nodes/client/paging/paginator.js';
import { type ListBehaviour, ListSource } from '../../support/list-source.js';

const IDS = '{ runs { edges { node { id } } } }';

interface Reading {
  pageSize: PageSize;
  limit: number;
  prefetch: boolean;
}

/** IDs of all pages, and whether only the last one was marked as the last. */
async function read(source: ListSource, options: Reading, text = IDS): Promise<number[]> {
  const { signal } = new AbortController();
  const ids: number[] = [];
  let last = 0;
  let count = 0;
  for await (const page of pages(source, parseOperation(text), { ...options, signal })) {
    count++;
    if (page.isLast) last = count;
    for (const edge of page.edges) ids.push((edge as { node: { id: number } }).node.id);
  }
  assert.equal(last, count, 'a page that is not the last says so, or the last does not');
  return ids;
}

const behaviour = fc.record({
  cursors: fc.constantFrom('offset' as const, 'opaque' as const),
  totalCount: fc.boolean(),
  maxPageSize: fc.oneof(fc.constant(1000), fc.integer({ min: 1, max: 40 })),
  delay: fc.func(fc.nat(4)),
});
const reading = {
  pageSize: fc.integer({ min: 1, max: 40 }),
  limit: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 250 })),
};
const upTo = (length: number) => Array.from({ length }, (_, index) => (index + 1) * 1000);

describe('pages of any list', () => {
  it('are complete, in order and without duplicates, sequentially and in parallel', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(200),
        fc.record({ ...reading, behaviour }),
        async (length, { pageSize, limit, behaviour }) => {
          const expected = limit > 0 ? upTo(length).slice(0, limit) : upTo(length);
          for (const prefetch of [false, true]) {
            const source = new ListSource(upTo(length), behaviour);
            assert.deepEqual(await read(source, { pageSize, limit, prefetch }), expected);
          }
        },
      ),
      { numRuns: 400 },
    ));

  /** An ION with any speed, and with any limits for pages. */
  const anyIon = fc.record(
    {
      cursors: fc.constantFrom('offset' as const, 'opaque' as const),
      totalCount: fc.boolean(),
      maxPageSize: fc.constantFrom(10_000, 700, 150, 60, 7),
      delay: fc.func(fc.nat(4)),
      durationMs: fc.func(fc.constantFrom(1, 100, 900, 2500)),
      textLength: fc.func(fc.constantFrom(100, 1024 ** 2, 5 * 1024 ** 2)),
      refusal: fc.record({ most: fc.integer({ min: 1, max: 1000 }), isNamed: fc.boolean() }),
      mostReadable: fc.integer({ min: 10, max: 1000 }),
      isLate: fc.func(fc.integer({ min: 1, max: 8 }).map((number) => number === 8)),
    },
    { requiredKeys: ['cursors', 'totalCount', 'maxPageSize', 'delay'] },
  );
  const pageSize = fc.constantFrom('auto' as const, 'auto' as const, 40, 300, 1000);
  const length = fc.oneof(fc.nat(300), fc.nat(6000));

  it('have every row exactly once and in order, whatever their sizes, refusals and timeouts', () =>
    fc.assert(
      fc.asyncProperty(
        length,
        pageSize,
        fc.nat(7000),
        anyIon,
        async (length, pageSize, limit, ion) => {
          const source = new ListSource(upTo(length), ion);
          // The second list begins with what the first one learned.
          for (const most of [0, limit]) {
            const expected = most > 0 ? upTo(length).slice(0, most) : upTo(length);
            assert.deepEqual(
              await read(source, { pageSize, limit: most, prefetch: true }),
              expected,
            );
          }
          assert.ok(Math.max(...source.open) <= source.concurrency + 1);
        },
      ),
      { numRuns: 200 },
    ));

  it('are requested once each, in parallel and sequentially', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(200), fc.record(reading), async (length, options) => {
        const asked = async (prefetch: boolean) => {
          const source = new ListSource(upTo(length), {
            cursors: 'offset',
            totalCount: true,
            maxPageSize: 1000,
            delay: () => 0,
          });
          await read(source, { ...options, prefetch });
          return source.asked.length;
        };
        assert.equal(await asked(true), await asked(false));
      }),
      { numRuns: 100 },
    ));

  /** Rows that are added at random positions, or removed: never both in one read. */
  const moves = fc.record({
    joins: fc.boolean(),
    places: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(1000)), { maxLength: 30 }),
  });

  const move = (joins: boolean, places: [number, number][], gone: Set<number>) => {
    let joined = 1;
    return (ids: number[], request: number) => {
      for (const [at, place] of places) {
        if (at !== request || ids.length === 0) continue;
        const index = place % ids.length;
        if (joins) {
          // Between its neighbors: the list is sorted by ID, like ION's.
          ids.splice(index, 0, (ids[index] as number) - 1 + joined++ / 1000);
          ids.sort((a, b) => a - b);
        } else {
          for (const id of ids.splice(index, 1)) gone.add(id);
        }
      }
    };
  };

  const sizes = fc.oneof(
    fc.tuple(fc.nat(150), fc.integer({ min: 1, max: 30 })),
    fc.tuple(fc.nat(2500), fc.constant('auto' as const)),
  );
  for (const prefetch of [false, true]) {
    const way = prefetch ? 'in parallel' : 'one by one';
    it(`contain every row that stays, in order, and none twice, if the list changes (${way})`, () =>
      fc.assert(
        fc.asyncProperty(
          sizes,
          moves,
          fc.func(fc.nat(4)),
          async ([length, pageSize], { joins, places }, delay) => {
            const gone = new Set<number>();
            const behaviour: ListBehaviour = {
              cursors: 'offset',
              totalCount: true,
              maxPageSize: 1000,
              delay,
              durationMs: () => 1,
              move: move(joins, places, gone),
            };
            const source = new ListSource(upTo(length), behaviour);
            const ids = await read(source, { pageSize, limit: 0, prefetch });
            assert.equal(new Set(ids).size, ids.length);
            // An added row may be late or missing, and a removed row may have been read.
            const stayed = (id: number) => Number.isInteger(id / 1000) && !gone.has(id);
            assert.deepEqual(ids.filter(stayed), upTo(length).filter(stayed));
          },
        ),
        { numRuns: 400 },
      ));
  }

  it('contain every row that stays, if rows are added and the document selects no ID', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(100),
        fc.integer({ min: 1, max: 30 }),
        moves,
        fc.func(fc.nat(4)),
        async (length, pageSize, { places }, delay) => {
          const source = new ListSource(upTo(length), {
            cursors: 'offset',
            totalCount: true,
            maxPageSize: 1000,
            delay,
            move: move(true, places, new Set()),
          });
          const text = '{ runs { edges { node { title } } } }';
          const ids = new Set(await read(source, { pageSize, limit: 0, prefetch: true }, text));
          assert.deepEqual(
            upTo(length).filter((id) => !ids.has(id)),
            [],
          );
        },
      ),
      { numRuns: 400 },
    ));
});
