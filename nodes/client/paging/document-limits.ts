import type { DocumentNode } from 'graphql';
import { IonError } from '../errors.js';
import { Kind, visit } from '../graphql/language.js';

// A document that is rewritten has to be printed: `print` passes over the text of a selection once
// for each of its levels.

const MAX_NODES = 50_000;
const MAX_LEVELS = 64;
/** Characters count once for each of their levels. */
const MAX_PRINTED_LENGTH = 2_000_000;
const NESTED_VALUES: ReadonlySet<string> = new Set([Kind.LIST, Kind.OBJECT, Kind.LIST_TYPE]);

/** @throws IonError `ION_QUERY` for a document that takes too long to rewrite */
export function checkDocumentSize(document: DocumentNode): void {
  let nodes = 0;
  let level = 0;
  // Nested lists and objects are joined once for each level as well.
  let valueLevel = 0;
  let printed = 0;
  visit(document, {
    enter(node) {
      if (++nodes > MAX_NODES) throw documentTooLarge();
      const text = 'value' in node && typeof node.value === 'string' ? node.value : '';
      printed += (text.length + 2 * level) * (level + valueLevel);
      if (printed > MAX_PRINTED_LENGTH) throw documentTooLarge();
      if (NESTED_VALUES.has(node.kind)) valueLevel++;
      if (node.kind === Kind.SELECTION_SET && ++level > MAX_LEVELS) {
        throw new IonError(
          'ION_QUERY',
          `The query has more than ${MAX_LEVELS} levels of fields, which is too deep to be paged. Select fewer levels.`,
        );
      }
    },
    leave(node) {
      if (node.kind === Kind.SELECTION_SET) level--;
      if (NESTED_VALUES.has(node.kind)) valueLevel--;
    },
  });
}

export function documentTooLarge(): IonError {
  return new IonError('ION_QUERY', 'The query is too large to be paged. Select fewer fields.');
}
