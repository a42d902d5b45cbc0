import { defaultFields, filterOperators } from '../client/run-fields.js';
import { labels } from './labels.js';
import { numberFrom, output } from './validators.js';

interface FilterRow {
  field: string;
  op: string;
  value: string;
  valueType: string;
}

const label = labels('ion-runs');
const NAMES = /^[_A-Za-z][\w.]*$/;

RED.nodes.registerType('ion-runs', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-runs.svg',
  inputs: 1,
  outputs: 1,
  paletteLabel: 'ion runs',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    filters: { label: label('filters'), value: [], validate: filters },
    fields: { label: label('fields'), value: [...defaultFields], validate: names },
    sort: { label: label('sort'), value: [], validate: names },
    mode: { label: label('mode'), value: 'array' },
    pageSize: { label: label('pageSize'), value: 100, validate: numberFrom(1) },
    limit: { label: label('limit'), value: 0, validate: numberFrom(0) },
    changes: { label: label('changes'), value: false },
    changesFrom: { label: label('changesFrom'), value: 'beginning' },
    output: { label: label('output'), value: 'payload', validate: output },
  },
  label() {
    return this.name || 'ion runs';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    const list = $('#ion-runs-filters').editableList<FilterRow>({
      addItem: (container, _index, row) => addFilterRow(this, container, row),
      removable: true,
      sortable: true,
      height: 160,
    });
    for (const row of (this.filters as FilterRow[] | undefined) ?? []) {
      list.editableList('addItem', row);
    }
    $('#ion-runs-field-list').val(((this.fields as string[] | undefined) ?? []).join(' '));
    $('#ion-runs-sort-list').val(((this.sort as string[] | undefined) ?? []).join(' '));
    $('#node-input-output').typedInput({ types: ['msg'] });
    const changes = $('#node-input-changes');
    changes.on('change', () => {
      const isOn = changes.is(':checked');
      $('.ion-runs-changes').toggle(isOn);
      // All changes are delivered: a limit would lose some.
      $('.ion-runs-limit').toggle(!isOn);
      RED.tray.resize();
    });
    changes.trigger('change');
  },
  oneditsave() {
    this.filters = $('#ion-runs-filters')
      .editableList('items')
      .toArray()
      .map((element) => readFilterRow($(element)));
    this.fields = words('#ion-runs-field-list');
    this.sort = words('#ion-runs-sort-list');
  },
});

function addFilterRow(node: EditedNode, container: JQuery, row: Partial<FilterRow>): void {
  const field = $('<input type="text" class="ion-runs-field" style="width:35%">')
    .attr('placeholder', node._('ion-runs.placeholder.field'))
    .attr('aria-label', node._('ion-runs.label.field'))
    .val(row.field ?? '');
  const op = $('<select class="ion-runs-op" style="width:20%;margin:0 6px">')
    .attr('aria-label', node._('ion-runs.label.operator'))
    .append(
      filterOperators.map((name) =>
        $('<option>')
          .val(name)
          .text(node._(`ion-runs.op.${name}`)),
      ),
    )
    .val(row.op ?? 'eq');
  const value = $('<input type="text" class="ion-runs-value" style="width:calc(45% - 16px)">');
  container.append(field, op, value);
  value.typedInput({
    default: 'str',
    types: ['str', 'num', 'bool', 'msg', 'flow', 'global', 'jsonata', 'env', 'json'],
  });
  value.typedInput('type', row.valueType ?? 'str');
  value.typedInput('value', row.value ?? '');
}

function readFilterRow(container: JQuery): FilterRow {
  const value = container.find('.ion-runs-value');
  return {
    field: String(container.find('.ion-runs-field').val()).trim(),
    op: String(container.find('.ion-runs-op').val()),
    value: value.typedInput('value'),
    valueType: value.typedInput('type'),
  };
}

function words(selector: string): string[] {
  return String($(selector).val())
    .split(/[\s,]+/)
    .filter(Boolean);
}

function names(value: string[], { label = '' }: ValidatorOptions): Validation {
  const wrong = value.find((name) => !NAMES.test(name));
  return wrong === undefined || invalid('name', { label, name: wrong });
}

function filters(value: FilterRow[], _options: ValidatorOptions): Validation {
  const wrong = value.find(({ field }) => !NAMES.test(field));
  return wrong === undefined || invalid('filter', { name: wrong.field });
}

function invalid(key: string, values: Record<string, string>): string {
  return RED._(`@ion-nodes/node-red-ion/ion-runs:ion-runs.invalid.${key}`, values);
}
