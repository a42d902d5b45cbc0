import type { FieldNode, SelectionSetNode } from 'graphql';
import { IonError, quote } from '../errors.js';
import type { Operation } from '../graphql/operation.js';
import { documentTooLarge } from './document-limits.js';
import { Fragments } from './fragments.js';

/** The field of an operation that selects `edges`. */
export interface ConnectionField {
  /** Response keys that lead from `data` to the connection. */
  path: string[];
  /** The field's nodes: a document may write the same field several times. */
  fields: FieldNode[];
}

/** Response keys inside a connection. */
export interface RowKeys {
  /** Response key of the connection's `edges`. */
  edgesKey: string;
  /** Response keys that lead from an edge to the id of its row; `undefined` without an id. */
  idPath: [node: string, id: string] | undefined;
}

/** Fields with selections that are searched for the connection. */
const MAX_FIELDS_SEARCHED = 1000;
/** Longest alias or field name on the path to the connection. */
const MAX_KEY_LENGTH = 500;

/**
 * Finds the one connection of an operation; connections inside it do not count.
 * @throws IonError `ION_QUERY` if there is none or more than one
 */
export function findConnection(operation: Operation): ConnectionField {
  const fragments = new Fragments(operation.document);
  const found = new Map<string, ConnectionField>();
  let searched = 0;
  const search = (selectionSet: SelectionSetNode, parents: string[]) => {
    for (const field of fragments.fieldsOf(selectionSet)) {
      if (!field.selectionSet) continue;
      // Fragments that spread themselves, or each other twice, would be searched endlessly.
      if (++searched > MAX_FIELDS_SEARCHED) {
        throw new IonError(
          'ION_QUERY',
          `The query has more than ${MAX_FIELDS_SEARCHED} fields in which the list could be. Select fewer fields.`,
        );
      }
      const key = responseKey(field);
      if (key.length > MAX_KEY_LENGTH) throw documentTooLarge();
      const path = [...parents, key];
      if (fragments.fieldsOf(field.selectionSet).some(({ name }) => name.value === 'edges')) {
        const name = path.join('.');
        const known = found.get(name);
        if (known) known.fields.push(field);
        else found.set(name, { path, fields: [field] });
      } else {
        search(field.selectionSet, path);
      }
    }
  };
  search(operation.definition.selectionSet, []);
  const [connection, ...others] = found.values();
  if (!connection) {
    throw new IonError(
      'ION_QUERY',
      'The query has no list that can be paged: no field selects "edges". Set Paging to "off", or select a list such as runs { edges { node { id } } }.',
    );
  }
  if (others.length > 0) {
    throw new IonError(
      'ION_QUERY',
      `The query has ${found.size} connections (${quote([...found.keys()].join(', '))}), but only one can be paged. Send a separate query for each.`,
    );
  }
  return connection;
}

/** The response keys that a connection's selection gives its edges and the ids of its rows. */
export function rowKeysOf(connection: FieldNode, { document }: Operation): RowKeys {
  const fragments = new Fragments(document);
  const inside = (field: FieldNode | undefined, name: string) =>
    field?.selectionSet &&
    fragments.fieldsOf(field.selectionSet).find((each) => each.name.value === name);
  const edges = inside(connection, 'edges');
  const node = inside(edges, 'node');
  const id = inside(node, 'id');
  return {
    edgesKey: edges ? responseKey(edges) : 'edges',
    idPath: node && id && [responseKey(node), responseKey(id)],
  };
}

function responseKey(field: FieldNode): string {
  return field.alias?.value ?? field.name.value;
}
