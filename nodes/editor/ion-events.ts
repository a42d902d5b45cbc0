import { resourceNamed } from '../client/lists/resources.js';
import { eventsNumbers } from '../client/settings.js';
import { lacksRoot, pointsToThisMachine } from '../client/webhooks/public-url.js';
import { eventsMigrations } from '../migrations/ion-events.js';
import { currentVersion } from '../migrations/migrate.js';
import type { FilterRow } from '../shared/filter-row.js';
import { actionChoice } from './events/action-choice.js';
import { type Address, addressesOf, pathOf } from './events/path.js';
import { type ResourceChoice, resourceChoice } from './events/resource-choice.js';
import { initHasSecret, prepareSecret } from './events/secret.js';
import {
  validActions,
  validEventFields,
  validEventFilters,
  validHeader,
  validInterval,
  validPath,
  validPublicUrl,
  validResource,
  validResponseCode,
  validSecret,
} from './events/validators.js';
import { type FieldChoice, fieldChoice } from './query-builder/field-choice.js';
import { type FilterList, filterList } from './query-builder/filter-list.js';
import { followSchema } from './query-builder/follow-schema.js';
import { listSchema } from './query-builder/list-schema.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { currentValue, isChecked, setOpenNode } from './shared/open-node.js';
import { preselectConfig } from './shared/preselect-config.js';
import type { Introspection } from './shared/schema.js';
import { oneOf } from './shared/validators.js';
import { isInSubflow } from './subflows/instances.js';

const label = labels('ion-events');
const numbers = numberProperties('ion-events', eventsNumbers);

/** The sources of a filter's value: not a message, because the node has no input. */
const SOURCES = ['flow', 'global', 'jsonata', 'env', 'json'];

/** The parts of the open dialog. */
let dialog:
  | {
      actions: { read(): string[] };
      filters: FilterList;
      fields: FieldChoice;
      changedFields: FieldChoice;
    }
  | undefined;

RED.nodes.registerType('ion-events', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-events.svg',
  inputs: 0,
  outputs: 1,
  paletteLabel: 'ion events',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    via: { label: label('via'), value: 'poll', validate: oneOf('poll', 'webhook') },
    resource: { label: label('resource'), value: 'RUN_STEPS', validate: validResource },
    actions: { label: label('actions'), value: ['CREATE', 'UPDATE'], validate: validActions },
    filters: { label: label('filters'), value: [], validate: validEventFilters },
    fields: { label: label('fields'), value: [], validate: validEventFields },
    changedFields: { label: label('changedFields'), value: [], validate: validEventFields },
    interval: { ...numbers.interval, validate: validInterval },
    path: { label: label('path'), value: '', validate: validPath },
    signatureHeader: {
      label: label('signatureHeader'),
      value: 'x-ion-signature',
      validate: validHeader,
    },
    expectedResponseCode: { ...numbers.expectedResponseCode, validate: validResponseCode },
    verify: { label: label('verify'), value: true, validate: validSecret },
    register: { value: false },
    publicUrl: { label: label('publicUrl'), value: '', validate: validPublicUrl },
    version: { value: currentVersion(eventsMigrations) },
  },
  credentials: { secret: { type: 'password', label: label('secret'), validate: validSecret } },
  label() {
    return this.name || 'ion events';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels() {
    return this._('ion-events.port');
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, eventsMigrations);
    setOpenNode(this);
    initHasSecret(this);
    // A hand-written node may leave it out.
    if (this.resource === undefined) $('#node-input-resource').val('RUN_STEPS');
    prepareNumbers(this, eventsNumbers);
    const list = (property: string) => (this[property] ?? []) as string[];
    const filters = filterList((this.filters ?? []) as FilterRow[], { sources: SOURCES });
    const fields = fieldChoice(list('fields'), { defaults: () => defaultFields(this) });
    // The chosen fields may be out of sight in the tree.
    const showChanged = (chosen: readonly string[]) => {
      const key = chosen.length > 0 ? 'some' : 'none';
      const text = this._(`ion-events.changedHint.${key}`, { fields: chosen.join(' ') });
      $('#ion-events-changed-hint').text(text);
    };
    const changedFields = fieldChoice(
      list('changedFields'),
      { onChange: () => showChanged(changedFields.read()) },
      'ion-events-changed',
    );
    showChanged(changedFields.read());
    dialog = { actions: actionChoice(list('actions')), filters, fields, changedFields };

    let introspection: Introspection | undefined;
    const offer = () => {
      const resource = resourceNamed(currentValue(this, 'resource'));
      const schema = introspection && resource && listSchema(introspection, resource);
      filters.offer(schema);
      fields.offer(schema);
      changedFields.offer(schema);
      showRows(this, resources);
    };
    const resources = resourceChoice(offer);
    followSchema(this, (loaded) => {
      introspection = loaded;
      resources.offer(introspection);
      offer();
    });
    prepareSecret(this);
    $('#node-input-path').attr('placeholder', isInSubflow(this.z) ? '/ion/…' : pathOf(this, ''));
    $('#node-input-via').on('change', offer);
    $('#node-input-verify, #node-input-register').on('change', () => showRows(this, resources));
    $('#node-input-path, #node-input-publicUrl').on('change keyup', () => showAddress(this));
    showRows(this, resources);
  },
  oneditsave() {
    if (dialog) {
      const { actions, filters, fields, changedFields } = dialog;
      this.actions = actions.read();
      this.filters = filters.read();
      this.fields = fields.read();
      this.changedFields = changedFields.read();
    }
    endDialog();
  },
  oneditcancel() {
    restoreNode(this);
    endDialog();
  },
});

function endDialog(): void {
  dialog = undefined;
  setOpenNode(undefined);
}

/** The fields that the node reads if none is chosen. A webhook then sends ION's event. */
function defaultFields(node: EditedNode): readonly string[] {
  if (currentValue(node, 'via') === 'webhook') return [];
  return resourceNamed(currentValue(node, 'resource'))?.fields ?? [];
}

/** Shows the rows that the source needs. */
function showRows(node: EditedNode, resources: ResourceChoice): void {
  const isWebhook = currentValue(node, 'via') === 'webhook';
  const resource = currentValue(node, 'resource');
  const readable = resourceNamed(resource);
  resources.show(isWebhook);
  $('.ion-events-poll').toggle(!isWebhook);
  $('.ion-events-webhook').toggle(isWebhook);
  $('.ion-events-unsigned').toggle(isWebhook && !isChecked(node, 'verify'));
  $('.ion-events-public').toggle(isWebhook && isChecked(node, 'register'));
  // A generated secret stays visible: it cannot be shown again.
  $('.ion-events-new-secret').toggle(isWebhook && $('#ion-events-secret-shown').val() !== '');
  const hint = isWebhook ? 'webhook' : 'poll';
  $('#ion-events-fields-hint').text(
    readable
      ? node._(`ion-events.fieldsHint.${hint}`, { fields: readable.fields.join(' ') })
      : node._('ion-events.fieldsHint.none', { name: resource }),
  );
  showAddress(node);
  RED.tray.resize();
}

function showAddress(node: EditedNode): void {
  const { httpNodeRoot: root } = RED.settings;
  const publicUrl = isChecked(node, 'register') ? currentValue(node, 'publicUrl') : '';
  const addresses = addressesOf(node, currentValue(node, 'path'), publicUrl);
  const note = $('#ion-events-address').empty();
  if (root === false) note.text(node._('ion-events.address.noHttp'));
  else if (addresses.length === 0) note.text(node._('ion-events.address.noInstance'));
  else note.append(addresses.map(addressLine));
  const isRootMissing = publicUrl !== '' && lacksRoot(publicUrl, root);
  const key = isRootMissing ? 'noRoot' : pointsToThisMachine(publicUrl) ? 'thisMachine' : '';
  $('.ion-events-public-warning').toggle(key !== '');
  $('#ion-events-public-warning').text(
    key && node._(`ion-events.warning.${key}`, { root: root || '' }),
  );
}

function addressLine({ instance, url }: Address): JQuery {
  const line = $('<div>').text(url);
  return instance === '' ? line : line.prepend($('<span>').text(`${instance}: `));
}
