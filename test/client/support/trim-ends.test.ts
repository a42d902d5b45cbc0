import assert from 'node:assert/strict';
import { hasControlCharacter, trimEnds } from '../../../nodes/client/support/trim-ends.js';

describe('an entered text or the text of a file', () => {
  for (const [name, invisible] of Object.entries({
    blank: ' ',
    tab: '\t',
    'line break': '\r\n',
    'no-break space': '\u00a0',
    'byte order mark': '\ufeff',
    'zero-width space': '\u200b',
    'word joiner': '\u2060',
    'direction mark': '\u200e',
    'soft hyphen': '\u00ad',
  })) {
    it(`loses a ${name} at its ends, and nothing inside`, () => {
      const text = `s3c${invisible}ret`;
      assert.equal(trimEnds(`${invisible}${invisible}${text} ${invisible}`), text);
      assert.equal(trimEnds(invisible), '');
    });
  }

  it('is trimmed quickly, however long its spaces are', () => {
    const blanks = ' '.repeat(1_000_000);
    assert.equal(trimEnds(`${blanks}x${blanks}x${blanks}`).length, blanks.length + 2);
  });

  it('shows whether it contains a control character', () => {
    for (const control of ['\n', '\r', '\t', '\0', '\u0085', '\u2028', '\u007f']) {
      assert.equal(hasControlCharacter(`s3c${control}ret`), true, JSON.stringify(control));
    }
    assert.equal(hasControlCharacter('s3c ret\u200b\u00a0é…'), false);
  });
});
