import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { numberSettings } from '../../nodes/client/settings.js';
import { root } from '../../tools/package.js';

const NODES = ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'];
const locales = join(root, 'nodes', 'locales');
const languages = readdirSync(locales);

/** Keys of a catalogue, without plural suffixes, which differ between languages. */
function keysOf(language: string, node: string): string[] {
  const catalogue = JSON.parse(readFileSync(join(locales, language, `${node}.json`), 'utf8'));
  const keys = (value: object, path: string): string[] =>
    Object.entries(value).flatMap(([name, inner]) => {
      const key = path === '' ? name : `${path}.${name}`;
      return typeof inner === 'string' ? [key.replace(/_(one|other)$/, '')] : keys(inner, key);
    });
  return [...new Set(keys(catalogue, ''))].sort();
}

/** Interpolated names of all texts. */
function namesOf(language: string, node: string): Record<string, string[]> {
  const catalogue = JSON.parse(readFileSync(join(locales, language, `${node}.json`), 'utf8'));
  const names = (value: object, path: string): [string, string[]][] =>
    Object.entries(value).flatMap(([name, inner]) =>
      typeof inner === 'string'
        ? [[path + name, [...inner.matchAll(/__(\w+)__/g)].map(([, n]) => String(n)).sort()]]
        : names(inner, `${path}${name}.`),
    );
  return Object.fromEntries(names(catalogue, ''));
}

/** Keys that the sources look up, as patterns: a part that is set at run time may be any name. */
function lookups(): RegExp[] {
  const files = readdirSync(join(root, 'nodes'), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.parentPath.includes('locales'))
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
  const numbers = Object.entries(numberSettings).flatMap(([node, settings]) =>
    Object.keys(settings).map((name) => `${node}.label.${name}`),
  );
  const labels = NODES.flatMap((node) => {
    const source = readFileSync(join(root, 'nodes', 'editor', `${node}.ts`), 'utf8');
    return [...source.matchAll(/label\('(\w+)'\)/g)].map(([, name]) => `${node}.label.${name}`);
  });
  const keys = files.flatMap((text) => [
    ...text.matchAll(/\bion-(?:config|events|graphql|lookup|runs|step)\.(?:[\w.-]|\$\{[^}]*\})+/g),
  ]);
  return [...labels, ...numbers, ...keys.map(([key]) => key)].map((key) => {
    // A key that ends with a dot is a prefix.
    const pattern = key.replace(/\$\{[^}]*\}/g, '*').replace(/\.$/, '.*');
    return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[\\w.-]+')}$`);
  });
}

describe('the languages', () => {
  it('are English, German and Japanese', () => {
    assert.deepEqual(languages.sort(), ['de', 'en-US', 'ja']);
  });

  for (const node of NODES) {
    for (const language of languages.filter((each) => each !== 'en-US')) {
      it(`have all texts of ${node} in ${language}, and no others`, () => {
        assert.deepEqual(keysOf(language, node), keysOf('en-US', node));
      });

      it(`insert the same values into the texts of ${node} in ${language}`, () => {
        const english = namesOf('en-US', node);
        for (const [key, names] of Object.entries(namesOf(language, node))) {
          assert.deepEqual(names, english[key] ?? english[key.replace(/_\w+$/, '')], key);
        }
      });
    }

    it(`contain no unused text of ${node}`, () => {
      const patterns = lookups();
      const unused = keysOf('en-US', node).filter((key) => !patterns.some((p) => p.test(key)));
      assert.deepEqual(unused, []);
    });

    for (const language of languages) {
      it(`explain ${node} in ${language}, with the same sections`, () => {
        const help = (which: string) => readFileSync(join(locales, which, `${node}.html`), 'utf8');
        assert.match(help(language), new RegExp(`data-help-name="${node}"`));
        const count = (text: string, tag: string) => text.split(`<${tag}`).length;
        for (const tag of ['h3', 'dt', 'dd', 'p']) {
          assert.equal(count(help(language), tag), count(help('en-US'), tag), tag);
        }
      });
    }
  }
});
