import assert from 'node:assert/strict';
import { shownValue } from '../../nodes/outbox/shown-value.js';

describe('the value of a write in the dialog', () => {
  for (const [what, value, text] of [
    ['a number', 12.5, '12.5'],
    ['a text, in quotes', '12.5', '"12.5"'],
    ['a boolean', false, 'false'],
    ['nothing', null, 'null'],
    ['a whole number of any size', 2n ** 70n, '1180591620717411303424'],
    ['a time', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid time', new Date(Number.NaN), '…'],
    ['a list', ['Pass', 3], '["Pass", 3]'],
    ['several fields', { Torque: 5, Note: 'ok' }, '{ Torque: 5, Note: "ok" }'],
    ['bytes, by their number', Buffer.alloc(7), '7 B'],
    ['deep values in part', { a: { b: { c: 1 } } }, '{ a: { b: … } }'],
  ] as const) {
    it(`shows ${what}`, () => assert.equal(shownValue(value), text));
  }

  it('is shortened, however long or wide the value is', () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field ${i}`, [i, i]]));
    for (const value of ['x'.repeat(1e6), Array(1e5).fill('long text'), wide]) {
      const text = shownValue(value);
      assert.ok(text.length < 230, text);
      assert.ok(text.includes('…'), text);
    }
  });
});
