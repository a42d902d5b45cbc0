// The values of the open dialog of a config node.
import { type ConfigSettings, configProperties } from '../shared/config-settings.js';

export function readDialog(): Omit<ConfigSettings, 'id'> {
  const value = (name: string) => String($(`#node-config-input-${name}`).val() ?? '');
  const config = Object.fromEntries(configProperties.map((name) => [name, value(name)]));
  for (const name of ['tls', 'proxy']) {
    // The editor's value for "add new …".
    if (config[name] === '_ADD_') config[name] = '';
  }
  return {
    config: { ...config, allowHttp: $('#node-config-input-allowHttp').is(':checked') },
    credentials: { clientId: value('clientId'), clientSecret: value('clientSecret') },
  };
}

/** Calls back when the form changes, so that earlier results no longer apply. */
export function onDialogChange(callback: () => void): void {
  $('#dialog-form, #node-config-dialog-edit-form').on('input change', 'input, select', callback);
}
