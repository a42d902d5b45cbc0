import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECK_NAMES } from '../../nodes/config/check/check-line.js';
import { root } from '../../tools/package.js';

type Texts = Record<string, string | Record<string, string>>;

const LANGUAGES = ['de', 'en-US', 'ja'];
const texts = (language: string, name = 'check'): Texts =>
  JSON.parse(readFileSync(join(root, 'nodes', 'locales', language, `${name}.json`), 'utf8'));

/** All texts by path. */
function flat(language: string, name?: string): Map<string, string> {
  return new Map(
    Object.entries(texts(language, name)).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string'
        ? [[name, value]]
        : Object.entries(value).map(([key, text]) => [`${name} ${key}`, text]),
    ),
  );
}

function namesIn(text: string | undefined): string[] {
  return [...(text ?? '').matchAll(/__(\w+?)__/g)].map(([, name]) => String(name)).sort();
}

describe('the texts that a part of a dialog loads', () => {
  for (const name of ['check', 'graphql-expanded', 'lookup-trial']) {
    for (const language of LANGUAGES) {
      it(`are complete in ${language} for ${name}, with the same values`, () => {
        const [own, english] = [flat(language, name), flat('en-US', name)];
        assert.deepEqual([...own.keys()], [...english.keys()]);
        for (const [key, text] of own) {
          assert.notEqual(text, '');
          assert.deepEqual(namesIn(text), namesIn(english.get(key)), key);
        }
      });
    }
  }
});

describe('the texts of Check everything', () => {
  it('are those that the sources use', () => {
    const folder = join(root, 'nodes', 'config', 'check');
    const source = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    const codes = new Set(
      [...source.matchAll(/'([a-zA-Z]+\.[a-zA-Z]+)'/g)].map(([, code]) => code),
    );
    const { finding = {}, adviceOn = {}, check = {} } = texts('en-US');
    const known = new Set([...Object.keys(finding), ...Object.keys(adviceOn)]);
    assert.deepEqual([...codes].sort(), [...known].sort());
    assert.deepEqual(Object.keys(check).sort(), [...CHECK_NAMES].sort());
  });
});
