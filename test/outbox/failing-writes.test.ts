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

  /** One failure each minute for some hours; whether it was to be given up meanwhile. */
  const isRejected = (error: IonError, between = () => {}): boolean => {
    for (let minute = 0; minute < 300; minute++) {
      if (failing.failed('partition', stored(1), error).isOver) return true;
      now += MINUTE;
      between();
    }
    return false;
  };

  it('are given up where nothing else fails', () => {
    assert.equal(isRejected(said('list index out of range')), true);
    assert.equal(now, 15 * MINUTE);
  });

  it('are not given up for a database that is down, where nothing else is to be written', () => {
    assert.equal(isRejected(READ_ONLY), false);
  });

  it('are given up for what the database says where others are delivered', () => {
    assert.equal(
      isRejected(READ_ONLY, () => failing.delivered('other')),
      true,
    );
  });

  it('tell how long they failed by a clock that nobody sets', () => {
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
