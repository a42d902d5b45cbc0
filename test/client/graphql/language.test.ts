import assert from 'node:assert/strict';
import * as library from 'graphql/language';
import { Kind } from '../../../nodes/client/graphql/language.js';

describe('the kinds of GraphQL syntax', () => {
  it('are those of the library', () => {
    const kinds = Object.keys(Kind) as (keyof typeof Kind)[];
    assert.notEqual(kinds.length, 0);
    for (const kind of kinds) assert.equal(Kind[kind], library.Kind[kind], kind);
  });
});
