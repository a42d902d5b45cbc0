// The texts of a trial. They are part of its bundle, which the page loads when it is first used.
import german from '../../locales/de/lookup-trial.json';
import english from '../../locales/en-US/lookup-trial.json';
import japanese from '../../locales/ja/lookup-trial.json';

export type LookupTexts = typeof english;

/** The texts in the editor's language, or in English. */
export function lookupTexts(): LookupTexts {
  const [language] = RED.i18n.lang().split('-');
  if (language === 'de') return german;
  return language === 'ja' ? japanese : english;
}
