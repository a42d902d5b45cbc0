import { defaultFields, runs } from '../client/lists/resources.js';
import { pageNumbers } from '../client/settings.js';
import { type FieldChoice, fieldChoice } from './query-builder/fields.js';
import { type FilterList, type FilterRow, filterList } from './query-builder/filters.js';
import { typesOf } from './query-builder/list-schema.js';
import { followSchema } from './query-builder/schema-state.js';
import { type SortChoice, sortChoice } from './query-builder/sort.js';
import { filters, names } from './query-builder/validators.js';
import { preview } from './runs/preview.js';
import { labels } from './shared/labels.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { oneOf, output } from './shared/validators.js';

const label = labels('ion-runs');
/** What belongs to the open dialog. */
let dialog: { filters: FilterList; fields: FieldChoice; sort: SortChoice } | undefined;

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
    mode: { label: label('mode'), value: 'array', validate: oneOf('array', 'each', 'page') },
    ...numberProperties('ion-runs', pageNumbers),
    changes: { label: label('changes'), value: false },
    changesFrom: {
      label: label('changesFrom'),
      value: 'beginning',
      validate: oneOf('beginning', 'now'),
    },
    output: { label: label('output'), value: 'payload', validate: output },
  },
  label() {
    return this.name || 'ion runs';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels() {
    return this._(`ion-runs.port.${this.mode}`);
  },
  oneditprepare() {
    prepareNumbers(this, pageNumbers);
    // Made last, so that nothing is shown of a dialog that is still being filled.
    let shown: ReturnType<typeof preview> | undefined;
    const list = (property: string) => (this[property] ?? []) as string[];
    const choice = {
      filters: filterList(this, (this.filters ?? []) as FilterRow[], () => shown?.update()),
      fields: fieldChoice(this, list('fields'), () => shown?.update()),
      sort: sortChoice(this, list('sort'), () => shown?.update()),
    };
    dialog = choice;
    shown = preview(this, () => read(choice));
    followSchema(this, (schema) => {
      const types = schema && typesOf(schema, runs);
      for (const part of Object.values(choice)) part.offer(types);
      shown?.update();
    });
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
    if (dialog) Object.assign(this, read(dialog));
    dialog = undefined;
  },
  oneditcancel() {
    dialog = undefined;
  },
});

function read({ filters, fields, sort }: NonNullable<typeof dialog>) {
  return { filters: filters.read(), fields: fields.read(), sort: sort.read() };
}
