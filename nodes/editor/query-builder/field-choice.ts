// The fields to read: a tree of the schema with a box for each value, or a plain text.
import { parseList } from '../shared/parse-list.js';
import { fieldItems, foundItems, unknownItems } from './field-items.js';
import { isValuePath, type ListSchema } from './list-schema.js';
import { queryText } from './query-text.js';

export interface FieldChoice {
  read(): string[];
  /** Shows the tree of this schema; without one, the text. */
  offer(schema: ListSchema | undefined): void;
}

/**
 * Prepares the tree and the text with the stored fields.
 * @param name the beginning of the IDs and classes of the elements
 */
export function fieldChoice(
  stored: readonly string[],
  onChange: () => void = () => {},
  name = 'ion-query-field',
): FieldChoice {
  const text = $(`#${name}-text`).val(stored.join(' ')).on('change keyup', onChange);
  const search = $(`#${name}-search`);
  const tree = $(`#${name}-tree`);
  // In the order in which they were chosen, which is the order of columns in a table.
  const chosen = new Set(stored);
  let schema: ListSchema | undefined;
  let unknown: string[] = [];

  const itemsOf = (listSchema: ListSchema): TreeListItem[] => {
    const searched = String(search.val()).trim();
    if (searched) return foundItems(listSchema, searched, chosen);
    return [
      ...unknownItems(unknown, chosen),
      ...fieldItems(listSchema, listSchema.row, '', chosen),
    ];
  };
  const show = () => {
    if (!schema) return;
    const items = itemsOf(schema);
    tree.treeList('data', items);
    excludeFromTabOrder(tree);
    $(`#${name}-none`).toggle(items.length === 0);
  };

  tree.attr({ role: 'group', 'aria-labelledby': `${name}-label` });
  prepareTree(tree, (item) => {
    if (item.selected) chosen.add(item.id);
    else chosen.delete(item.id);
    onChange();
  });
  search.searchBox({ style: 'compact', delay: 150, change: show });
  search
    .parent()
    .find('.red-ui-searchBox-clear')
    .attr('aria-label', queryText('ion-runs.label.clearSearch'));

  const read = () => (schema ? [...chosen] : parseList(text.val()));
  return {
    read,
    offer(offered) {
      const fields = read();
      schema = offered;
      text.val(fields.join(' '));
      chosen.clear();
      for (const field of fields) chosen.add(field);
      unknown = offered ? fields.filter((field) => !isValuePath(offered, field)) : [];
      $(`.${name}-tree`).toggle(offered !== undefined);
      $(`.${name}-text`).toggle(offered === undefined);
      show();
    },
  };
}

/** @param onTick called with a value whose box was ticked or unticked */
function prepareTree(tree: JQuery, onTick: (item: TreeListItem) => void): void {
  tree
    .treeList({ data: [], multi: true, selectable: true, autoSelect: false })
    .on('treelistchildrenloaded', () => excludeFromTabOrder(tree))
    .on('focusin', ({ target }) => {
      if (tree.find('.focus').length > 0 && target === tree[0]) return;
      const label = $(target).closest('.red-ui-treeList-label');
      tree.find('.focus').removeClass('focus');
      (label.length > 0 ? label : tree.find('.red-ui-treeList-label').first()).addClass('focus');
    })
    .on('treelistselect', (_event, item?: TreeListItem) => {
      if (item?.checkbox) onTick(item);
    });
}

/** Takes the boxes out of the order of the Tab key: the arrow keys move in the tree. */
function excludeFromTabOrder(tree: JQuery): void {
  tree.find('input').attr('tabindex', -1);
}
