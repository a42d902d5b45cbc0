import { defaultFields, runs } from '../client/lists/resources.js';
import { pageNumbers } from '../client/settings.js';
import { runsMigrations } from '../migrations/ion-runs.js';
import { currentVersion } from '../migrations/migrate.js';
import type { FilterRow } from '../shared/filter-row.js';
import { type FieldChoice, fieldChoice } from './query-builder/field-choice.js';
import { type FilterList, filterList } from './query-builder/filter-list.js';
import { followSchema, loadedListSchema } from './query-builder/follow-schema.js';
import { listSchema } from './query-builder/list-schema.js';
import { validFilters, validNames } from './query-builder/validators.js';
import type { RunsPreview } from './runs/bundle.js';
import { type SortChoice, sortChoice } from './runs/sort-choice.js';
import { labels } from './shared/labels.js';
import { bundleLoader } from './shared/load-bundle.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { nameTypedInput } from './shared/name-typed-input.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { preparePageSize } from './shared/page-size.js';
import { preselectConfig } from './shared/preselect-config.js';
import { oneOf, optional, output } from './shared/validators.js';

const label = labels('ion-runs');
const loadPreview = bundleLoader('runs-preview.js', () => window.ionRunsPreview);
/** The parts of the open dialog. */
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
    filters: { label: label('filters'), value: [], validate: validRunFilters },
    fields: { label: label('fields'), value: [...defaultFields], validate: validNames },
    sort: { label: label('sort'), value: [], validate: validNames },
    mode: { label: label('mode'), value: 'array', validate: oneOf('array', 'each', 'page') },
    shape: { label: label('shape'), value: 'nested', validate: optional(oneOf('nested', 'rows')) },
    ...numberProperties('ion-runs', pageNumbers),
    changes: { label: label('changes'), value: false },
    changesFrom: {
      label: label('changesFrom'),
      value: 'beginning',
      validate: oneOf('beginning', 'now'),
    },
    output: { label: label('output'), value: 'payload', validate: output },
    version: { value: currentVersion(runsMigrations) },
  },
  label() {
    return this.name || 'ion runs';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels() {
    const kind = this.shape === 'rows' ? 'rowsPort' : 'port';
    return this._(`ion-runs.${kind}.${this.mode}`);
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, runsMigrations);
    prepareNumbers(this, pageNumbers);
    preparePageSize(this, 'ion-runs');
    // Loaded when the other parts exist, so that it shows no half-filled dialog.
    let shown: ReturnType<RunsPreview['preview']> | undefined;
    const onChange = () => {
      shown?.update();
      showColumns(this);
    };
    const list = (property: string) => (this[property] ?? []) as string[];
    const parts = {
      filters: filterList((this.filters ?? []) as FilterRow[], { onChange }),
      fields: fieldChoice(list('fields'), { defaults: () => defaultFields, onChange }),
      sort: sortChoice(this, list('sort'), onChange),
    };
    dialog = parts;
    loadPreview().then(
      ({ preview }) => {
        if (dialog !== parts) return;
        shown = preview(this, () => read(parts));
        shown.update();
      },
      // The node can still be edited; the query stays empty.
      () => {},
    );
    followSchema(this, (introspection) => {
      const schema = introspection && listSchema(introspection, runs);
      for (const part of Object.values(parts)) part.offer(schema);
      onChange();
    });
    const shape = $('#node-input-shape');
    shape.on('change', () => {
      nameModes(this, shape.val() === 'rows' ? 'rowsMode' : 'mode');
      showColumns(this);
    });
    shape.trigger('change');
    $('#node-input-output').typedInput({ types: ['msg'] });
    nameTypedInput($('#node-input-output'), label('output'));
    const changes = $('#node-input-changes');
    changes.on('change', () => {
      const isOn = changes.is(':checked');
      $('.ion-runs-changes').toggle(isOn);
      // A limit would lose changes, so none applies.
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
    restoreNode(this);
    dialog = undefined;
  },
});

function validRunFilters(
  this: EditedNode,
  value: FilterRow[],
  _options: ValidatorOptions,
): Validation {
  return validFilters(value, loadedListSchema(this, runs));
}

/** The choices of the output count runs or rows. */
function nameModes(node: Texts, key: 'mode' | 'rowsMode'): void {
  $('#node-input-mode option').each((_index, option) => {
    const text = `ion-runs.${key}.${$(option).val()}`;
    // The editor translates the dialog once more after it was prepared.
    $(option).attr('data-i18n', `@ion-nodes/node-red-ion/ion-runs:${text}`).text(node._(text));
  });
}

/** Flat rows have a column for each field, in the order in which the fields were selected. */
function showColumns(node: Texts): void {
  const fields = dialog?.fields.read() ?? [];
  const columns = (fields.length > 0 ? fields : defaultFields).join(', ');
  const isShown = $('#node-input-shape').val() === 'rows';
  $('#ion-runs-columns')
    .toggle(isShown)
    .text(isShown ? node._('ion-runs.columns', { columns }) : '');
  RED.tray.resize();
}

function read({ filters, fields, sort }: NonNullable<typeof dialog>) {
  return { filters: filters.read(), fields: fields.read(), sort: sort.read() };
}
