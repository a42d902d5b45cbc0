// The items of the field tree. Their IDs are the paths in `fields`.
import { fieldsOf, findPaths, type ListSchema } from './list-schema.js';
import { queryText } from './query-text.js';

/** The fields of a type: a box for each value, and a branch for each object, which opens on demand. */
export function fieldItems(
  schema: ListSchema,
  type: string,
  prefix: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return fieldsOf(schema, type).map((field) => {
    const id = prefix + field.name;
    if (!field.hasFields) return valueItem(id, field.name, field.type, chosen);
    return {
      id,
      label: field.name,
      sublabel: field.type,
      expanded: [...chosen].some((path) => path.startsWith(`${id}.`)),
      // Types refer to each other endlessly, so a level is created when it is opened.
      children(done, item) {
        const children = fieldItems(schema, field.type, `${id}.`, chosen);
        // The widget's keyboard navigation needs a list here instead of this function.
        item.children = children;
        done(children);
      },
    };
  });
}

/** The values at any depth whose path contains a text. */
export function foundItems(
  schema: ListSchema,
  text: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return findPaths(schema, text).map(({ path, type }) => valueItem(path, path, type, chosen));
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
