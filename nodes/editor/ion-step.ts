import { stepMigrations } from '../migrations/ion-step.js';
import { currentVersion } from '../migrations/migrate.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { nameTypedInput } from './shared/name-typed-input.js';
import { currentValue, setOpenNode } from './shared/open-node.js';
import { preselectConfig } from './shared/preselect-config.js';
import { oneOf, output } from './shared/validators.js';
import { addTargetButton } from './step/target-button.js';

type Action = 'field' | 'status' | 'file';
type TypedProperty = 'run' | 'step' | 'field' | 'filename';

const label = labels('ion-step');

const TYPED: readonly TypedProperty[] = ['run', 'step', 'field', 'filename'];
const REFERENCE_TYPES = ['msg', 'flow', 'global', 'str', 'num', 'jsonata', 'env'];
/** A status from the list. It is stored as `str`, as if it had been typed. */
const LISTED = 'listed';
const STATUSES = ['TODO', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'HOLD', 'CANCELED', 'REDLINE'];
const VALUE_TYPES: Record<Action, string[]> = {
  field: ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'date', 'jsonata', 'env'],
  status: [LISTED, 'msg', 'flow', 'global', 'str', 'jsonata', 'env'],
  file: ['msg', 'flow', 'global', 'str', 'bin', 'jsonata', 'env', 'path'],
};
/** The label of the value. */
const VALUE_LABELS: Record<Action, string> = { field: 'value', status: 'status', file: 'content' };
/** Types whose value cannot be an object with the values of several fields. */
const SINGLE_VALUES = ['str', 'num', 'bool', 'date'];

RED.nodes.registerType('ion-step', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-step.svg',
  inputs: 1,
  outputs: 1,
  paletteLabel: 'ion step',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    action: { label: label('action'), value: 'field', validate: oneOf('field', 'status', 'file') },
    run: { label: label('run'), value: 'run', validate: validReference('run') },
    runType: { value: 'msg' },
    step: { label: label('step'), value: 'step', validate: validReference('step') },
    stepType: { value: 'msg' },
    field: { label: label('field'), value: 'field', validate: validReference('field') },
    fieldType: { value: 'msg' },
    value: { label: label('value'), value: 'payload', validate: validValue },
    valueType: { value: 'msg' },
    filename: { label: label('filename'), value: 'filename', validate: validReference('filename') },
    filenameType: { value: 'msg' },
    onConflict: { label: label('onConflict'), value: 'retry', validate: oneOf('retry', 'fail') },
    delivery: { label: label('delivery'), value: 'direct', validate: oneOf('direct', 'outbox') },
    keep: { label: label('keep'), value: 'all', validate: oneOf('all', 'latest') },
    output: { label: label('output'), value: 'payload', validate: output },
    startStep: { label: label('startStep'), value: false },
    outputs: { value: 1 },
    version: { value: currentVersion(stepMigrations) },
  },
  label() {
    return this.name || 'ion step';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    const outcome = index === 0 ? 'delivered' : 'rejected';
    return this._(`ion-step.port.${this.delivery === 'outbox' ? outcome : 'written'}`);
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, stepMigrations);
    setOpenNode(this);
    $('#dialog-form').addClass('ion-step-form');
    // A hand-written node may leave it out.
    if (!this.action) $('#node-input-action').val('field');
    for (const property of TYPED) {
      const input = $(`#node-input-${property}`);
      input.typedInput({ types: REFERENCE_TYPES, typeField: `#node-input-${property}Type` });
      nameTypedInput(input, label(property));
      if (property !== 'filename') addTargetButton(this, property);
    }
    prepareValue(this);
    const result = $('#node-input-output').typedInput({ types: ['msg'] });
    nameTypedInput(result, label('output'));
    const delivery = $('#node-input-delivery').on('change', showRows);
    $('#node-input-action').on('change', showRows);
    delivery.trigger('change');
  },
  oneditsave() {
    const valueType = $('#node-input-valueType');
    if (valueType.val() === LISTED) valueType.val('str');
    this.outputs = $('#node-input-delivery').val() === 'outbox' ? 2 : 1;
    setOpenNode(undefined);
  },
  oneditcancel() {
    restoreNode(this);
    setOpenNode(undefined);
  },
});

/** Prepares the value, whose types depend on the action. */
function prepareValue(node: EditedNode): void {
  const action = $('#node-input-action');
  const chosen = () => action.val() as Action;
  const input = $('#node-input-value');
  const valueType = $('#node-input-valueType');
  const isListed = chosen() === 'status' && STATUSES.includes(String(node.value));
  if (isListed && valueType.val() === 'str') valueType.val(LISTED);
  input.typedInput({ types: valueTypes(node, chosen()), typeField: valueType });
  const showLabels = () => {
    const isPath = chosen() === 'file' && input.typedInput('type') === 'path';
    const property = isPath ? 'path' : 'filename';
    $('#ion-step-value-label').text(node._(`ion-step.label.${VALUE_LABELS[chosen()]}`));
    $('#ion-step-filename-label').text(node._(`ion-step.label.${property}`));
    nameTypedInput(input, label(VALUE_LABELS[chosen()]));
    nameTypedInput($('#node-input-filename'), label(property));
  };
  action.on('change', () => {
    const before = input.typedInput('type');
    input.typedInput('types', valueTypes(node, chosen()));
    // The old value has no meaning for this action.
    if (input.typedInput('type') !== before) {
      input.typedInput('type', 'msg');
      input.typedInput('value', 'payload');
    }
    showLabels();
  });
  input.on('change', showLabels);
  showLabels();
}

function valueTypes(node: EditedNode, action: Action): (string | TypedInputType)[] {
  return VALUE_TYPES[action].map((type) => {
    const text = () => node._(`ion-step.value.${type}`);
    if (type === 'path') return { value: type, label: text(), hasValue: false };
    if (type !== LISTED) return type;
    const options = STATUSES.map((status) => ({ value: status, label: status }));
    return { value: type, label: text(), icon: 'fa fa-list-ul', options };
  });
}

function showRows(): void {
  const action = $('#node-input-action').val();
  $('.ion-step-field').toggle(action === 'field');
  $('.ion-step-file').toggle(action === 'file');
  // Each attachment is new, so it cannot conflict with another or replace one.
  $('.ion-step-conflict').toggle(action !== 'file');
  $('.ion-step-keep').toggle(action !== 'file' && $('#node-input-delivery').val() === 'outbox');
  RED.tray.resize();
}

/** A reference to a run, step or field, or a file name, if the action needs it. */
function validReference(property: TypedProperty) {
  return function (this: EditedNode, value: unknown, options: ValidatorOptions): Validation {
    const action = currentValue(this, 'action');
    if (property === 'field' && action !== 'field') return true;
    if (property === 'filename' && action !== 'file') return true;
    const text = String(value ?? '');
    if (text === '') return isOptional(this, property) || missing(options);
    return RED.utils.validateTypedProperty(text, currentValue(this, `${property}Type`), options);
  };
}

function isOptional(node: EditedNode, property: TypedProperty): boolean {
  switch (property) {
    case 'run':
      return true;
    case 'step':
      // The ID of a field is enough.
      return currentValue(node, 'action') === 'field' && currentValue(node, 'field') !== '';
    case 'field':
      return !SINGLE_VALUES.includes(currentValue(node, 'valueType'));
    case 'filename':
      return false;
  }
}

function validValue(this: EditedNode, value: unknown, _options: ValidatorOptions): Validation {
  const action = currentValue(this, 'action') as Action;
  const type = currentValue(this, 'valueType');
  const options = { label: label(VALUE_LABELS[action] ?? 'value') };
  if (['path', 'date'].includes(type)) return true;
  const text = String(value ?? '');
  const isText = type === 'str' && action !== 'status';
  if (text.trim() === '' && !isText) return missing(options);
  return RED.utils.validateTypedProperty(text, type, options);
}

function missing({ label = '' }: ValidatorOptions): string {
  return RED._('@ion-nodes/node-red-ion/ion-step:ion-step.invalid.missing', { label });
}
