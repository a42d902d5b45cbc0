// The entries of the tree of fields; their ids are the paths in `fields`.
import { fieldsOf, findPaths, type Types } from './list-schema.js';

/** What a type has: a box for each value; what holds more opens when it is asked for. */
export function fieldItems(
  types: Types,
  type: string,
  prefix: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return fieldsOf(types, type).map((field) => {
    const id = prefix + field.name;
    if (!field.hasFields) return valueItem(id, field.name, field.type, chosen);
    return {
      id,
      label: field.name,
      sublabel: field.type,
      expanded: [...chosen].some((path) => path.startsWith(`${id}.`)),
      // Types refer to each other without end, so the next level is made when it is opened.
      children(done, item) {
        const children = fieldItems(types, field.type, `${id}.`, chosen);
        // The widget moves by keys only in a list that it finds here.
        item.children = children;
        done(children);
      },
    };
  });
}

/** Values anywhere below whose path holds a text. */
export function foundItems(
  types: Types,
  text: string,
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return findPaths(types, text).map(({ path, type }) => valueItem(path, path, type, chosen));
}

/** Fields of the node that the schema does not have: they stay until they are unticked. */
export function unknownItems(
  node: Texts,
  paths: readonly string[],
  chosen: ReadonlySet<string>,
): TreeListItem[] {
  return paths.map((path) => ({
    ...valueItem(path, path, node._('ion-runs.label.unknownField'), chosen),
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
