import { lookupNumbers } from '../client/settings.js';
import { lookupMigrations } from '../migrations/ion-lookup.js';
import { currentVersion } from '../migrations/migrate.js';
import { prepareTry, type Try } from './lookup/try-button.js';
import * as valid from './lookup/validators.js';
import { valueLabel } from './lookup/value-label.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { nameTypedInput } from './shared/name-typed-input.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { setOpenNode } from './shared/open-node.js';
import { preselectConfig } from './shared/preselect-config.js';
import { oneOf } from './shared/validators.js';

const label = labels('ion-lookup');
const TYPES = ['msg', 'flow', 'global', 'str', 'num', 'jsonata', 'env'];
const TYPED = ['value', 'part', 'step'] as const;

/** The trial of the open dialog. */
let trial: Try | undefined;

RED.nodes.registerType('ion-lookup', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-lookup.svg',
  inputs: 1,
  outputs: 2,
  paletteLabel: 'ion lookup',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    by: {
      label: label('by'),
      value: 'barcode',
      validate: oneOf('barcode', 'serial', 'run', 'location'),
    },
    value: { label: label('value'), value: 'payload', validate: valid.value },
    valueType: { value: 'msg' },
    part: { label: label('part'), value: '', validate: valid.part },
    partType: { value: 'str' },
    step: { label: label('step'), value: '', validate: valid.step },
    stepType: { value: 'str' },
    fields: { label: label('fields'), value: true },
    ...numberProperties('ion-lookup', lookupNumbers),
    output: { label: label('output'), value: 'work', validate: valid.output },
    version: { value: currentVersion(lookupMigrations) },
  },
  label() {
    return this.name || 'ion lookup';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    return this._(`ion-lookup.port.${index === 0 ? 'found' : 'notFound'}`);
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, lookupMigrations);
    setOpenNode(this);
    prepareNumbers(this, lookupNumbers);
    for (const property of TYPED) {
      const input = $(`#node-input-${property}`);
      input.typedInput({ types: TYPES, typeField: `#node-input-${property}Type` });
      nameTypedInput(input, label(property));
    }
    const output = $('#node-input-output').typedInput({ types: ['msg'] });
    nameTypedInput(output, label('output'));
    trial = prepareTry(this);
    const by = $('#node-input-by');
    by.on('change', () => {
      const name = valueLabel(String(by.val() ?? ''));
      $('#ion-lookup-value-label').text(name);
      nameTypedInput($('#node-input-value'), name);
      $('.ion-lookup-part').toggle(by.val() === 'serial');
      RED.tray.resize();
    });
    by.trigger('change');
  },
  oneditsave: closeDialog,
  oneditcancel() {
    restoreNode(this);
    closeDialog();
  },
});

function closeDialog(): void {
  trial?.cancel();
  trial = undefined;
  setOpenNode(undefined);
}
