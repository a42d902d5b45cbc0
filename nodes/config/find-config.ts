import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import { NodeStatus } from '../shared/node-status.js';
import type { IonConfigNode } from './config-node.js';

/** Subflows inside each other; nobody has so many. */
const MAX_SUBFLOW_DEPTH = 20;

/** The part of a node's configuration that says which config node it uses. */
export interface UsesIonConfig {
  config: string;
  /** The tab or the subflow's instance that the node is in. */
  z?: string;
}

/** The status of a node, which is red while the node has no config node. */
export function statusWithConfig(RED: NodeAPI, node: Node, config: UsesIonConfig): NodeStatus {
  const status = new NodeStatus(RED, node);
  if (!findConfig(RED, config)) status.idle({ fill: 'red', key: 'noConfig' });
  return status;
}

/** `undefined` where the config node is not chosen, not deployed or disabled. */
export function findConfig(
  RED: NodeAPI,
  { config, z = '' }: UsesIonConfig,
): IonConfigNode | undefined {
  for (const id of [config, ...inSubflows(z, config)]) {
    const node = RED.nodes.getNode(id) as IonConfigNode | null;
    // A flow file can name any node.
    if (node) return node.type === 'ion-config' ? node : undefined;
  }
  return undefined;
}

/**
 * The ids that the copies of a config node have for the subflows around an instance, the inner ones
 * first: a subflow property that names a config node of an outer subflow holds the original's id.
 */
function inSubflows(instance: string, config: string): string[] {
  const parts = String(instance).split('-').slice(0, MAX_SUBFLOW_DEPTH);
  return parts.map((_, index) => [...parts.slice(0, parts.length - index), config].join('-'));
}

/** @throws IonError `ION_CONFIG` where there is none */
export function requireConfig(RED: NodeAPI, config: UsesIonConfig): IonConfigNode {
  const configNode = findConfig(RED, config);
  if (configNode) return configNode;
  throw new IonError(
    'ION_CONFIG',
    'No ION config node: open this node, choose or add one, and deploy. It may also be disabled.',
  );
}
