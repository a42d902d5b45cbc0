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

describe('the fields of a row in a dialog', () => {
  const introspection = introspectionFromSchema(
    buildSchema(`
      type Query { runs: RunsConnection }
      type RunsConnection { edges: [RunsEdge] }
      type RunsEdge { node: Run }
      type Run { _etag: String, id: Int, part: Part, title: String, status: Status, kind: Status }
      type Part { id: Int }
      enum Status { OPEN, DONE }
    `),
  );

  it('begin with the chosen ones and those with a few values, and end with the technical ones', async () => {
    const folder = '../../nodes/editor/query-builder';
    const { listSchema } = await import(`${folder}/${FILE}`);
    const { fieldItems } = await import(`${folder}/field-items.js`);
    const ids = (chosen: string[]) =>
      fieldItems(listSchema(introspection, runs), 'Run', '', new Set(chosen)).map(
        ({ id }: { id: string }) => id,
      );
    assert.deepEqual(ids([]), ['status', 'kind', 'id', 'title', 'part', '_etag']);
    assert.deepEqual(ids(['title', 'kind']), ['title', 'kind', 'status', 'id', 'part', '_etag']);
  });
});
