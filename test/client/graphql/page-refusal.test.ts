import assert from 'node:assert/strict';
import { type GraphqlError, IonError } from '../../../nodes/client/errors.js';
import { smallerPage } from '../../../nodes/client/graphql/page-refusal.js';

const refuse = (rows: number, ...errors: GraphqlError[]) =>
  smallerPage(rows, new IonError('ION_GRAPHQL', 'refused', { errors }));

describe('a page that ION refuses', () => {
  const named: [message: string, rows: number, maximum: number][] = [
    ['Requesting 100 records exceeds the `first` limit of 50 records.', 100, 50],
    ['first: must be at most 50', 100, 50],
    ['first must be less than 50', 100, 49],
    ['"first" must be smaller than 2', 100, 1],
    ['first must be between 1 and 50', 100, 50],
    ['The maximum page size is 1,000', 2000, 1000],
    ['page_limit exceeded: 1_000_000', 2_000_000, 1_000_000],
    ['Up to 250 rows are returned.', 300, 250],
    ['The page limit is 1.', 100, 1],
  ];
  for (const [message, rows, maximum] of named) {
    it(`is read again with ${maximum} rows after: ${message}`, () => {
      assert.deepEqual(refuse(rows, { message }), { rows: maximum, isNamed: true });
    });
  }

  for (const message of [
    'The page size is too large.',
    'pagesize too large',
    'The page-length is wrong.',
    'first is too large',
    'Too many: 100 rows',
    '100 items are too many.',
    'At most 100 records per page are needed.',
    'first must be at most 0',
    'The cost of 30 is over the limit of records per page.',
    'The query costs more than 30 records per page',
    'The complexity is more than 30: fewer rows per page',
    'The limit was set by somebody long ago for reasons that nobody knows, now 30 records per page',
    'max 500 MB of memory, 30 records per page',
    'less than expected: 30 records per page',
    'between all of them, 7 and 30 records per page',
  ]) {
    it(`is read again with half of the rows after: ${message}`, () => {
      assert.deepEqual(refuse(100, { message }), { rows: 50, isNamed: false });
    });
  }

  for (const message of [
    'The memory limit is 100 MB.',
    'The part has 7 rows.',
    'Use at most 100 MB of rows.',
    'The firsthand report is wrong.',
    'Unknown argument "first" on field "runs" of type "Query".',
    'Run 5 is on hold.',
  ]) {
    it(`is refused for another reason: ${message}`, () => {
      assert.equal(refuse(100, { message }), undefined);
    });
  }

  it('of a single row cannot be smaller', () => {
    const message = 'The page size is too large.';
    assert.equal(refuse(1, { message }), undefined);
    assert.deepEqual(refuse(2, { message }), { rows: 1, isNamed: false });
    assert.deepEqual(refuse(5, { message }), { rows: 2, isNamed: false });
  });

  it('is no page of a list inside a row, whose error has the path of the row', () => {
    const message = 'first must be at most 50';
    assert.equal(refuse(100, { message, path: ['runs', 'edges', 0, 'node'] }), undefined);
    const list = { message, path: ['runs'] };
    assert.deepEqual(refuse(100, list), { rows: 50, isNamed: true });
    assert.deepEqual(refuse(100, { message, path: [] }), { rows: 50, isNamed: true });
    const broken = { message, path: 'runs' } as unknown as GraphqlError;
    assert.deepEqual(refuse(100, broken), { rows: 50, isNamed: true });
  });

  it('has the maximum of the error that names one', () => {
    const errors = ['Refused.', 'The page size is too large.', 'first: at most 30'];
    const found = refuse(100, ...errors.map((message) => ({ message })));
    assert.deepEqual(found, { rows: 30, isNamed: true });
  });

  it('is refused by an error of an operation only', () => {
    const errors = [{ message: 'first must be at most 50' }];
    assert.equal(smallerPage(100, new IonError('ION_SERVER', 'no', { errors })), undefined);
    assert.equal(smallerPage(100, new IonError('ION_GRAPHQL', 'first')), undefined);
  });
});
