import assert from 'node:assert/strict';
import {
  beforeOverlap,
  latest,
  OVERLAP_MS,
  toMs,
  updatedOf,
} from '../../../nodes/client/lists/timestamps.js';

const SECOND = Date.UTC(2026, 0, 31, 8, 0, 5);

describe('timestamps of ION', () => {
  for (const [timestamp, ms] of [
    ['2026-01-31T08:00:05+00:00', SECOND],
    ['2026-01-31T08:00:05.250000+00:00', SECOND + 250],
    ['2026-01-31T08:00:05.000250+00:00', SECOND + 0.25],
    ['2026-01-31T08:00:05.25', SECOND + 250],
    ['2026-01-31T08:00:05Z', SECOND],
    ['2026-01-31T09:00:05+0100', SECOND],
    ['2026-01-31T03:00:05-05:00', SECOND],
  ] as const) {
    it(`are read: ${timestamp}`, () => assert.equal(toMs(timestamp), ms));
  }

  for (const text of ['', 'now', '2026-13-31T08:00:05Z', `${'1'.repeat(100)}Z`]) {
    it(`are not ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.ok(Number.isNaN(toMs(text)));
      assert.equal(updatedOf({ _updated: text }), null);
    });
  }

  it('are compared to the microsecond, and stay as ION wrote them', () => {
    const one = '2026-01-31T08:00:05.000001+00:00';
    const other = '2026-01-31T09:00:05.000002+01:00';
    assert.equal(latest(one, other), other);
    assert.equal(latest(other, one), other);
    assert.equal(latest(null, one), one);
    assert.equal(latest(one, null), one);
    assert.equal(latest(null, null), null);
  });

  it('are moved back by the overlap', () => {
    assert.equal(toMs(beforeOverlap('2026-01-31T08:00:05.000900Z')), SECOND - OVERLAP_MS);
  });

  it('are absent from a row without one', () => {
    for (const row of [null, undefined, {}, { _updated: 5 }]) assert.equal(updatedOf(row), null);
  });
});
