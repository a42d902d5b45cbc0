import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { marked } from 'marked';
import { root } from '../../tools/package.js';

const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'sandbox/README.md', ...docs.map((name) => `docs/${name}`)];

/** GraphQL blocks of a page. */
function blocksOf(page: string): string[] {
  return marked
    .lexer(readFileSync(join(root, page), 'utf8'))
    .flatMap((token) => (token.type === 'code' && token.lang === 'graphql' ? [token.text] : []));
}

describe('GraphQL in the documents', () => {
  const schema = buildSchema(
    readFileSync(join(root, 'sandbox', 'graphql', 'schema.graphql'), 'utf8'),
  );
  const blocks = pages.flatMap((page) => blocksOf(page).map((text) => ({ page, text })));

  it('exists', () => {
    assert.ok(blocks.some(({ page }) => page === 'docs/nodes.md'));
  });

  for (const [index, { page, text }] of blocks.entries()) {
    it(`${index + 1}, in ${page}, matches ION's schema`, () => {
      assert.deepEqual(
        validate(schema, parse(text)).map(({ message }) => message),
        [],
      );
    });
  }
});
