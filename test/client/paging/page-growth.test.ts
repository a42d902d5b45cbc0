import assert from 'node:assert/strict';
import { PageGrowth } from '../../../nodes/client/paging/page-growth.js';

/** Characters of a row of usual width. */
const ROW = 200;

/** Sizes of pages, requested one after the other, that take `ms` and `msPerRow`. */
function sizes(count: number, ms: number, msPerRow: number, row = ROW): number[] {
  const growth = new PageGrowth();
  return Array.from({ length: count }, () => {
    const { rows } = growth;
    growth.accept({ rows, durationMs: ms + rows * msPerRow, characters: rows * row });
    return rows;
  });
}

describe('an automatic page size', () => {
  const cases: [what: string, sizes: number[], expected: number[]][] = [
    ['doubles up to 1000 if ION is fast', sizes(6, 50, 0), [100, 200, 400, 800, 1000, 1000]],
    ['stays where pages take 2 s', sizes(6, 50, 2), [100, 200, 400, 800, 969, 974]],
    ['grows by less if rows are slow', sizes(4, 0, 8), [100, 200, 250, 250]],
    ['does not grow after a page of 2 s', sizes(3, 2000, 0), [100, 100, 100]],
    ['does not shrink after a slow page', sizes(3, 9000, 0), [100, 100, 100]],
    ['stays below 4 Mi characters', sizes(4, 50, 0, 20_000), [100, 200, 209, 209]],
    ['does not grow if rows are very wide', sizes(3, 50, 0, 100_000), [100, 100, 100]],
  ];
  for (const [what, found, expected] of cases) {
    it(what, () => assert.deepEqual(found, expected));
  }

  const grown = (): PageGrowth => {
    const growth = new PageGrowth();
    for (let page = 0; page < 5; page++) accept(growth, growth.rows);
    assert.equal(growth.rows, 1000);
    return growth;
  };
  const accept = (growth: PageGrowth, rows: number, durationMs: number | undefined = 50) =>
    growth.accept({ rows, durationMs, characters: rows * ROW });

  it('never exceeds what a page is expected to take, if all time is that of the rows', () => {
    for (const msPerRow of [0.1, 1, 3, 7, 15]) {
      for (const rows of sizes(10, 0, msPerRow)) {
        assert.ok(rows === 100 || rows * msPerRow <= 2000, `${rows} rows at ${msPerRow} ms`);
      }
    }
  });

  it('does not grow if it is not known how long a page takes', () => {
    const growth = new PageGrowth();
    growth.accept({ rows: 100, durationMs: undefined, characters: undefined });
    assert.equal(growth.rows, 100);
  });

  it('learns nothing from a page that is smaller than others', () => {
    const growth = grown();
    accept(growth, 40, 9000);
    assert.deepEqual([growth.rows, growth.firstRows], [1000, 1000]);
  });

  it('is larger than proven for one page at a time', () => {
    const growth = new PageGrowth();
    accept(growth, 100);
    const ends = [growth.begin(growth.rows)];
    assert.equal(growth.rows, 100);
    ends.push(growth.begin(growth.rows));
    ends[1]?.();
    assert.equal(growth.rows, 100, 'the larger page is still open');
    accept(growth, 200);
    ends[0]?.();
    assert.equal(growth.rows, 400);
  });

  it('tries the same size again if the larger page was not answered', () => {
    const growth = new PageGrowth();
    accept(growth, 100);
    growth.begin(200)();
    assert.equal(growth.rows, 200);
  });

  it('grows again from the size to which a timeout lowered it', () => {
    const growth = grown();
    growth.lower(500);
    assert.equal(growth.rows, 500);
    growth.lower(800);
    assert.equal(growth.rows, 500);
    accept(growth, 500);
    assert.equal(growth.rows, 1000);
  });

  it('never grows beyond a size that ION refused', () => {
    const growth = grown();
    growth.limit(300);
    assert.equal(growth.rows, 300);
    accept(growth, 300);
    accept(growth, 600);
    assert.equal(growth.rows, 300);
    growth.limit(400);
    assert.equal(growth.rows, 300);
  });

  it('begins a list with a page of a quarter of a second, because the others wait for it', () => {
    for (const [msPerRow, expected] of [
      [0.05, 1000],
      [0.5, 500],
      [2, 125],
      [9, 100],
    ] as const) {
      const growth = new PageGrowth();
      assert.equal(growth.firstRows, 100);
      for (let page = 0; page < 9; page++) accept(growth, growth.rows, growth.rows * msPerRow);
      assert.equal(growth.firstRows, expected);
    }
    const late = grown();
    late.lower(25);
    assert.equal(late.firstRows, 25);
  });
});
