import assert from 'node:assert/strict';
import { isNothing } from '../../nodes/outbox/is-nothing.js';

describe('the result of "Already done"', () => {
  const nothing = [undefined, null, false, 0, '', [], {}, [null], { create: {} }, [{ a: [] }]];
  for (const value of nothing) {
    it(`is nothing: ${JSON.stringify(value)}`, () => assert.equal(isNothing(value), true));
  }
  const circular: Record<string, unknown> = { id: null };
  circular.self = circular;
  it('is nothing: a circular object that holds nothing else', () => {
    assert.equal(isNothing(circular), true);
  });
  it('is an earlier try: a date, a Buffer', () => {
    assert.deepEqual([new Date(0), Buffer.from([0])].map(isNothing), [false, false]);
  });
  const something = [true, 1, 'x', [0, 1], { create: { id: 1 } }, { found: true, note: '' }];
  for (const value of something) {
    it(`is an earlier try: ${JSON.stringify(value)}`, () => assert.equal(isNothing(value), false));
  }
});
