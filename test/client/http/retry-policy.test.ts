import assert from 'node:assert/strict';
import { IonError, type IonErrorDetails } from '../../../nodes/client/errors.js';
import { parseRetryAfter } from '../../../nodes/client/http/retry-after.js';
import { delayBeforeRetry } from '../../../nodes/client/http/retry-policy.js';

describe('retries', () => {
  const passing = (details: IonErrorDetails = {}) =>
    new IonError('ION_SERVER', 'A test.', { transient: true, ...details });
  const longest = () => 1;

  it('wait at most 250 ms, then twice as long, up to 10 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((tries) =>
      delayBeforeRetry(passing(), true, tries, 99, longest),
    );
    assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
  });

  it('wait a random share of it, so that many clients do not retry at once', () => {
    assert.equal(
      delayBeforeRetry(passing(), true, 3, 3, () => 0),
      0,
    );
    assert.equal(
      delayBeforeRetry(passing(), true, 3, 3, () => 0.5),
      500,
    );
    const delays = Array.from({ length: 20 }, () => delayBeforeRetry(passing(), true, 7, 9));
    assert.ok(new Set(delays).size > 10);
  });

  const decisions: [string, 'query' | 'mutation', IonErrorDetails, boolean][] = [
    ['a query after a passing fault', 'query', {}, true],
    ['a query that may have run', 'query', { mayHaveRun: true }, true],
    ['no query after a lasting fault', 'query', { transient: false }, false],
    ['a mutation that cannot have run', 'mutation', {}, true],
    ['no mutation that may have run', 'mutation', { mayHaveRun: true }, false],
    [
      'no mutation that may have run, whatever the server asks',
      'mutation',
      { mayHaveRun: true, retryAfterMs: 0 },
      false,
    ],
  ];
  for (const [what, kind, details, expected] of decisions) {
    it(`repeat ${what}`, () => {
      assert.equal(
        delayBeforeRetry(passing(details), kind === 'query', 1, 3) !== undefined,
        expected,
      );
    });
  }

  it('stop after the configured number', () => {
    assert.notEqual(delayBeforeRetry(passing(), true, 3, 3), undefined);
    assert.equal(delayBeforeRetry(passing(), true, 4, 3), undefined);
    assert.equal(delayBeforeRetry(passing(), true, 1, 0), undefined);
  });

  it('wait as long as the server asks, but at most a minute', () => {
    const asked = (retryAfterMs: number) =>
      delayBeforeRetry(passing({ retryAfterMs }), true, 1, 3, longest);
    assert.equal(asked(0), 0);
    assert.equal(asked(3000), 3000);
    assert.equal(asked(60_000), 60_000);
    assert.equal(asked(60_001), undefined);
  });

  describe('Retry-After', () => {
    const now = Date.parse('2026-11-25T12:00:00Z');
    const cases: [string | undefined, number | undefined][] = [
      [undefined, undefined],
      ['', undefined],
      ['soon', undefined],
      ['0', 0],
      ['3', 3000],
      [' 120 ', 120_000],
      ['1.5', 1500],
      ['-5', undefined],
      ['1,5', undefined],
      ['soon 3', undefined],
      ['1e3', undefined],
      ['0x10', undefined],
      ['3 s', undefined],
      ['2026-11-25', undefined],
      ['Wednesday', undefined],
      ['Wed, 99 Nov 2026 12:00:30 GMT', undefined],
      ['Wed Nov 25 12:00:30 2026', 30_000],
      ['Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
      ['Wednesday, 25-Nov-26 12:00:30 GMT', 30_000],
      ['Wed, 25 Nov 2026 11:59:00 GMT', 0],
    ];
    for (const [header, expected] of cases) {
      it(`${JSON.stringify(header)} means ${expected} ms`, () => {
        assert.equal(parseRetryAfter({ 'retry-after': header }, now), expected);
      });
    }

    it('as a date is relative to the response’s own date, whatever this machine’s clock says', () => {
      const headers = {
        'retry-after': 'Wed, 25 Nov 2026 12:00:30 GMT',
        date: 'Wed, 25 Nov 2026 12:00:10 GMT',
      };
      assert.equal(parseRetryAfter(headers, now + 86_400_000), 20_000);
      assert.equal(parseRetryAfter({ ...headers, date: 'unknown' }, now), 30_000);
    });
  });
});
