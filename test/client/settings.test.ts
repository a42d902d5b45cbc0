import assert from 'node:assert/strict';
import { isAuto, numberSettings, readNumber } from '../../nodes/client/settings.js';
import { delayAfterFailures, MAX_TIMER_MS } from '../../nodes/client/support/backoff.js';

describe('numbers in the dialogs', () => {
  const { timeout, retries, outboxLimit } = numberSettings['ion-config'];
  const { interval } = numberSettings['ion-events'];

  it('are the default if nothing is set', () => {
    for (const nothing of [undefined, null, '', ' ', '\r\n', '\ufeff']) {
      assert.equal(readNumber(timeout, nothing), timeout.default, JSON.stringify(nothing));
    }
  });

  it('may be text, with spaces around it', () => {
    assert.equal(readNumber(timeout, ' 2.5\r\n'), 2.5);
    assert.equal(readNumber(timeout, '.5'), 0.5);
    assert.equal(readNumber(timeout, '1e2'), 100);
    assert.equal(readNumber(retries, '+3'), 3);
    assert.equal(readNumber(retries, 0), 0);
    assert.equal(readNumber(retries, '0'), 0);
  });

  it('are rejected if they are not numbers', () => {
    const odd = [true, false, {}, [], [5], 5n, 'abc', '5 s', '1,5', '0x10', '1_000', 'Infinity'];
    for (const value of [...odd, 'NaN', Number.NaN, `1${'0'.repeat(200)}`]) {
      assert.equal(readNumber(outboxLimit, value), undefined, String(value));
    }
  });

  it('are rejected beyond their limits, and accepted at them', () => {
    for (const settings of Object.values(numberSettings)) {
      for (const setting of Object.values(settings)) {
        const { min, max, label } = setting;
        assert.equal(readNumber(setting, min), min, label);
        assert.equal(readNumber(setting, String(max)), max, label);
        assert.equal(readNumber(setting, setting.default), setting.default, label);
        for (const beyond of [min - 1, max + 1, -5, Number.MAX_VALUE, '1e300']) {
          assert.equal(readNumber(setting, beyond), undefined, `${label}: ${beyond}`);
        }
        if (setting.isInteger) assert.equal(readNumber(setting, min + 0.5), undefined, label);
        for (const infinite of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          assert.equal(readNumber(setting, infinite), undefined, label);
        }
      }
    }
  });

  it('never set a timer that would end immediately', () => {
    assert.ok(timeout.max * 1000 <= MAX_TIMER_MS);
    assert.ok(interval.max * 1000 <= MAX_TIMER_MS);
    for (const failures of [1, 2, 5, 10_000]) {
      for (const random of [0, 0.999]) {
        const delay = delayAfterFailures(interval.max * 1000, failures, () => random);
        assert.ok(delay >= interval.max * 1000 && delay <= MAX_TIMER_MS, String(delay));
      }
    }
  });

  it('may be automatic, which is no number', () => {
    for (const value of ['auto', ' Auto\n', 'AUTO']) {
      assert.ok(isAuto(value), value);
      assert.equal(readNumber(numberSettings['ion-runs'].pageSize, value), undefined);
    }
    for (const value of ['', 'automatic', 100, null, undefined, {}, ['auto']]) {
      assert.ok(!isAuto(value), String(value));
    }
  });
});
