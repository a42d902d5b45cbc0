// The list of filters in the dialog.
import type { FilterRow } from '../../shared/filter-row.js';
import { type FilterRowEditor, filterRow } from './filter-row.js';
import type { ListSchema } from './list-schema.js';
import { queryText } from './query-text.js';
import { valueSources } from './value-types.js';

export interface FilterList {
  read(): FilterRow[];
  /** Offers the names of this schema; without one, any name can be entered. */
  offer(schema: ListSchema | undefined): void;
}

interface FilterListOptions {
  onChange?: () => void;
  /** The sources of values, as types of typed inputs. By default all that a node with an input has. */
  sources?: readonly string[];
}

const EDITOR = 'ion-query-row';

/** Fills the list in the dialog with the stored filters. */
export function filterList(
  rows: readonly FilterRow[],
  { onChange = () => {}, sources = valueSources }: FilterListOptions = {},
): FilterList {
  let schema: ListSchema | undefined;
  /** Whether the stored filters are in the list, so that a further one is new. */
  let isReady = false;
  const list = $('#ion-query-filters').editableList<FilterRow>({
    addItem(container, _index, row) {
      const editor = filterRow(container, row, { onChange, sources });
      container.data(EDITOR, editor);
      editor.offer(schema);
      if (isReady) editor.start();
      const remove = container.parent().find('.red-ui-editableList-item-remove');
      remove.attr('aria-label', queryText('ion-runs.label.removeFilter'));
      onChange();
    },
    removeItem: onChange,
    addButton: queryText('ion-runs.label.addFilter'),
    removable: true,
    height: 'auto',
  });
  const editors = () =>
    list
      .editableList('items')
      .toArray()
      .map((element) => $(element).data(EDITOR) as FilterRowEditor);
  for (const row of rows) list.editableList('addItem', row);
  isReady = true;
  return {
    read: () => editors().map((editor) => editor.read()),
    offer(offered) {
      schema = offered;
      for (const editor of editors()) editor.offer(schema);
    },
  };
}
