import assert from 'node:assert/strict';
import { Expiry, expiredError, isExpired } from '../../nodes/outbox/expiry.js';
import type { Entry, Stored } from '../../nodes/outbox/store/entries.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
const entry = (more: Partial<Entry> = {}): Entry => ({
  ...{ sender: 'node', context: {}, acceptedAt: Date.now() },
  ...more,
});

describe('outbox: the search for expired entries', () => {
  /** Times at which the pending entries expire. */
  let pending: number[];
  let searches: number;
  let canRun: boolean;
  let isRejected: (at: number) => boolean;
  let expiry: Expiry;
  let isDiskFaulty: boolean;
  beforeEach(() => {
    pending = [];
    searches = 0;
    canRun = true;
    isDiskFaulty = false;
    isRejected = () => true;
    expiry = new Expiry({
      store: {
        async firstExpired(now, limit) {
          searches++;
          if (isDiskFaulty) throw new Error('the disk');
          const expired = pending.filter((at) => at <= now).slice(0, limit);
          return expired.map((sequence) => ({ sequence }) as Stored);
        },
        nextExpiry: async () => pending.toSorted((a, b) => a - b)[0],
      },
      async rejectExpired({ sequence }) {
        if (!isRejected(sequence)) return false;
        pending = pending.filter((at) => at !== sequence);
        return true;
      },
      canRun: () => canRun,
      delayMs: () => 1,
    });
  });
  afterEach(() => expiry.close());

  it('rejects all that have expired, however many, and no other', async () => {
    const later = Date.now() + HOUR;
    pending = [...Array.from({ length: 250 }, (_, index) => index), later];
    expiry.run();
    await until(() => pending.length === 1);
    assert.deepEqual(pending, [later]);
  });

  it('begins when the next one expires, also if that is sooner than the one before', async () => {
    pending = [Date.now() + HOUR];
    expiry.run();
    await until(() => searches === 1);
    const soon = Date.now() + 40;
    pending.push(soon);
    expiry.expect(Date.now() + HOUR);
    expiry.expect(soon);
    expiry.expect(soon + HOUR);
    await until(() => pending.length === 1);
    assert.ok(Date.now() >= soon);
    assert.equal(searches, 3);
  });

  it('waits a second for an entry that could not be rejected at once', async () => {
    pending = [1, 2];
    isRejected = (at) => at === 1;
    expiry.run();
    await until(() => pending.length === 1);
    const begin = Date.now();
    isRejected = () => true;
    const before = searches;
    await until(() => pending.length === 0);
    assert.ok(Date.now() - begin > 500);
    assert.ok(searches - before <= 4, `${searches}`);
  });

  it('is repeated after a failure of the disk', async () => {
    pending = [1];
    isDiskFaulty = true;
    expiry.run();
    await until(() => searches > 1);
    isDiskFaulty = false;
    await until(() => pending.length === 0);
  });

  it('ends with the outbox', async () => {
    const soon = Date.now() + 20;
    pending = [soon];
    expiry.expect(soon);
    await expiry.close();
    expiry.expect(soon - 10);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(searches, 0);
    canRun = false;
    expiry.run();
    assert.equal(searches, 0);
  });

  it('knows an entry as expired from its last millisecond', () => {
    assert.equal(isExpired(entry()), false);
    assert.equal(isExpired(entry({ keepUntil: Date.now() + HOUR })), false);
    assert.equal(isExpired(entry({ keepUntil: Date.now() })), true);
  });

  it('gives the time and whether a try may have been executed as the reason', () => {
    const waited = (hours: number, more: Partial<Entry> = {}) =>
      expiredError(entry({ acceptedAt: Date.now() - hours * HOUR, ...more }));
    for (const [hours, shown] of [
      [0.01, '36 s'],
      [1.4, '84 min'],
      [25, '25 h'],
    ] as const) {
      const { code, message, mayHaveRun } = waited(hours);
      const text = `The write waited for ${shown} without success, longer than "Keep for (h)" of its node allows.`;
      assert.deepEqual([code, message, mayHaveRun], ['ION_TIMEOUT', text, false]);
    }
    const { message, mayHaveRun } = waited(3, { sentAt: 5 });
    assert.equal(mayHaveRun, true);
    assert.match(message, /allows\. An earlier try may have been executed\. Check in ION/);
  });
});
