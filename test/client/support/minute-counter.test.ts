import assert from 'node:assert/strict';
import { MinuteCounter } from '../../../nodes/client/support/minute-counter.js';

describe('a counter of the last minute', () => {
  it('forgets what was counted a minute ago', () => {
    let now = 5_000_000;
    const counter = new MinuteCounter(() => now);
    counter.add();
    now += 30_000;
    counter.add();
    counter.add();
    assert.equal(counter.count, 3);
    now += 31_000;
    assert.equal(counter.count, 2);
    now += 3_600_000;
    assert.equal(counter.count, 0);
    counter.add();
    assert.equal(counter.count, 1);
  });
});
