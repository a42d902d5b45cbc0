import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mayBeSigned, verifyDelivery } from '../../nodes/events/verify-delivery.js';

describe('the verification of a delivery', () => {
  const secret = 'the-shared-secret';
  const signed = { isRequired: true, secret, header: 'x-ion-signature' };
  const unsigned = { ...signed, isRequired: false };
  const body = Buffer.from('{"resource":"RUNS","action":"UPDATE","id":7}');
  const signatureOf = (bytes: Uint8Array, key = secret) =>
    createHmac('sha256', key).update(bytes).digest('hex');
  const headers = (...values: string[]) => ({ 'x-ion-signature': values });

  it('returns the event of a body with the right signature', () => {
    const delivery = verifyDelivery(signed, headers(signatureOf(body)), body);
    assert.ok('event' in delivery);
    assert.equal(delivery.event.resource, 'RUNS');
    assert.deepEqual(delivery.payload, { resource: 'RUNS', action: 'UPDATE', id: 7 });
  });

  it('refuses a missing, a wrong and a second signature with 401, and without a secret each one', () => {
    const right = signatureOf(body);
    for (const wrong of [{}, headers(signatureOf(body, 'x')), headers(right, right)]) {
      assert.deepEqual(verifyDelivery(signed, wrong, body), { rejection: 401 });
    }
    const none = { ...signed, secret: '' };
    assert.deepEqual(verifyDelivery(none, headers(signatureOf(body, '')), body), {
      rejection: 401,
    });
    assert.ok(!mayBeSigned(none, headers(right)));
  });

  it('refuses a body that is no JSON, or too much of it, with 400', () => {
    const many = JSON.stringify(Array(20_001).fill(0));
    for (const text of ['', '{', '\u{FEFF}', 'x', '['.repeat(300) + ']'.repeat(300), many]) {
      const bytes = Buffer.from(text);
      assert.deepEqual(verifyDelivery(signed, headers(signatureOf(bytes)), bytes), {
        rejection: 400,
      });
    }
    assert.deepEqual(verifyDelivery(unsigned, {}, Buffer.from([0xff])), { rejection: 400 });
  });

  it('knows from the headers whether a body is worth reading', () => {
    assert.ok(mayBeSigned(signed, headers(signatureOf(Buffer.from('another body')))));
    assert.ok(!mayBeSigned(signed, {}));
    assert.ok(!mayBeSigned(signed, headers('x')));
    assert.ok(mayBeSigned(unsigned, {}));
  });

  it('finds no signature in a property that all objects have', () => {
    const rules = { ...signed, header: 'constructor' };
    assert.ok(!mayBeSigned(rules, {}));
    assert.deepEqual(verifyDelivery(rules, {}, body), { rejection: 401 });
  });
});
