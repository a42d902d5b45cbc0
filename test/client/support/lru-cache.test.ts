import assert from 'node:assert/strict';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { LruCache } from '../../../nodes/client/support/lru-cache.js';

/** The present ones of these keys; reading counts as a use of each. */
const keysIn = (recent: LruCache<string, unknown>, keys: string) =>
  [...keys].filter((key) => recent.get(key) !== undefined).join('');

describe('cache of recently used values', () => {
  it('never exceeds its size, and drops the least recently used value', () => {
    const recent = new LruCache<string, number>(3);
    for (const [index, key] of [...'abc'].entries()) recent.set(key, index);
    assert.equal(recent.get('a'), 0);
    recent.set('d', 3);
    assert.equal(keysIn(recent, 'abcd'), 'acd');
    recent.set('a', 9);
    recent.set('e', 4);
    assert.equal(keysIn(recent, 'abcde'), 'ade');
    assert.equal(recent.get('a'), 9);
  });

  it('never exceeds its total weight, with any reads and replacements', () => {
    const recent = new LruCache<string, number>(100, 10);
    recent.set('a', 1, 4);
    recent.set('b', 2, 4);
    for (let reads = 0; reads < 10; reads++) recent.get('a');
    recent.set('c', 3, 2);
    assert.equal(keysIn(recent, 'bca'), 'bca');
    recent.set('d', 4, 1);
    assert.equal(keysIn(recent, 'cad'), 'cad');
    recent.set('a', 5, 8);
    assert.equal(keysIn(recent, 'cda'), 'da');
    recent.delete('d');
    recent.set('e', 6, 2);
    assert.equal(keysIn(recent, 'ae'), 'ae');
    recent.set('e', 7, 11);
    assert.equal(keysIn(recent, 'ae'), 'a');
  });

  it('loses nothing by reading a missing key', () => {
    const recent = new LruCache<string, number>(2);
    recent.set('a', 1);
    recent.set('b', 2);
    assert.equal(recent.get('x'), undefined);
    assert.equal(keysIn(recent, 'ab'), 'ab');
  });

  it('keeps the query of every message next to queries with embedded values', () => {
    const hot = parseOperation('query Hot { me { id } }');
    for (let id = 0; id < 1000; id++) {
      parseOperation(`query Once { run(id: ${id}) { id } }`);
      assert.equal(parseOperation('query Hot { me { id } }'), hot, `after ${id} others`);
    }
  });
});
