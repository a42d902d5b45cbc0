import assert from 'node:assert/strict';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { runs } from '../../nodes/client/lists/resources.js';

const FILE = 'list-schema.js';

describe('the operators of a filter in a dialog', () => {
  const introspection = introspectionFromSchema(
    buildSchema(`
      type Query { runs(filters: RunsInputFilters): RunsConnection }
      type RunsConnection { edges: [RunsEdge] }
      type RunsEdge { node: Run }
      type Run { id: Int, title: String, archived: Boolean }
      input RunsInputFilters { title: StringFilter, archived: BooleanFilter }
      input StringFilter { eq: String, in: [String], like: String }
      input BooleanFilter { eq: Boolean, isnull: Boolean }
    `),
  );

  it('are those of the schema', async () => {
    // Not by its name: the compiler would look for the globals of the editor.
    const { listSchema, operatorsOf } = await import(`../../nodes/editor/query-builder/${FILE}`);
    const names = (path: string) =>
      operatorsOf(listSchema(introspection, runs), path)?.map(({ name }: { name: string }) => name);
    assert.deepEqual(names('title'), ['eq', 'in', 'notin', 'like']);
    assert.deepEqual(names('archived'), ['eq', 'isnull']);
    assert.equal(names('unknown'), undefined);
  });
});
