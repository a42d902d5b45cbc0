// The order of runs: a field and a direction for each key and a field for the next, or a plain text.
import type { ListSchema } from '../query-builder/list-schema.js';
import { parseList } from '../shared/parse-list.js';
import { type SortField, sortFields } from './sort-fields.js';

export interface SortChoice {
  read(): string[];
  /** Offers the fields of this schema; without one, the text. */
  offer(schema: ListSchema | undefined): void;
}

/** Prepares the drop-downs and the text with the stored keys. */
export function sortChoice(
  node: Texts,
  stored: readonly string[],
  onChange: () => void,
): SortChoice {
  const text = $('#ion-runs-sort-text').val(stored.join(' ')).on('change keyup', onChange);
  const rows = $('#ion-runs-sort-keys');
  let fields: SortField[] | undefined;
  /** Values of `RunSortEnum`, also those that the schema does not have. */
  let keys = [...stored];

  const fieldOf = (key: string): SortField =>
    fields?.find(({ directions }) => directions.some(({ value }) => value === key)) ?? {
      name: key,
      directions: [{ value: key, direction: 'ascending' }],
    };
  const change = (index: number, key: string, selector: string) => {
    const count = keys.length;
    keys.splice(index, 1, ...(key ? [key] : []));
    show();
    // The drop-downs are new, so the changed one needs the focus again.
    rows.children().eq(index).find(selector).trigger('focus');
    if (keys.length !== count) RED.tray.resize();
    onChange();
  };
  const show = () => {
    rows.empty();
    for (const [index, key] of [...keys, ''].entries()) {
      const used = keys.filter((_key, at) => at !== index).map((other) => fieldOf(other).name);
      const own = key ? [fieldOf(key)] : [];
      const free = (fields ?? []).filter(({ name }) => !used.includes(name));
      const offered = new Map([...free, ...own].map((field) => [field.name, field]));
      const field = fieldSelect(node, index, [...offered.keys()]).val(own[0]?.name ?? '');
      field.on('change', () => {
        const [first] = offered.get(String(field.val()))?.directions ?? [];
        change(index, first?.value ?? '', '.ion-runs-sort-field');
      });
      const row = $('<div>').append(field).appendTo(rows);
      if (!own[0] || own[0].directions.length < 2) continue;
      const direction = directionSelect(node, own[0]).val(key);
      direction.on('change', () =>
        change(index, String(direction.val()), '.ion-runs-sort-direction'),
      );
      row.append(direction);
    }
  };

  const read = () => (fields ? [...keys] : parseList(text.val()));
  return {
    read,
    offer(schema) {
      keys = read();
      fields = schema && sortFields(schema);
      text.val(keys.join(' '));
      text.toggle(fields === undefined);
      rows.toggle(fields !== undefined);
      show();
    },
  };
}

function fieldSelect(node: Texts, index: number, names: string[]): JQuery {
  const isFirst = index === 0;
  const label = isFirst ? 'ion-runs.label.sort' : 'ion-runs.sort.next';
  return $('<select class="ion-runs-sort-field">')
    .attr('aria-label', node._(label))
    .append(
      $('<option>')
        .val('')
        .text(node._(`ion-runs.sort.${isFirst ? 'none' : 'next'}`)),
    )
    .append(names.map((name) => $('<option>').val(name).text(name)));
}

function directionSelect(node: Texts, { name, directions }: SortField): JQuery {
  return $('<select class="ion-runs-sort-direction">')
    .attr('aria-label', node._('ion-runs.sort.directionOf', { field: name }))
    .append(
      directions.map(({ value, direction }) =>
        $('<option>')
          .val(value)
          .text(node._(`ion-runs.sort.${direction}`)),
      ),
    );
}
