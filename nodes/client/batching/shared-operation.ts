import { Kind } from '../graphql/language.js';
import type { Operation } from '../graphql/operation.js';
import { setProperty } from '../support/json.js';
import type { Mergeable, Template } from './mergeable.js';

type Variables = Record<string, unknown>;

/** The operation of a document that several share, for the logs of ION. */
const NAME = 'Batch';

/**
 * One document for several operations of the same kind. Variables, fragments and the response keys
 * of root fields have the index of their operation as a prefix, such as `p3_input`.
 */
export function sharedOperation(members: readonly Mergeable[]): Operation {
  const kind = members[0]?.operation.kind ?? 'query';
  const texts = (templates: (member: Mergeable) => readonly Template[]) =>
    members
      .flatMap((member, index) => templates(member).map((each) => each.join(prefixOf(index))))
      .filter((text) => text !== '');
  const variables = texts((member) => member.variables);
  const selections = texts((member) => [member.selections]);
  const fragments = texts((member) => [member.fragments]);
  const declared = variables.length === 0 ? '' : `(${variables.join(', ')})`;
  const head = `${kind} ${NAME}${declared} {\n${selections.join('\n')}\n}`;
  const definition: Operation['definition'] = {
    kind: Kind.OPERATION_DEFINITION,
    operation: kind as Operation['definition']['operation'],
    name: { kind: Kind.NAME, value: NAME },
    selectionSet: {
      kind: Kind.SELECTION_SET,
      // Only their names and the IDs in their arguments are looked at.
      selections: members.flatMap(({ fields }, index) =>
        [...fields].map(([key, field]) => ({
          ...field,
          alias: { kind: Kind.NAME, value: prefixOf(index) + key },
        })),
      ),
    },
  };
  return {
    text: [head, ...fragments].join('\n\n'),
    kind,
    name: NAME,
    document: { kind: Kind.DOCUMENT, definitions: [definition] },
    definition,
    members: members.map(({ operation, fields }, index) => ({
      operation,
      keys: new Map([...fields.keys()].map((key) => [prefixOf(index) + key, key])),
    })),
  };
}

/** The variables of a shared document. */
export function sharedVariables(members: readonly (Variables | undefined)[]): Variables {
  const shared: Variables = {};
  for (const [index, variables] of members.entries()) {
    for (const [name, value] of Object.entries(variables ?? {})) {
      setProperty(shared, prefixOf(index) + name, value);
    }
  }
  return shared;
}

/** The indexes of the operations whose variables a text names. */
export function namedMembers(text: string): Set<number> {
  return new Set([...text.matchAll(/\$p(\d{1,3})_/g)].map(([, index]) => Number(index)));
}

function prefixOf(index: number): string {
  return `p${index}_`;
}
