import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getVariableValues, Kind, parse, print, validate, visit } from 'graphql';
import { type QueryTemplate, queryTemplates } from '../../nodes/editor/graphql/query-templates.js';
import catalogue from '../../nodes/locales/en-US/ion-graphql.json';
import { root } from '../../tools/package.js';

describe('a template of ion-graphql', () => {
  const file = join(root, 'sandbox', 'graphql', 'schema.graphql');
  const schema = buildSchema(readFileSync(file, 'utf8'));
  const names: Record<string, string> = catalogue['ion-graphql'].starter;

  for (const [key, template] of Object.entries<QueryTemplate>(queryTemplates)) {
    it(`"${names[key]}" matches ION's schema, and so do its variables`, () => {
      assert.ok(names[key], `no name for ${key}`);
      const document = parse(template.query);
      const problems = validate(schema, document).map(({ message }) => message);
      assert.deepEqual(problems, []);
      const variables = JSON.parse(template.variables ?? '{}');
      for (const definition of document.definitions) {
        assert.equal(definition.kind, Kind.OPERATION_DEFINITION);
        const { errors } = getVariableValues(
          schema,
          definition.variableDefinitions ?? [],
          variables,
        );
        assert.deepEqual(errors?.map(({ message }) => message) ?? [], []);
      }
    });
  }

  it('reads the _etag of all objects that the mutations of other templates change', () => {
    const withEtag: string[] = [];
    visit(parse(queryTemplates.run.query), {
      Field({ name, selectionSet }) {
        const fields = selectionSet?.selections.map((each) => print(each)) ?? [];
        if (fields.includes('_etag')) withEtag.push(name.value.replace(/s$/, ''));
      },
    });
    const changed = Object.values<QueryTemplate>(queryTemplates).flatMap(
      ({ variables }) => /_etag of the (\w+)/.exec(variables ?? '')?.[1] ?? [],
    );
    assert.deepEqual(withEtag.sort(), changed.sort());
  });
});
