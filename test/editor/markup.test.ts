import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/package.js';

const NODES = ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'];

/** Texts of Node-RED itself. */
const OF_NODE_RED = /^node-red:/;

function textOf(node: string, key: string): unknown {
  const [, set = node, path = ''] =
    /^(?:@ion-nodes\/node-red-ion\/([\w-]+):)?(.*)$/.exec(key) ?? [];
  const catalogue = readFileSync(join(root, 'dist/locales/en-US', `${set}.json`), 'utf8');
  return path
    .split('.')
    .reduce<unknown>(
      (part, name) => (part as Record<string, unknown> | undefined)?.[name],
      JSON.parse(catalogue),
    );
}

describe('the built form of a dialog', () => {
  for (const node of NODES) {
    const html = readFileSync(join(root, 'dist', `${node}.html`), 'utf8');
    const forms = [
      ...html.matchAll(
        /<script type="text\/html" data-template-name="([\w-]+)">([\s\S]*?)<\/script>/g,
      ),
    ];
    const [, name, form = ''] = forms[0] ?? [];

    it(`is the only one of ${node}, with all its parts`, () => {
      assert.deepEqual([forms.length, name], [1, node]);
      assert.doesNotMatch(html.slice(html.indexOf('data-template-name')), /include /);
    });

    it(`has each ID once in ${node}`, () => {
      const ids = [...form.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      assert.ok(ids.length > 5);
      assert.deepEqual(ids, [...new Set(ids)]);
    });

    it(`names texts that exist in ${node}`, () => {
      const keys = [...form.matchAll(/data-i18n="([^"]+)"/g)]
        .flatMap(([, list = '']) => list.split(';'))
        .map((key) => key.replace(/^\[[\w-]+\]/, ''))
        .filter((key) => !OF_NODE_RED.test(key));
      assert.ok(keys.length > 3);
      assert.deepEqual(
        keys.filter((key) => typeof textOf(node, key) !== 'string'),
        [],
      );
    });
  }

  it('has the same query builder in ion-runs and ion-events', () => {
    const idsOf = (node: string) => {
      const html = readFileSync(join(root, 'dist', `${node}.html`), 'utf8');
      return [...html.matchAll(/ id="(ion-query-[^"]+)"/g)].map(([, id]) => id);
    };
    assert.ok(idsOf('ion-runs').length > 5);
    assert.deepEqual(idsOf('ion-events'), idsOf('ion-runs'));
  });
});
