import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/package.js';

const texts = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, 'nodes', 'locales', language, 'sidebar.json'), 'utf8'));

function namesIn(text: string | undefined): string[] {
  return [...(text ?? '').matchAll(/__(\w+?)__/g)].map(([, name]) => String(name)).sort();
}

describe('the texts of the sidebar', () => {
  const english = texts('en-US');

  for (const language of ['de', 'ja']) {
    it(`are complete in ${language}, with the same values`, () => {
      const own = texts(language);
      assert.deepEqual(Object.keys(own), Object.keys(english));
      for (const [key, text] of Object.entries(own)) {
        assert.notEqual(text, '');
        assert.deepEqual(namesIn(text), namesIn(english[key]), key);
      }
    });
  }

  it('are those that the sources use', () => {
    const folder = join(root, 'nodes', 'editor', 'sidebar');
    const source = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    const used = [...source.matchAll(/(?<!\.)\btext\(\s*['`]([^'`]+)['`]/g)].map(
      ([, key = '']) => key,
    );
    const isUsed = (key: string) =>
      used.some((each) => {
        const parts = each.split(/\$\{[^}]*\}/);
        return parts.length === 1 ? each === key : key.startsWith(String(parts[0]));
      });
    // The verdicts, and the meanings of codes, are looked up by their keys.
    const unused = Object.keys(english).filter((key) => !isUsed(key) && !key.startsWith('code.'));
    assert.deepEqual(unused, []);
    const fixed = used.filter((key) => !key.includes('${'));
    assert.deepEqual(
      fixed.filter((key) => !(key in english)),
      [],
    );
    const verdicts = readFileSync(join(folder, 'verdict.ts'), 'utf8');
    for (const key of Object.keys(english)) {
      const [kind, name = ''] = key.split('.');
      if (kind === 'verdict') assert.ok(verdicts.includes(`'${name}'`) || name === 'problem', key);
    }
  });
});
