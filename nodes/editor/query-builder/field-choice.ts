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

interface FieldChoiceOptions {
  /** The fields that the node reads if none is chosen. */
  defaults?: () => readonly string[];
  onChange?: () => void;
}

/**
 * Prepares the tree and the text with the stored fields.
 * @param name the beginning of the IDs and classes of the elements
 */
export function fieldChoice(
  stored: readonly string[],
  { defaults = () => [], onChange = () => {} }: FieldChoiceOptions = {},
  name = 'ion-query-field',
): FieldChoice {
  const text = $(`#${name}-text`).val(stored.join(' ')).on('change keyup', onChange);
  const search = $(`#${name}-search`);
  const tree = $(`#${name}-tree`);
  // In the order in which they were chosen, which is the order of columns in a table.
  const chosen = new Set(stored);
  /** Whether the default fields are ticked, and none is stored. */
  let isDefault = false;
  let schema: ListSchema | undefined;
  let unknown: string[] = [];

  const itemsOf = (listSchema: ListSchema): TreeListItem[] => {
    const searched = String(search.val()).trim();
    const ticked = isDefault ? new Set(defaults()) : chosen;
    if (searched) return foundItems(listSchema, searched, ticked);
    return [
      ...unknownItems(unknown, ticked),
      ...fieldItems(listSchema, listSchema.row, '', ticked),
    ];
  };
  const show = () => {
    if (!schema) return;
    const items = itemsOf(schema);
    tree.treeList('data', items);
    $(`#${name}-none`).toggle(items.length === 0);
  };

  tree.attr({ role: 'group', 'aria-labelledby': `${name}-label` });
  prepareTree(tree, (item) => {
    if (isDefault) for (const field of defaults()) chosen.add(field);
    isDefault = false;
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
      isDefault = fields.length === 0;
      text.attr('placeholder', defaults().join(' '));
      unknown = offered ? fields.filter((field) => !isValuePath(offered, field)) : [];
      $(`.${name}-tree`).toggle(offered !== undefined);
      $(`.${name}-text`).toggle(offered === undefined);
      show();
    },
  };
}

/** @param onTick called with a value whose box was ticked or unticked */
function prepareTree(tree: JQuery, onTick: (item: TreeListItem) => void): void {
  // Node-RED adds the items of a long list in slices, and says so only after some of them.
  const observer = new MutationObserver(() => prepareBoxes(tree));
  observer.observe(tree[0] as HTMLElement, { childList: true, subtree: true });
  tree
    .treeList({ data: [], multi: true, selectable: true, autoSelect: false })
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

/**
 * Names the boxes after their fields, and takes them out of the order of the Tab key: the arrow keys
 * move in the tree.
 */
function prepareBoxes(tree: JQuery): void {
  tree.find('input:not([aria-label])').each((_index, box) => {
    const item = $(box).closest('.red-ui-editableList-item-content').data('data');
    $(box).attr({ tabindex: -1, 'aria-label': (item as TreeListItem).id });
  });
}
