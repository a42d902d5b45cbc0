import assert from 'node:assert/strict';
import { foldedName, rowsNamed, spelledName } from '../../../nodes/client/support/name-matching.js';

/** Forms of `Prüfung 1` that look the same. */
const SAME = [
  'Pr\u00fcfung 1',
  'Pru\u0308fung 1',
  'Pr\u00fcfung\u00a01',
  'Pr\u00fcfung\u202f1',
  'Pr\u00fcfung\u20091',
  'Pr\u00fcfung  1',
  'Pr\u00fcfung\t1',
  ' Pr\u00fcfung 1 ',
  'Pr\u00fcfung 1\u00a0',
  'Pr\u00fc\u200bfung 1',
  '\ufeffPr\u00fcfung 1',
  'Pr\u00fcf\u00adung\u20601',
].map((name) => name.replace('\u2060', '\u2060 '));
const OTHER = ['Prüfung 2', 'prüfung 1', 'Prufung 1', 'Prüfung1', 'Prüfung-1', ''];
const find = (names: string[], wanted: string) => rowsNamed(names, wanted, (name) => name);

describe('names', () => {
  it('are found in any Unicode composition and with any spaces', () => {
    for (const name of SAME) {
      for (const wanted of SAME) assert.deepEqual(find([...OTHER, name], wanted), [name]);
    }
  });

  it('are found as written if others look the same', () => {
    for (const wanted of SAME) assert.deepEqual(find(SAME, wanted), [wanted]);
  });

  it('are all found if they look the same and none matches exactly', () => {
    const [first = '', second = '', third = ''] = SAME;
    assert.deepEqual(find([first, second, ...OTHER], third), [first, second]);
  });

  it('are not confused with others', () => {
    for (const wanted of OTHER) assert.deepEqual(find(SAME, wanted), []);
  });

  it('with a hundred or more invisible characters are not matched', () => {
    assert.deepEqual(find([`A${'\u200b'.repeat(200)}`], 'A'), []);
  });

  const spelled: [string, string][] = [
    ['Prüfung 1 – größer', 'Prüfung 1 – größer'],
    ['检验 1', '检验 1'],
    ['परीक्षा', 'परीक्षा'],
    ['Pru\u0308fung', 'Pru\\u0308fung'],
    ['a\u00a0b', 'a\\u00a0b'],
    ['a\u202fb', 'a\\u202fb'],
    ['a  b', 'a \\u0020b'],
    [' a ', '\\u0020a\\u0020'],
    ['a\tb\n', 'a\\u0009b\\u000a'],
    ['a\u200bb', 'a\\u200bb'],
    ['a\u2011b', 'a\\u2011b'],
    ['a\u{e0001}', 'a\\u{e0001}'],
  ];
  for (const [name, text] of spelled) {
    it(`are shown with their invisible characters: ${text}`, () =>
      assert.equal(spelledName(name), text));
  }

  it('without unusual characters stay unchanged', () => {
    for (const name of ['Torque', 'Step 1, left-hand side', '17', 'é']) {
      assert.equal(foldedName(name), name);
      assert.equal(spelledName(name), name);
    }
  });
});
