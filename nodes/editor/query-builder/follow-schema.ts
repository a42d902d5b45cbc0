// The schema of the chosen config node, and the line in the dialog that shows its state.
import type { Resource } from '../../client/lists/resources.js';
import type { ServerError } from '../shared/admin-request.js';
import { changedSettingsOf } from '../shared/config-settings.js';
import { latestRequest } from '../shared/latest-request.js';
import { type Introspection, loadedSchema, loadSchema } from '../shared/schema.js';
import { instanceChoice } from '../subflows/instance-choice.js';
import { runningConfigs } from '../subflows/running-configs.js';
import { type ListSchema, listSchema } from './list-schema.js';
import { queryText } from './query-text.js';

/**
 * Loads the schema again whenever another config node is chosen.
 * @param onSchema called with the schema, or with `undefined` if it cannot be loaded
 */
export function followSchema(
  node: EditedNode,
  onSchema: (schema: Introspection | undefined) => void,
): void {
  const select = $('#node-input-config');
  const retry = $('#ion-query-schema-again');
  const requests = latestRequest();

  const load = async (options?: { refresh: boolean }) => {
    const signal = requests.start();
    const config = String(select.val() ?? '');
    const obstacle = obstacleOf(node, config) ?? (instance.id === '' ? 'noInstance' : undefined);
    retry.toggle(false);
    if (obstacle) {
      onSchema(undefined);
      showState(obstacle);
      return;
    }
    showState('loading');
    const isOutdated = () => signal.aborted || !retry[0]?.isConnected;
    try {
      const schema = await loadSchema(instance.id, options);
      if (isOutdated()) return;
      onSchema(schema);
      showState('');
    } catch (thrown) {
      if (isOutdated()) return;
      const { code, message, isDeployed } = thrown as ServerError;
      onSchema(undefined);
      const key = isDeployed === false ? 'notDeployed' : 'failed';
      showState(key, { reason: `${message} (${code})` });
      retry.toggle(true);
    }
    RED.tray.resize();
  };

  const instance = instanceChoice('ion-instance', select.closest('.form-row'), () => void load());
  let shown = '';
  select.on('change', () => {
    const chosen = String(select.val() ?? '');
    // The editor reports a change as well when the dialog of the config node closes.
    const now = JSON.stringify([chosen, changedSettingsOf(chosen)]);
    if (now === shown) return;
    shown = now;
    instance.offer(runningConfigs(chosen, node.z));
    void load();
  });
  retry.on('click', () => void load());
  $('#ion-query-schema-refresh').on('click', () => void load({ refresh: true }));
  select.trigger('change');
}

/** The schema that the editor has loaded for a node, because a dialog needed it. */
export function loadedListSchema(node: EditedNode, resource: Resource): ListSchema | undefined {
  for (const { id } of runningConfigs(String(node.config ?? ''), node.z)) {
    const schema = loadedSchema(id);
    if (schema) return listSchema(schema, resource);
  }
  return undefined;
}

/** @param key the end of a catalogue key; empty if all is well */
function showState(key: string, values?: Record<string, string>): void {
  $('#ion-query-schema-text').text(key && queryText(`ion-runs.schema.${key}`, values));
  $('#ion-query-schema').toggle(key !== '');
}

/** The reason why this config node cannot have a schema, as far as the editor knows. */
function obstacleOf(node: EditedNode, id: string): string | undefined {
  const isMissing = Boolean(node.config) && !RED.nodes.node(String(node.config));
  if (id === '' || id === '_ADD_' || id === 'null') return isMissing ? 'missing' : 'none';
  return RED.nodes.node(id)?.d ? 'disabled' : undefined;
}
