import {
  type Instance,
  idIn,
  instancesOf,
  isInSubflow,
  propertyOf,
  variableIn,
} from './instances.js';

/** A config node as Node-RED runs it. */
export interface RunningConfig {
  id: string;
  /** The name of the subflow's instance; empty outside subflows. */
  name: string;
}

/**
 * The running config nodes for the `config` property of a node: the node with that ID, or in a
 * subflow one for each instance.
 * @param config the ID of a config node, or a subflow property such as `${ION}`
 * @param z the tab or the subflow that the node is in
 */
export function runningConfigs(config: string, z: unknown): RunningConfig[] {
  const scope = RED.nodes.node(config)?.z;
  const subflow = isInSubflow(scope) ? scope : z;
  const isOfSubflow = isInSubflow(scope) || variableIn(config) !== undefined;
  if (!isOfSubflow) return [{ id: config, name: '' }];
  if (!isInSubflow(subflow)) return [];
  const found = new Map<string, RunningConfig>();
  for (const instance of instancesOf(subflow)) {
    const id = runningId(config, instance);
    if (id !== undefined && !found.has(id)) found.set(id, { id, name: instance.name });
  }
  return [...found.values()];
}

function runningId(config: string, instance: Instance): string | undefined {
  const name = variableIn(config);
  const chosen = name === undefined ? config : propertyOf(instance, name);
  if (!chosen) return undefined;
  const scope = RED.nodes.node(chosen)?.z;
  if (!isInSubflow(scope)) return chosen;
  for (let each: Instance | undefined = instance; each; each = each.outer) {
    if (each.subflow === scope) return idIn(each, chosen);
  }
  return undefined;
}
