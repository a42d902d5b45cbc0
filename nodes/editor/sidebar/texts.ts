// The texts of the sidebar. They are part of its bundle, which the page loads when the tab is first shown.
import german from '../../locales/de/sidebar.json';
import english from '../../locales/en-US/sidebar.json';
import japanese from '../../locales/ja/sidebar.json';
import { insertValues } from '../shared/insert-values.js';

const language = RED.i18n.lang().split('-')[0];
const texts: Record<string, string> =
  language === 'de' ? german : language === 'ja' ? japanese : english;

/** A text in the editor's language, or in English. */
export function text(key: string, values?: Record<string, string | number>): string {
  return insertValues(texts[key] ?? key, values);
}

/** A text of the dialog of a config node. */
export const dialogTexts: Texts = {
  _(key, values) {
    return RED._(`@ion-nodes/node-red-ion/ion-config:${key}`, values);
  },
};

/** The short meaning of an error code, or the code if it is unknown. */
export function meaningOf(code: string): string {
  return texts[`code.${code}`] ?? code;
}

/** A number in the editor's language. */
export function numberText(value: number): string {
  return value.toLocaleString(RED.i18n.lang());
}

/** A duration such as "340 ms" or "1.2 s". */
export function durationText(ms: number): string {
  if (ms < 1000) return `${numberText(ms)} ms`;
  return `${numberText(ms / 1000)} s`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** An age such as "3 min". */
export function ageText(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? (['second', 1000] as const);
  const value = Math.max(0, Math.floor(ms / length));
  const options = { style: 'unit', unit, unitDisplay: 'short' } as const;
  return value.toLocaleString(RED.i18n.lang(), options);
}

/** A time of day, with the date unless it is today's. */
export function timeText(ms: number, timeStyle: 'short' | 'medium' = 'medium'): string {
  const time = new Date(ms);
  const isToday = time.toDateString() === new Date().toDateString();
  const date = isToday ? {} : ({ dateStyle: 'short' } as const);
  return time.toLocaleString(RED.i18n.lang(), { timeStyle, ...date });
}
