import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { toInstant } from '../../../nodes/client/steps/instant.js';
import { TimeZone } from '../../../nodes/client/support/time-zone.js';

const inBerlin = (value: unknown) => toInstant(value, new TimeZone('Europe/Berlin'));
const withoutZone = (value: unknown) => toInstant(value, undefined);

/** Expected text, with the advice. */
function refusal(instant: ReturnType<typeof toInstant>): string {
  assert.ok('expected' in instant, JSON.stringify(instant));
  return `${instant.expected}. ${instant.advice}`;
}

describe('a date', () => {
  const own: [unknown, string][] = [
    ['2026-01-31T08:00:00.123456Z', '2026-01-31T08:00:00.123456Z'],
    ['2026-01-31T08:00:00+02:00', '2026-01-31T08:00:00+02:00'],
    ['2026-01-31T08:00:00.123456789-05:30', '2026-01-31T08:00:00.123456789-05:30'],
    ['2026-07-01T08:00:00+0200', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01T08:00:00+02', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01 08:00:00 +02:00', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01 08:00:00.5+02', '2026-07-01T06:00:00.5Z'],
    ['2026-07-01T00:30:00,1234567-02:30', '2026-07-01T03:00:00.1234567Z'],
    ['2026-07-01T08:00Z', '2026-07-01T08:00:00.000Z'],
    ['2026-07-01t08:00:00z', '2026-07-01T08:00:00.000Z'],
    ['2026-07-01 08:00:00 UTC', '2026-07-01T08:00:00.000Z'],
    ['2026-07-01Z', '2026-07-01T00:00:00.000Z'],
    [' 2026-07-01T08:00:00Z\n', '2026-07-01T08:00:00Z'],
    ['2024-02-29T08:00:00Z', '2024-02-29T08:00:00Z'],
    ['Wed, 01 Jul 2026 08:00:00 +0200', '2026-07-01T06:00:00.000Z'],
    ['Wed, 01 Jul 2026 08:00:00 GMT', '2026-07-01T08:00:00.000Z'],
    ['1 Jul 2026 08:00 -0500', '2026-07-01T13:00:00.000Z'],
    [1_769_846_400_000, '2026-01-31T08:00:00.000Z'],
    ['1769846400000', '2026-01-31T08:00:00.000Z'],
    [new Date(1_769_846_400_000), '2026-01-31T08:00:00.000Z'],
    [runInNewContext('new Date(1769846400000)'), '2026-01-31T08:00:00.000Z'],
  ];
  for (const [value, text] of own) {
    it(`with a zone is accepted for any configured zone: ${String(value)}`, () => {
      assert.deepEqual(withoutZone(value), { text });
      assert.deepEqual(inBerlin(value), { text });
    });
  }

  const local: [string, string][] = [
    ['2026-07-01T08:00:00', '2026-07-01T06:00:00.000Z'],
    ['2026-01-31T08:00:00', '2026-01-31T07:00:00.000Z'],
    ['2026-07-01 08:00:00', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01T08:00', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01T08:00:00.1', '2026-07-01T06:00:00.1Z'],
    ['2026-07-01T08:00:00.123456789', '2026-07-01T06:00:00.123456789Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    // On both sides of the skipped hour and of the repeated hour.
    ['2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
    ['2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
    ['2026-10-25T01:59:59', '2026-10-24T23:59:59.000Z'],
    ['2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
  ];
  for (const [value, text] of local) {
    it(`without a zone uses the configured zone, and is rejected without one: ${value}`, () => {
      assert.deepEqual(inBerlin(value), { text });
      assert.match(refusal(withoutZone(value)), /with an offset.*in the ION config node/);
    });
  }

  const zones: [string, string, string | RegExp][] = [
    ['UTC', '2026-07-01T08:00:00', '2026-07-01T08:00:00.000Z'],
    ['Asia/Kolkata', '2026-07-01T08:00:00', '2026-07-01T02:30:00.000Z'],
    ['America/New_York', '2026-07-01', '2026-07-01T04:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-07-01T00:00:00', '2026-06-30T10:00:00.000Z'],
    ['Pacific/Pago_Pago', '2026-07-01T23:00:00', '2026-07-02T10:00:00.000Z'],
    ['Etc/GMT+12', '2026-07-01T23:00:00', '2026-07-02T11:00:00.000Z'],
    // Half an hour of daylight saving time.
    ['Australia/Lord_Howe', '2026-10-04T02:15:00', /that exists/],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00', /occurs only once.*\+11:00 or \+10:30/],
    ['America/New_York', '2026-03-08T02:30:00', /that exists/],
    ['America/New_York', '2026-11-01T01:30:00', /occurs only once.*-04:00 or -05:00/],
    // Zones that skip midnight.
    ['America/Santiago', '2026-09-06', /that exists/],
    // The day that Samoa skipped when it moved across the date line.
    ['Pacific/Apia', '2011-12-30T12:00:00', /that exists/],
  ];
  for (const [zone, value, expected] of zones) {
    it(`in ${zone}: ${value}`, () => {
      const instant = toInstant(value, new TimeZone(zone));
      if (typeof expected === 'string') assert.deepEqual(instant, { text: expected });
      else assert.match(refusal(instant), expected);
    });
  }

  it('in an hour that daylight saving time skips is rejected', () => {
    for (const time of ['02:00:00', '02:30', '02:59:59.999']) {
      const text = refusal(inBerlin(`2026-03-29T${time}`));
      assert.match(text, /a time that exists in the time zone Europe\/Berlin.*skip that time/);
    }
  });

  it('in a repeated hour is rejected, with the two offsets that make it unique', () => {
    for (const time of ['02:00:00', '02:30', '02:59:59.999']) {
      const text = refusal(inBerlin(`2026-10-25T${time}`));
      assert.match(text, /only once.*occurs twice there: add \+02:00 or \+01:00 to it/);
    }
    assert.deepEqual(inBerlin('2026-10-25T02:30:00+01:00'), { text: '2026-10-25T02:30:00+01:00' });
  });

  const impossible = [
    '2026-02-30T08:00:00Z',
    '2025-02-29T08:00:00',
    '2026-04-31',
    '2026-13-01T08:00:00Z',
    '2026-00-10T08:00:00Z',
    '2026-07-00',
    '0000-07-01T08:00:00Z',
    '2026-07-01T24:00:00Z',
    '2026-07-01T25:00:00Z',
    '2026-07-01T08:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-07-01T08:00:00+25:00',
    '2026-07-01T08:00:00+02:60',
    'Mon, 31 Feb 2026 08:00:00 GMT',
  ];
  for (const value of impossible) {
    it(`that does not exist is not rolled over: ${value}`, () => {
      refusal(inBerlin(value));
      refusal(withoutZone(value));
    });
  }

  const unknown: [unknown, RegExp][] = [
    ['01.07.2026 08:00', /Write year, month and day/],
    ['01/07/2026', /Write year, month and day/],
    ['7-1-26', /Write year, month and day/],
    ['Thu, 01 Jul 2026 08:00:00 GMT', /a date such as/],
    ['Wed, 01 Jul 2026 08:00:00', /a date such as/],
    ['2026-07-01T08:00:00 02:00', /a date such as/],
    ['2026-07-01-05', /a date such as/],
    ['2026-07-01T08:00:00 CEST', /a date such as/],
    ['20260701T080000Z', /a date such as/],
    ['1769846400', /milliseconds since 1970/],
    ['202607010800', /milliseconds since 1970/],
    [1_769_846_400, /milliseconds since 1970/],
    [1_769_846_400_000_000, /milliseconds since 1970/],
    [Number.NaN, /a date such as/],
    [new Date(Number.NaN), /a date such as/],
    ['', /a date such as/],
    ['now', /a date such as/],
    [true, /a date such as/],
    [{}, /a date such as/],
  ];
  for (const [value, text] of unknown) {
    it(`that is ambiguous or meaningless is rejected: ${JSON.stringify(value)}`, () => {
      assert.match(refusal(inBerlin(value)), text);
      assert.match(refusal(withoutZone(value)), text);
    });
  }

  it('does not depend on the clock of this machine', () => {
    const before = process.env.TZ;
    try {
      for (const zone of ['Asia/Tokyo', 'America/New_York']) {
        process.env.TZ = zone;
        assert.deepEqual(inBerlin('2026-07-01T08:00:00'), { text: '2026-07-01T06:00:00.000Z' });
      }
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });
});
