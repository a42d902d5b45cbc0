import {
  type ASTVisitor,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  parse,
  visit,
} from 'graphql';

const PLACEHOLDERS: Record<string, unknown> = Object.fromEntries(
  parse('type A { nothing: Boolean } input B { nothing: Boolean }').definitions.map((each) => [
    ...[each.kind, 'fields' in each ? each.fields?.[0] : undefined],
  ]),
);

type Named = { readonly name: { readonly value: string } };

/**
 * The schema without some of its parts, as an ION of another version has it.
 * @param parts such as `RunStepField.notApplicable`, `Query.runs(sort:)`, `RunSortEnum.ID_ASC`,
 * `*.totalCount` or `PartSortEnum`
 * @throws TypeError for a part that is not in the schema
 */
export function schemaWithout(schema: DocumentNode, parts: readonly string[]): DocumentNode {
  const unknown = new Set(parts);
  const removed = new Set<string>();
  const isRemoved = (...names: string[]): boolean => {
    const found = names.filter((name) => unknown.has(name));
    for (const name of found) removed.add(name);
    return found.length > 0;
  };
  const concerns = concernedBy(parts);
  const visitor: ASTVisitor = {
    enter(node, _key, _parent, _path, ancestors) {
      if (isDefinition(node)) return isRemoved(node.name.value) ? null : undefined;
      const [type = '', field = ''] = ancestors.flatMap((each) =>
        'kind' in each && 'name' in each && each.name ? each.name.value : [],
      );
      switch (node.kind) {
        case Kind.FIELD_DEFINITION:
        case Kind.ENUM_VALUE_DEFINITION: {
          const { value: name } = node.name;
          return isRemoved(`${type}.${name}`, `*.${name}`) ? null : undefined;
        }
        case Kind.INPUT_VALUE_DEFINITION: {
          const { value: name } = node.name;
          const path = field === '' ? `${type}.${name}` : `${type}.${field}(${name}:)`;
          return isRemoved(path) ? null : undefined;
        }
      }
      return undefined;
    },
    leave(node) {
      // GraphQL has no type without fields.
      if (!('fields' in node) || node.fields?.length !== 0) return undefined;
      return { ...node, fields: [PLACEHOLDERS[node.kind]] };
    },
  };
  // Visiting all 1,468 types takes much longer.
  const definitions = schema.definitions.flatMap((definition) =>
    concerns(definition) ? (visit(definition, visitor) ?? []) : [definition],
  );
  const missing = parts.filter((part) => !removed.has(part));
  if (missing.length > 0) throw new TypeError(`The schema has no ${missing.join(', ')}`);
  return { ...schema, definitions };
}

/** Whether one of the parts may be in a definition. */
function concernedBy(parts: readonly string[]): (definition: DefinitionNode) => boolean {
  const types = new Set<string>();
  const membersOfAll = new Set<string>();
  for (const part of parts) {
    const [type = '', member = ''] = part.split('.');
    if (type === '*') membersOfAll.add(member);
    else types.add(type);
  }
  return (definition) => {
    if (!isDefinition(definition)) return false;
    if (types.has(definition.name.value)) return true;
    const members = [
      ...('fields' in definition ? (definition.fields ?? []) : []),
      ...('values' in definition ? (definition.values ?? []) : []),
    ];
    return members.some(({ name }) => membersOfAll.has(name.value));
  };
}

function isDefinition(node: object): node is DefinitionNode & Named {
  return 'kind' in node && /^(?!Operation)\w+TypeDefinition$/.test(String(node.kind));
}
