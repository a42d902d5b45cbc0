// The texts of a check. They are part of its bundle, which the page loads when it is first used.
import german from '../../locales/de/check.json';
import english from '../../locales/en-US/check.json';
import japanese from '../../locales/ja/check.json';

export type CheckTexts = typeof english;

/** The texts in the editor's language, or in English. */
export function checkTexts(): CheckTexts {
  const [language] = RED.i18n.lang().split('-');
  if (language === 'de') return german;
  return language === 'ja' ? japanese : english;
}
