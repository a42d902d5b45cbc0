import { environments, resolveEndpoints } from '../client/auth/environments.js';
import { configNumbers } from '../client/settings.js';
import { referenceInUrl } from '../client/support/references.js';
import { configMigrations } from '../migrations/ion-config.js';
import { currentVersion } from '../migrations/migrate.js';
import { prepareCheck } from './config/check-button.js';
import { prepareConnectionTest } from './config/connection-test.js';
import { prepareOutbox } from './config/outbox.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { currentValue, isChecked, setOpenNode } from './shared/open-node.js';
import {
  noReference,
  oneOf,
  optional,
  partOfVariable,
  timeZone,
  writesPerRequest,
} from './shared/validators.js';
import { addSidebarTab } from './sidebar/tab.js';
import { instanceChoice } from './subflows/instance-choice.js';
import { runningConfigs } from './subflows/running-configs.js';

const label = labels('ion-config');

const mode = oneOf('live', 'dryRun');
const numbers = numberProperties('ion-config', configNumbers);
const { timeout, retries, concurrency, queueLimit, outboxLimit, outboxSize } = numbers;
const { healthAge, healthRejected } = numbers;

/** The rarely used properties and their defaults. */
const ADVANCED = {
  authScheme: 'auto',
  audience: '',
  timeout: timeout.value,
  retries: retries.value,
  concurrency: concurrency.value,
  queueLimit: queueLimit.value,
  timeZone: '',
  tls: '',
  proxy: '',
  trace: false,
};
const OUTBOX = {
  writesPerRequest: 'auto',
  outboxLimit: outboxLimit.value,
  outboxSize: outboxSize.value,
};
const MONITORING = {
  audit: false,
  healthAge: healthAge.value,
  healthRejected: healthRejected.value,
};

/** The parts of the open dialog that send requests to the server. */
let requesting: { cancel(): void }[] = [];

RED.nodes.registerType('ion-config', {
  category: 'config',
  defaults: {
    name: { value: '' },
    environment: { label: label('environment'), value: 'production', required: true },
    mode: { label: label('mode'), value: 'live', validate: optional(mode) },
    apiUrl: { label: label('apiUrl'), value: '', validate: customUrl('apiUrl') },
    authUrl: { label: label('authUrl'), value: '', validate: customUrl('authUrl') },
    audience: { label: label('audience'), value: '', validate: noReference },
    authScheme: { label: label('authScheme'), value: 'auto' },
    ...numbers,
    writesPerRequest: {
      label: label('writesPerRequest'),
      value: 'auto',
      validate: writesPerRequest,
    },
    timeZone: { label: label('timeZone'), value: '', validate: timeZone },
    tls: { label: label('tls'), value: '', type: 'tls-config', required: false },
    proxy: { label: label('proxy'), value: '', type: 'http proxy', required: false },
    allowHttp: { label: label('allowHttp'), value: false },
    trace: { label: label('trace'), value: false },
    audit: { label: label('audit'), value: false },
    version: { value: currentVersion(configMigrations) },
  },
  credentials: {
    clientId: { type: 'text' },
    clientSecret: { type: 'password' },
  },
  label() {
    const name = this.name || `ION ${this._(`ion-config.environment.${this.environment}`)}`;
    return this.mode === 'dryRun' ? `${name} · ${this._('ion-config.mode.mark')}` : name;
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    migrateNode(this, configMigrations, 'node-config-input');
    setOpenNode(this, 'node-config-input');
    const environment = $('#node-config-input-environment');
    environment.on('change', () => {
      const chosen = String(environment.val());
      $('.ion-config-custom').toggle(chosen === 'custom');
      $('.ion-config-urls').toggle(chosen !== 'custom');
      const { apiUrl, authUrl } = environments[chosen as keyof typeof environments] ?? {};
      $('#ion-config-api-url').text(apiUrl ?? '');
      $('#ion-config-auth-url').text(authUrl ?? '');
      RED.tray.resize();
    });
    environment.trigger('change');
    prepareNumbers(this, configNumbers, 'node-config-input');
    offerTimeZones();
    openIfChanged('#ion-config-advanced', ADVANCED);
    openIfChanged('#ion-config-outbox', OUTBOX);
    openIfChanged('#ion-config-monitoring', MONITORING);
    const secret = $('.ion-config-secret');
    const changed = () => outbox.reload();
    const instance = instanceChoice('ion-config-instance', secret, changed, '60%');
    instance.offer(runningConfigs(this.id, this.z));
    // If no instance runs, the test uses only the values in the dialog.
    const idOf = () => instance.id || this.id;
    const test = prepareConnectionTest(this, idOf);
    const check = prepareCheck(idOf);
    const outbox = prepareOutbox(this, () => instance.id);
    requesting = [test, check, outbox];
  },
  oneditsave: endDialog,
  oneditcancel() {
    restoreNode(this);
    endDialog();
  },
});

addSidebarTab();

function endDialog(): void {
  for (const { cancel } of requesting) cancel();
  requesting = [];
  setOpenNode(undefined);
}

/** Opens a section if one of its values is not the default. */
function openIfChanged(selector: string, defaults: Record<string, unknown>): void {
  const isDefault = ([name, byDefault]: [string, unknown]) => {
    const input = $(`#node-config-input-${name}`);
    const isSwitch = typeof byDefault === 'boolean';
    const value = String(isSwitch ? input.is(':checked') : (input.val() ?? ''));
    return ['', '_ADD_', String(byDefault)].includes(value);
  };
  const details = document.querySelector<HTMLDetailsElement>(selector);
  if (details) details.open = !Object.entries(defaults).every(isDefault);
}

function offerTimeZones(): void {
  // Older browsers have no list.
  const known = Intl.supportedValuesOf?.('timeZone') ?? [];
  const names = new Set(['UTC', ...known]);
  $('#ion-config-time-zones').append([...names].map((name) => $('<option>').val(name)));
}

type CustomUrl = 'apiUrl' | 'authUrl';

function customUrl(which: CustomUrl) {
  return function (this: EditedNode, value: string, { label = '' }: ValidatorOptions): Validation {
    if (currentValue(this, 'environment') !== 'custom') return true;
    if (referenceInUrl(value) !== undefined) return partOfVariable(label);
    const allowHttp = isChecked(this, 'allowHttp');
    // The other URL does not matter here, so it is replaced by a valid one.
    const urls = { apiUrl: 'https://localhost', authUrl: 'https://localhost', [which]: value };
    try {
      resolveEndpoints({ environment: 'custom', ...urls, allowHttp });
      return true;
    } catch {
      return RED._('@ion-nodes/node-red-ion/ion-config:ion-config.invalid.url', { label });
    }
  };
}
