import assert from 'node:assert/strict';
import { backoff } from '../../../nodes/client/support/backoff.js';

describe('back-off', () => {
  const options = { firstMs: 1000, maxMs: 60_000, jitter: 0 };

  it('doubles with each failure, up to its limit', () => {
    const delays = [1, 2, 3, 6, 7, 8, 5000].map((attempt) => backoff({ ...options, attempt }));
    assert.deepEqual(delays, [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is random in the share that the jitter names', () => {
    const range = (jitter: number) =>
      [0, 0.5, 1].map((random) =>
        backoff({ ...options, attempt: 1, jitter, random: () => random }),
      );
    assert.deepEqual(range(0), [1000, 1000, 1000]);
    assert.deepEqual(range(0.5), [500, 750, 1000]);
    assert.deepEqual(range(1), [0, 500, 1000]);
  });

  it('is at least as long as the server asks, but not for more than ten minutes', () => {
    const delay = (retryAfterMs: number) => backoff({ ...options, attempt: 3, retryAfterMs });
    assert.deepEqual([0, 3999, 4001].map(delay), [4000, 4000, 4001]);
    assert.equal(delay(3_600_000), 600_000);
  });
});
