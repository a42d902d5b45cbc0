// The items of the field tree. Their IDs are the paths in `fields`.
import { enumValues, fieldsOf, findPaths, isTechnical, type ListSchema } from './list-schema.js';
import { queryText } from './query-text.js';

/**
 * The fields of a type: a box for each value, and a branch for each object, which opens on demand. The
 * chosen ones come first, then those with a few values, as among the filters, and the technical ones last.
 */
export function fieldItems(
  schema: ListSchema,
  type: string,
  prefix: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  const paths = [...chosen];
  const holdsChosen = (id: string) => paths.some((path) => path.startsWith(`${id}.`));
  const items = fieldsOf(schema, type).map((field): RankedItem => {
    const id = prefix + field.name;
    const isEnum = enumValues(schema, field.type) !== undefined;
    const others = paths.length + (isEnum ? 1 : 2);
    const last = isTechnical(field) ? Number.POSITIVE_INFINITY : others;
    if (!field.hasFields) {
      const index = paths.indexOf(id);
      const item = valueItem(id, field.name, field.type, chosen);
      return { rank: index === -1 ? last : index, item };
    }
    const item: TreeListItem = {
      id,
      label: field.name,
      sublabel: field.type,
      expanded: holdsChosen(id),
      // Types refer to each other endlessly, so a level is created when it is opened.
      children(done, item) {
        const children = fieldItems(schema, field.type, `${id}.`, chosen);
        // The widget's keyboard navigation needs a list here instead of this function.
        item.children = children;
        done(children);
      },
    };
    return { rank: holdsChosen(id) ? paths.length : last, item };
  });
  return sorted(items);
}

interface RankedItem {
  rank: number;
  item: TreeListItem;
}

/** The items by rank, those of the same rank in their order. */
function sorted(items: RankedItem[]): TreeListItem[] {
  // Infinity minus itself is not a number.
  return items.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ item }) => item);
}

/** The values at any depth whose path contains a text. */
export function foundItems(
  schema: ListSchema,
  text: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return sorted(
    findPaths(schema, text).map(({ path, type }) => {
      const isLast = isTechnical({ name: path.slice(path.lastIndexOf('.') + 1), type });
      const rank = chosen.has(path) ? 0 : isLast ? 2 : 1;
      return { rank, item: valueItem(path, path, type, chosen) };
    }),
  );
}

/** The stored fields that the schema does not have. They stay until they are unticked. */
export function unknownItems(
  paths: readonly string[],
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return paths.map((path) => ({
    ...valueItem(path, path, queryText('ion-runs.label.unknownField'), chosen),
    icon: 'fa fa-warning',
  }));
}

function valueItem(
  id: string,
  label: string,
  sublabel: string,
  chosen: ReadonlySet<string>,
): TreeListItem {
  return { id, label, sublabel, checkbox: true, selected: chosen.has(id) };
}
