import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getVariableValues, Kind, parse, validate } from 'graphql';
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
});
