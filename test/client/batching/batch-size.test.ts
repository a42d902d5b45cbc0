import assert from 'node:assert/strict';
import { BatchSize } from '../../../nodes/client/batching/batch-size.js';

const MINUTE = 60_000;

describe('the number of operations in one document', () => {
  let now = 0;
  const size = (operations: 'auto' | number = 'auto') => new BatchSize(operations, () => now);
  const grown = () => {
    const own = size();
    for (let i = 0; i < 10; i++) own.answered(own.current, 1);
    return own;
  };

  it('starts with 4, and doubles up to 50 while ION answers within 2 s', () => {
    const own = size();
    const sizes = [own.current];
    for (let i = 0; i < 5; i++) {
      own.answered(own.current, 2000);
      sizes.push(own.current);
    }
    assert.deepEqual(sizes, [4, 8, 16, 32, 50, 50]);
  });

  it('grows four times as fast if there is the time for that', () => {
    const own = size();
    own.answered(4, 501);
    assert.equal(own.current, 12);
    own.answered(12, 0);
    assert.equal(own.current, 48);
    own.answered(48, 500);
    assert.equal(own.current, 50);
  });

  it('does not grow by a slower answer, or by that to a smaller document', () => {
    const own = size();
    own.answered(4, 2001);
    own.answered(3, 1);
    assert.equal(own.current, 4);
  });

  it('is halved, down to 1, if a document gets no answer or one that takes more than 10 s', () => {
    const own = grown();
    own.failed(50);
    assert.equal(own.current, 25);
    own.answered(25, 10_001);
    assert.equal(own.current, 12);
    for (const expected of [6, 3, 1, 1]) {
      own.failed(own.current);
      assert.equal(own.current, expected);
    }
    own.answered(1, 1);
    assert.equal(own.current, 4);
  });

  it('is halved once for documents that fail at the same time, and not for a single operation', () => {
    const own = grown();
    for (let i = 0; i < 10; i++) own.failed(50);
    assert.equal(own.current, 25);
    own.failed(1);
    assert.equal(own.current, 25);
    own.failed(10);
    assert.equal(own.current, 5);
  });

  it('stays below a limit of ION for 10 min, and grows again from there', () => {
    const own = grown();
    own.limit(1);
    assert.equal(own.current, 1);
    now += 10 * MINUTE - 1;
    own.answered(1, 1);
    assert.equal(own.current, 1);
    now += 1;
    assert.equal(own.current, 1);
    own.answered(1, 1001);
    assert.equal(own.current, 2);
  });

  it('keeps the lower one of two limits', () => {
    const own = grown();
    own.limit(20);
    own.limit(30);
    assert.equal(own.current, 20);
  });

  it('is the one of the settings, within 1 to 50, as far as ION accepts it', () => {
    for (const [given, expected] of [
      [10, 10],
      [0, 1],
      [1000, 50],
      [7.9, 7],
    ] as const) {
      const own = size(given);
      own.answered(expected, 1);
      own.failed(expected);
      assert.equal(own.current, expected);
    }
    const own = size(10);
    own.limit(3);
    assert.equal(own.current, 3);
    now += 10 * MINUTE;
    assert.equal(own.current, 10);
  });
});
