// The line that says whether the names of ION are known, and why not.

import { type Introspection, loadSchema, type ServerError } from '../shared/schema.js';
import { instanceChoice } from '../subflows/instance-choice.js';
import { runningConfigs } from '../subflows/running-configs.js';

/** Follows the chosen config node: tells its schema, or `undefined` while there is none. */
export function followSchema(
  node: Texts & { config?: unknown; z?: unknown },
  onSchema: (schema: Introspection | undefined) => void,
): void {
  const select = $('#node-input-config');
  const again = $('#ion-runs-schema-again');
  let latest = {};

  const load = async (refresh: boolean) => {
    const config = String(select.val() ?? '');
    const asked = {};
    latest = asked;
    const obstacle = obstacleOf(node, config) ?? (instance.id === '' ? 'noInstance' : undefined);
    again.toggle(false);
    if (obstacle) {
      onSchema(undefined);
      say(obstacle);
      return;
    }
    say('loading');
    try {
      const schema = await loadSchema(instance.id, { refresh });
      // Another config node may have been chosen meanwhile, or the dialog closed.
      if (latest !== asked || !again[0]?.isConnected) return;
      onSchema(schema);
      say('');
    } catch (thrown) {
      if (latest !== asked || !again[0]?.isConnected) return;
      const { code, message } = thrown as ServerError;
      onSchema(undefined);
      say(code === 'ION_NOT_FOUND' ? 'notDeployed' : 'failed', { reason: `${message} (${code})` });
      again.toggle(true);
    }
    RED.tray.resize();
  };
  const say = (key: string, values?: Record<string, string>) => {
    $('#ion-runs-schema-text').text(key && node._(`ion-runs.schema.${key}`, values));
    $('#ion-runs-schema').toggle(key !== '');
  };

  const instance = instanceChoice('ion-instance', select.closest('.form-row'), () => {
    void load(false);
  });
  let chosen: unknown;
  select.on('change', () => {
    if (select.val() === chosen) return;
    chosen = select.val();
    instance.offer(runningConfigs(String(chosen ?? ''), node.z));
    void load(false);
  });
  again.on('click', () => void load(false));
  $('#ion-runs-schema-refresh').on('click', () => void load(true));
  select.trigger('change');
}

/** Why this config node cannot have a schema, as far as the editor knows. */
function obstacleOf(node: { config?: unknown }, id: string): string | undefined {
  const hasLost = Boolean(node.config) && !RED.nodes.node(String(node.config));
  if (id === '' || id === '_ADD_' || id === 'null') return hasLost ? 'missing' : 'none';
  return RED.nodes.node(id)?.d ? 'disabled' : undefined;
}
