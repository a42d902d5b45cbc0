// The order of runs: a drop-down for each key and one more for the next, or a plain text.
import { enumValues, type ListSchema } from '../query-builder/list-schema.js';
import { parseList } from '../shared/parse-list.js';

export interface SortChoice {
  read(): string[];
  /** Offers the keys of this schema; without one, the text. */
  offer(schema: ListSchema | undefined): void;
}

/** Prepares the drop-downs and the text with the stored keys. */
export function sortChoice(
  node: Texts,
  stored: readonly string[],
  onChange: () => void,
): SortChoice {
  const text = $('#ion-runs-sort-text').val(stored.join(' ')).on('change keyup', onChange);
  const keys = $('#ion-runs-sort-keys');
  let values: string[] | undefined;

  const chosen = () =>
    keys
      .find('select')
      .toArray()
      .map((select) => String($(select).val()))
      .filter(Boolean);
  const show = (sort: string[]) => {
    keys.empty();
    for (const [index, key] of [...sort, ''].entries()) {
      const select = keySelect(node, index, [...new Set([...(values ?? []), ...sort])]).val(key);
      select.on('change', () => {
        const isLast = index === sort.length;
        show(chosen());
        // The drop-downs are new, so the changed one needs the focus again.
        keys.find('select').eq(index).trigger('focus');
        if (isLast) RED.tray.resize();
        onChange();
      });
      keys.append(select);
    }
  };

  const read = () => (values ? chosen() : parseList(text.val()));
  return {
    read,
    offer(schema) {
      const sort = read();
      values = schema && enumValues(schema, 'RunSortEnum');
      text.val(sort.join(' '));
      text.toggle(values === undefined);
      keys.toggle(values !== undefined);
      show(sort);
    },
  };
}

function keySelect(node: Texts, index: number, values: string[]): JQuery {
  const none = node._(`ion-runs.sort.${index === 0 ? 'none' : 'next'}`);
  return $('<select class="ion-runs-sort">')
    .attr('aria-label', node._('ion-runs.label.sort'))
    .append($('<option>').val('').text(none))
    .append(values.map((value) => $('<option>').val(value).text(value)));
}
