import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NumberSetting, numberSettings } from '../../nodes/client/settings.js';
import { root } from '../../tools/package.js';

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

/** The default of a number that may be `auto`. */
const AUTOMATIC: Record<string, string> = { 'en-US': 'automatic', de: 'automatisch', ja: '自動' };
/** Wording of the limits and the default in the help of each language. */
const HELP: Record<string, (min: string, max: string, byDefault: string) => string> = {
  'en-US': (min, max, byDefault) => `${min} to ${max}; default ${byDefault}`,
  de: (min, max, byDefault) => `${min} bis ${max}; Vorgabe ${byDefault}`,
  ja: (min, max, byDefault) => `${min}～${max}、既定値は${byDefault}`,
};

describe('defaults and limits of the settings', () => {
  const docs = read('docs', 'nodes.md').split(/^## /m);
  const all = Object.entries(numberSettings).flatMap(([node, settings]) =>
    Object.entries<NumberSetting>(settings).map(([name, setting]) => ({ node, name, setting })),
  );

  for (const { node, name, setting } of all) {
    const { label, min, max } = setting;
    const numbers = (language: string) => [
      ...[min, max].map((number) => number.toLocaleString(language)),
      setting.mayBeAuto ? AUTOMATIC[language] : setting.default.toLocaleString(language),
    ];

    it(`of ${name} are those in docs/nodes.md for ${node}`, () => {
      const section = docs.find((text) => text.startsWith(`${node}\n`)) ?? '';
      const rows = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
      const row = rows.find(([, property]) => property === label);
      const [lowest, highest, byDefault] = numbers('en-US');
      assert.ok(row?.[2]?.includes(`; ${lowest} to ${highest}`), String(row));
      assert.equal(row?.[3], byDefault);
    });

    it(`of ${name} are those in the help of ${node} in each language`, () => {
      for (const [language, phrase] of Object.entries(HELP)) {
        const help = read('nodes', 'locales', language, `${node}.html`).replace(/\s+/g, ' ');
        const [lowest = '', highest = '', byDefault = ''] = numbers(language);
        const expected = phrase(lowest, highest, byDefault);
        assert.ok(help.includes(expected), `${language}: ${expected}`);
      }
    });

    it(`of ${name} are shown by the label in the dialog of ${node}`, () => {
      const catalogue = JSON.parse(read('nodes', 'locales', 'en-US', `${node}.json`));
      assert.equal(catalogue[node].label[name], label);
    });
  }
});
