import { environments, resolveEndpoints } from '../client/auth/environments.js';
import { configNumbers } from '../client/settings.js';
import { referenceInUrl } from '../client/support/references.js';
import { prepareConnectionTest } from './config/connection-test.js';
import { prepareOutbox } from './config/outbox.js';
import { labels } from './shared/labels.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { noReference, partOfVariable, timeZone } from './shared/validators.js';
import { instanceChoice } from './subflows/instance-choice.js';
import { runningConfigs } from './subflows/running-configs.js';

const label = labels('ion-config');

const numbers = numberProperties('ion-config', configNumbers);
const { timeout, retries, concurrency, queueLimit, outboxLimit, outboxSize } = numbers;

/** The rarely used properties and their defaults. */
const ADVANCED = {
  authScheme: 'raw',
  audience: '',
  timeout: timeout.value,
  retries: retries.value,
  concurrency: concurrency.value,
  queueLimit: queueLimit.value,
  timeZone: '',
  tls: '',
  proxy: '',
};
const OUTBOX = { outboxLimit: outboxLimit.value, outboxSize: outboxSize.value };

/** What asks the server while the dialog is open. */
let asking: { end(): void }[] = [];

RED.nodes.registerType('ion-config', {
  category: 'config',
  defaults: {
    name: { value: '' },
    environment: { label: label('environment'), value: 'production', required: true },
    apiUrl: { label: label('apiUrl'), value: '', validate: customUrl('apiUrl') },
    authUrl: { label: label('authUrl'), value: '', validate: customUrl('authUrl') },
    audience: { label: label('audience'), value: '', validate: noReference },
    authScheme: { label: label('authScheme'), value: 'raw' },
    ...numbers,
    timeZone: { label: label('timeZone'), value: '', validate: timeZone },
    tls: { label: label('tls'), value: '', type: 'tls-config', required: false },
    proxy: { label: label('proxy'), value: '', type: 'http proxy', required: false },
    allowHttp: { label: label('allowHttp'), value: false },
  },
  credentials: {
    clientId: { type: 'text' },
    clientSecret: { type: 'password' },
  },
  label() {
    return this.name || `ION ${this._(`ion-config.environment.${this.environment}`)}`;
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
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
    // A node that was written by hand may leave it out.
    if (!this.authScheme) $('#node-config-input-authScheme').val(ADVANCED.authScheme);
    offerTimeZones();
    openWhereUsed('#ion-config-advanced', ADVANCED);
    openWhereUsed('#ion-config-outbox', OUTBOX);
    const secret = $('.ion-config-secret');
    const changed = () => outbox.reload();
    const instance = instanceChoice('ion-config-instance', secret, changed, '60%');
    instance.offer(runningConfigs(this.id, this.z));
    // What no instance runs of can be tested as it stands in the dialog.
    const test = prepareConnectionTest(this, () => instance.id || this.id);
    const outbox = prepareOutbox(this, () => instance.id);
    asking = [test, outbox];
  },
  oneditsave: endAsking,
  oneditcancel: endAsking,
});

function endAsking(): void {
  for (const { end } of asking) end();
  asking = [];
}

/** Shows the rarely used rows where one of them is not as it comes. */
function openWhereUsed(selector: string, defaults: Record<string, unknown>): void {
  const isAsItComes = ([name, asItComes]: [string, unknown]) => {
    const value = String($(`#node-config-input-${name}`).val() ?? '');
    return ['', '_ADD_', String(asItComes)].includes(value);
  };
  const details = document.querySelector<HTMLDetailsElement>(selector);
  if (details) details.open = !Object.entries(defaults).every(isAsItComes);
}

function offerTimeZones(): void {
  // Older browsers know no list.
  const known = Intl.supportedValuesOf?.('timeZone') ?? [];
  const names = new Set(['UTC', ...known]);
  $('#ion-config-time-zones').append([...names].map((name) => $('<option>').val(name)));
}

type CustomUrl = 'apiUrl' | 'authUrl';

function customUrl(which: CustomUrl) {
  return function (this: EditedNode, value: string, { label = '' }: ValidatorOptions): Validation {
    const field = (name: string) => $(`#node-config-input-${name}`);
    // The open dialog counts before what is stored.
    const isOpen = field('environment').length > 0;
    const environment = isOpen ? field('environment').val() : this.environment;
    if (environment !== 'custom') return true;
    if (referenceInUrl(value) !== undefined) return partOfVariable(label);
    const allowHttp = isOpen ? field('allowHttp').is(':checked') : Boolean(this.allowHttp);
    // The other URL does not matter here, so one that is valid stands for it.
    const urls = { apiUrl: 'https://localhost', authUrl: 'https://localhost', [which]: value };
    try {
      resolveEndpoints({ environment: 'custom', ...urls, allowHttp });
      return true;
    } catch {
      return RED._('@ion-nodes/node-red-ion/ion-config:ion-config.invalid.url', { label });
    }
  };
}
