import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import { FailingWrites } from '../../nodes/outbox/failing-writes.js';
import type { Stored } from '../../nodes/outbox/store/entries.js';

const MINUTE = 60_000;
const stored = (sequence: number) => ({ sequence }) as Stored;
const said = (message: string) => new IonError('ION_SERVER', message, { errors: [{ message }] });
const READ_ONLY = said('cannot execute UPDATE in a read-only transaction');

describe('failing writes', () => {
  let now: number;
  let failing: FailingWrites;
  beforeEach(() => {
    now = 0;
    failing = new FailingWrites(undefined, () => now);
  });

  /** One failure per minute for some hours; returns whether the write was rejected. */
  const isRejected = (error: IonError, between = () => {}): boolean => {
    for (let minute = 0; minute < 300; minute++) {
      if (failing.failed('partition', stored(1), error).mustReject) return true;
      now += MINUTE;
      between();
    }
    return false;
  };

  it('are rejected if nothing else fails', () => {
    assert.equal(isRejected(said('list index out of range')), true);
    assert.equal(now, 15 * MINUTE);
  });

  it('are not rejected during a database outage without other writes', () => {
    assert.equal(isRejected(READ_ONLY), false);
  });

  it('are rejected for a database error if others are delivered', () => {
    assert.equal(
      isRejected(READ_ONLY, () => failing.delivered('other')),
      true,
    );
  });

  it('measure their duration with a clock that nobody can set', () => {
    const clock = Date.now;
    try {
      failing.failed('partition', stored(1), READ_ONLY);
      now += 20 * MINUTE;
      Date.now = () => clock() - 1e9;
      assert.equal(failing.failed('partition', stored(1), READ_ONLY).minutes, 20);
    } finally {
      Date.now = clock;
    }
  });
});
