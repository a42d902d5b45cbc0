import assert from 'node:assert/strict';
import { delayAfterFailures } from '../../../nodes/client/support/backoff.js';
import { DeliveryDedup } from '../../../nodes/client/webhooks/delivery-dedup.js';
import { RateLimit } from '../../../nodes/client/webhooks/rate-limit.js';

const body = (text: string) => Buffer.from(text);

describe('deliveries', () => {
  it('are recognized by the ID of the event', () => {
    const deliveries = new DeliveryDedup();
    deliveries.remember({ eventId: 1 }, body('a'));
    assert.ok(deliveries.has({ eventId: 1 }, body('b')));
    assert.ok(!deliveries.has({ eventId: 2 }, body('a')));
    assert.ok(!deliveries.has({}, body('a')));
  });

  it('with an ID are recognized however late they arrive, but not by a new node', () => {
    let now = 0;
    const deliveries = new DeliveryDedup(() => now);
    deliveries.remember({ eventId: 'a' }, body('a'));
    now = 365 * 24 * 3_600_000;
    assert.ok(deliveries.has({ eventId: 'a' }, body('a')));
    // A redeployed node starts empty.
    assert.ok(!new DeliveryDedup(() => now).has({ eventId: 'a' }, body('a')));
  });

  it('without an ID are recognized by their bytes, for ten minutes', () => {
    let now = 0;
    const deliveries = new DeliveryDedup(() => now);
    deliveries.remember({}, body('a'));
    now = 599_999;
    assert.ok(deliveries.has({}, body('a')));
    assert.ok(!deliveries.has({}, body('b')));
    now = 600_000;
    assert.ok(!deliveries.has({}, body('a')), 'ION may have sent the same bytes for a new event');
    deliveries.remember({}, body('a'));
    now = 1_199_999;
    assert.ok(deliveries.has({}, body('a')));
  });

  it('are forgotten, the oldest first, after 10,000', () => {
    const deliveries = new DeliveryDedup();
    for (let eventId = 0; eventId <= 10_000; eventId++) deliveries.remember({ eventId }, body(''));
    assert.ok(!deliveries.has({ eventId: 0 }, body('')));
    assert.ok(deliveries.has({ eventId: 1 }, body('')));
  });
});

describe('rate limit', () => {
  it('allows the configured number per second', () => {
    let now = 0;
    const limit = new RateLimit(2, () => now);
    assert.deepEqual([limit.take(), limit.take(), limit.take()], [true, true, false]);
    now = 999;
    assert.equal(limit.take(), false);
    now = 1000;
    assert.equal(limit.take(), true);
  });
});

describe('back-off', () => {
  it('doubles up to a minute, and is never below the interval', () => {
    const delays = (random: number) =>
      [1, 2, 3, 4, 50].map((failures) => delayAfterFailures(10_000, failures, () => random));
    assert.deepEqual(delays(1), [20_000, 40_000, 80_000, 100_000, 100_000]);
    assert.deepEqual(delays(0), [10_000, 20_000, 40_000, 50_000, 50_000]);
    assert.equal(
      delayAfterFailures(1000, 50, () => 1),
      60_000,
    );
  });
});
