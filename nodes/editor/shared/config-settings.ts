// The settings of a config node as the editor has them, for requests that need no deployed config node.
import type { ServerError } from './admin-request.js';

/** The properties that the server needs. */
export const configProperties = [
  'environment',
  'mode',
  'apiUrl',
  'authUrl',
  'audience',
  'authScheme',
  'timeout',
  'tls',
  'proxy',
  'allowHttp',
] as const;

export interface ConfigSettings {
  id: string;
  config: object;
  /** Stored ones are missing. */
  credentials: object;
}

/**
 * The settings of a config node; `undefined` if this user may not send them, or the node is
 * disabled or in a subflow.
 */
export function settingsOf(id: string): ConfigSettings | undefined {
  const node = RED.nodes.node(id);
  // In a subflow, each instance has its own values.
  if (!node || node.d || (node.z && RED.nodes.subflow(node.z))) return undefined;
  if (!RED.user.hasPermission('ion-config.write')) return undefined;
  const { clientId, clientSecret } = node.credentials ?? {};
  return {
    id,
    config: Object.fromEntries([
      ...configProperties.map((name) => [name, node[name]]),
      ['version', node.version ?? 0],
    ]),
    credentials: { ...(clientId !== undefined && { clientId }), clientSecret: clientSecret ?? '' },
  };
}

/** The settings of a config node if they were changed since the last deploy. */
export function changedSettingsOf(id: string): ConfigSettings | undefined {
  return RED.nodes.node(id)?.changed ? settingsOf(id) : undefined;
}

/**
 * The result of a request with a deployed config node, or with its settings in the editor if they
 * are not deployed. Rejects with a `ServerError`.
 */
export async function withSettings<Result>(
  id: string,
  deployed: () => Promise<Result>,
  undeployed: (settings: ConfigSettings) => Promise<Result>,
): Promise<Result> {
  const changed = changedSettingsOf(id);
  if (changed) return undeployed(changed);
  try {
    return await deployed();
  } catch (thrown) {
    // Any other failure may come after the request was executed.
    const isMissing = (thrown as ServerError).isDeployed === false;
    const settings = isMissing ? settingsOf(id) : undefined;
    if (!settings) throw thrown;
    return undeployed(settings);
  }
}
