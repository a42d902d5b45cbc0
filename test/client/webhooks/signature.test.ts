import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { isSignedWith } from '../../../nodes/client/webhooks/signature.js';

const SECRET = 'example-secret';
const BODY = Buffer.from('{"event_id":1,"title":"änderung"}');
const digest = (secret = SECRET, body: Uint8Array = BODY) =>
  createHmac('sha256', secret).update(body).digest();
const hex = digest().toString('hex');
const base64 = digest().toString('base64');

describe('webhook signature', () => {
  for (const [what, value] of [
    ['hex', hex],
    ['hex in capitals', hex.toUpperCase()],
    ['hex with a prefix', `sha256=${hex}`],
    ['base64', base64],
    ['base64 with a prefix', `sha256=${base64}`],
    ['base64 without padding', base64.replace('=', '')],
    ['base64url', digest().toString('base64url')],
    ['hex with blanks around', ` ${hex} `],
  ] as const) {
    it(`is accepted as ${what}`, () => assert.ok(isSignedWith(SECRET, BODY, [value])));
  }

  for (const [what, values] of [
    ['missing', undefined],
    ['without a value', []],
    ['empty', ['']],
    ['made with another secret', [digest('other').toString('hex')]],
    ['made of other bytes', [digest(SECRET, Buffer.from('{}')).toString('hex')]],
    ['cut', [hex.slice(0, -1)]],
    ['longer', [`${hex}0`]],
    ['given twice', [hex, hex]],
    ['given twice in one value', [`${hex}, ${hex}`]],
    ['given with another prefix', [`sha1=${hex}`]],
    ['given with two prefixes', [`sha256=sha256=${hex}`]],
    ['the digest as text', [digest().toString('latin1')]],
  ] as const) {
    it(`is rejected if it is ${what}`, () =>
      assert.equal(isSignedWith(SECRET, BODY, values), false));
  }

  it('is rejected without a secret', () => {
    assert.equal(isSignedWith('', BODY, [digest('').toString('hex')]), false);
  });

  it('is rejected for any change of the bytes, and never fails', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (body, value) => {
        assert.equal(isSignedWith(SECRET, body, [value]), false);
        const signature = digest(SECRET, body).toString('hex');
        assert.ok(isSignedWith(SECRET, body, [signature]));
        assert.equal(isSignedWith(SECRET, Buffer.concat([body, Buffer.of(1)]), [signature]), false);
      }),
    );
  });
});
