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

  for (const code of [
    'ION_AUTH',
    'ION_RATE_LIMITED',
    'ION_CONFIG',
    'ION_OVERLOADED',
    'ION_CLOSED',
  ] as const) {
    it(`are not rejected for ${code}, which no single write causes`, () => {
      assert.equal(isRejected(new IonError(code, 'no')), false);
    });
  }

  it('are rejected for a connection that breaks, but not for a host that cannot be reached', () => {
    assert.equal(isRejected(new IonError('ION_NETWORK', 'no', { notRun: true })), false);
    failing.forget('partition');
    assert.equal(isRejected(new IonError('ION_NETWORK', 'no', { mayHaveRun: true })), true);
  });

  it('are rejected a quarter of an hour after their own first failure', () => {
    for (let minute = 0; minute < 10; minute++) {
      failing.failed('partition', stored(1), new IonError('ION_AUTH', 'no'));
      now += MINUTE;
    }
    const begin = now;
    assert.equal(isRejected(said('list index out of range')), true);
    assert.equal(now - begin, 15 * MINUTE);
    const { minutes, tries } = failing.failed('partition', stored(1), said('again'));
    assert.deepEqual([minutes, tries], [25, 27]);
  });

  it('are not rejected if several fail, unless others are delivered in the time between', () => {
    const error = said('list index out of range');
    failing.failed('other', stored(9), error);
    assert.equal(isRejected(error), false);
    assert.equal(
      isRejected(error, () => failing.delivered('a third')),
      true,
    );
  });

  it('are shown from the third failure, the oldest first, until they are delivered', () => {
    const clock = Date.now;
    const error = said('no');
    const shown = () => failing.shown.map(({ stored: { sequence }, tries }) => [sequence, tries]);
    const fail = (partition: string, sequence: number, times: number) => {
      for (let time = 0; time < times; time++) failing.failed(partition, stored(sequence), error);
    };
    try {
      Date.now = () => 2000;
      fail('a', 1, 3);
      Date.now = () => 1000;
      fail('b', 2, 3);
      fail('c', 3, 2);
      assert.deepEqual(shown(), [
        [2, 3],
        [1, 3],
      ]);
    } finally {
      Date.now = clock;
    }
    assert.equal(failing.shown[0]?.error, error);
    failing.delivered('b');
    assert.deepEqual(shown(), [[1, 3]]);
    // The next entry of the queue begins with no failures.
    fail('a', 4, 1);
    assert.deepEqual(shown(), []);
  });

  it('are known by their partition and their number, until they end', async () => {
    failing.failed('a', stored(1), said('no'));
    failing.failed('b', stored(2), said('no'));
    assert.deepEqual([failing.partitionOf(2), failing.partitionOf(3)], ['b', undefined]);
    assert.equal(failing.of('a', stored(2)), undefined);
    assert.equal(failing.of('a', stored(1))?.tries, 1);
    assert.deepEqual([failing.in('b')?.sequence, failing.in('c')], [2, undefined]);
    await failing.ended('c');
    let hasEnded = false;
    const ended = failing.ended('b').then(() => {
      hasEnded = true;
    });
    await new Promise(setImmediate);
    assert.equal(hasEnded, false);
    failing.forget('b');
    await ended;
    assert.equal(failing.partitionOf(2), undefined);
  });

  it('keep what somebody decides, and show when they are tried again', () => {
    failing.failed('a', stored(1), said('no'));
    const decision = () => failing.of('a', stored(1))?.decision;
    assert.equal(failing.decide('a', 'retry')?.sequence, 1);
    assert.equal(decision(), undefined);
    assert.equal(failing.decide('a', 'skip')?.sequence, 1);
    assert.equal(decision(), 'skip');
    assert.equal(failing.decide('b', 'skip'), undefined);
    const nextTry = () => failing.of('a', stored(1))?.nextTryAt;
    failing.setNextTry('a', 60_000);
    assert.ok(Math.abs((nextTry() ?? 0) - Date.now() - 60_000) < 10_000);
    failing.setNextTry('a', undefined);
    assert.equal(nextTry(), undefined);
    failing.setNextTry('b', 5);
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
