// The texts of the expanded editor. They are part of its bundle, which the page loads when the query
// editor opens.
import german from '../../locales/de/graphql-expanded.json';
import english from '../../locales/en-US/graphql-expanded.json';
import japanese from '../../locales/ja/graphql-expanded.json';

export type ExpandedTexts = typeof english;

/** The texts in the editor's language, or in English. */
export function expandedTexts(): ExpandedTexts {
  const [language] = RED.i18n.lang().split('-');
  if (language === 'de') return german;
  return language === 'ja' ? japanese : english;
}
