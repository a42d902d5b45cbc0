// The fields to read: a tree of the schema with a box for each value, or a plain text.
import { fieldItems, foundItems, unknownItems } from './field-items.js';
import { isValuePath, type Types } from './list-schema.js';
import { parseList } from './parse-list.js';

export interface FieldChoice {
  read(): string[];
  /** Shows the tree of this schema; without one, the text. */
  offer(types: Types | undefined): void;
}

export function fieldChoice(
  node: Texts,
  stored: readonly string[],
  onChange: () => void,
): FieldChoice {
  const text = $('#ion-runs-field-text').val(stored.join(' ')).on('change keyup', onChange);
  const search = $('#ion-runs-field-search');
  const tree = $('#ion-runs-field-tree');
  // In the order in which they were chosen, which is the order of columns in a table.
  const chosen = new Set(stored);
  let types: Types | undefined;
  let outside: string[] = [];

  const show = () => {
    if (!types) return;
    const typed = String(search.val()).trim();
    const items = typed
      ? foundItems(types, typed, chosen)
      : [...unknownItems(node, outside, chosen), ...fieldItems(types, types.row, '', chosen)];
    tree.treeList('data', items);
    tidy();
    $('#ion-runs-field-none').toggle(items.length === 0);
  };
  // Arrow keys move in the tree, so that its boxes need no place in the order of Tab.
  const tidy = () => tree.find('input').attr('tabindex', -1);

  tree
    .treeList({ data: [], multi: true, selectable: true, autoSelect: false })
    .attr({ role: 'group', 'aria-labelledby': 'ion-runs-fields-label' })
    .on('treelistchildrenloaded', tidy)
    .on('focusin', ({ target }) => {
      if (tree.find('.focus').length > 0 && target === tree[0]) return;
      const label = $(target).closest('.red-ui-treeList-label');
      tree.find('.focus').removeClass('focus');
      (label.length > 0 ? label : tree.find('.red-ui-treeList-label').first()).addClass('focus');
    })
    .on('treelistselect', (_event, item?: TreeListItem) => {
      if (!item?.checkbox) return;
      if (item.selected) chosen.add(item.id);
      else chosen.delete(item.id);
      onChange();
    });
  search.searchBox({ style: 'compact', delay: 150, change: show });
  search
    .parent()
    .find('.red-ui-searchBox-clear')
    .attr('aria-label', node._('ion-runs.label.clearSearch'));

  const read = () => (types ? [...chosen] : parseList(text.val()));
  return {
    read,
    offer(offered) {
      const fields = read();
      types = offered;
      text.val(fields.join(' '));
      chosen.clear();
      for (const field of fields) chosen.add(field);
      outside = types ? fields.filter((field) => !isValuePath(types as Types, field)) : [];
      $('.ion-runs-field-tree').toggle(types !== undefined);
      $('.ion-runs-field-text').toggle(types === undefined);
      show();
    },
  };
}
