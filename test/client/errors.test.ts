import assert from 'node:assert/strict';
import { IonError, withSentence } from '../../nodes/client/errors.js';

describe('a sentence at the end of a message', () => {
  const SENTENCE = 'Check in ION before you send it again.';

  it('follows the message', () => {
    assert.equal(withSentence('No.', SENTENCE), `No. ${SENTENCE}`);
  });

  it('stays whole if the message is so long that it is cut', () => {
    for (const length of [1800, 1860, 1861, 1862, 1900, 5000]) {
      const { message } = new IonError('ION_SERVER', withSentence('x'.repeat(length), SENTENCE));
      assert.ok(message.endsWith(` ${SENTENCE}`), `${length}`);
      assert.ok(message.length <= 1900, `${length}: ${message.length}`);
      assert.equal(message.includes('…'), length > 1900 - SENTENCE.length - 2, `${length}`);
    }
  });
});
