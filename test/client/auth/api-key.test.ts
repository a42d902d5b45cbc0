import assert from 'node:assert/strict';
import { validApiKey } from '../../../nodes/client/auth/api-key.js';
import type { Reason } from '../../../nodes/client/errors.js';
import { everythingIn, thrown } from '../../support/errors.js';

describe('an API key', () => {
  const entered = { clientId: 'my-id', clientSecret: 'p@ss word' };

  it('is used without the white space of the clipboard', () => {
    const key = validApiKey({ clientId: ' my-id\n', clientSecret: '\tp@ss word ' });
    assert.deepEqual(key, entered);
  });

  it('may have a secret of 4,096 characters', () => {
    const clientSecret = 'x'.repeat(4096);
    assert.equal(validApiKey({ ...entered, clientSecret }).clientSecret, clientSecret);
  });

  const refused: [string, Partial<typeof entered>, RegExp, Reason?][] = [
    ['no secret', { clientSecret: ' ' }, /has no client secret\./, { key: 'noClientSecret' }],
    ['no ID', { clientId: '' }, /has no client ID\./, { key: 'noClientId' }],
    ['a line break in its ID', { clientId: 'my\nid' }, /^The client ID .* line break/],
    ['a tab in its secret', { clientSecret: 'p@ss\tword' }, /^The client secret .* a tab/],
    ['a file as its secret', { clientSecret: 'p@ss'.repeat(1025) }, /longer than 4096 characters/],
  ];
  for (const [what, part, message, reason] of refused) {
    it(`is refused with ${what}, and never quoted`, () => {
      const error = thrown(() => validApiKey({ ...entered, ...part }), 'ION_CONFIG');
      assert.match(error.message, message);
      assert.deepEqual(error.reason, reason);
      assert.doesNotMatch(everythingIn(error), /p@ss/);
    });
  }
});
