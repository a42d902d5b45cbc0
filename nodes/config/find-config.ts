import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import { NodeStatus } from '../shared/node-status.js';
import type { IonConfigNode } from './config-node.js';

/** Nested subflows; real flows have far fewer. */
const MAX_SUBFLOW_DEPTH = 20;

/** The part of a node's properties that names its config node. */
export interface UsesIonConfig {
  config: string;
  /** The tab, or the instance of a subflow, that contains the node. */
  z?: string;
}

/** The status of a node, which is red if the node has no config node. */
export function statusWithConfig(RED: NodeAPI, node: Node, config: UsesIonConfig): NodeStatus {
  const status = new NodeStatus(RED, node);
  if (!findConfig(RED, config)) status.idle({ fill: 'red', key: 'noConfig' });
  return status;
}

/** @returns `undefined` if the config node is not chosen, not deployed or disabled */
export function findConfig(
  RED: NodeAPI,
  { config, z = '' }: UsesIonConfig,
): IonConfigNode | undefined {
  const nodeOf = (id: string) => RED.nodes.getNode(id) as IonConfigNode | null;
  let node = nodeOf(config);
  for (const id of node ? [] : inSubflows(z, config)) node ??= nodeOf(id);
  // A flow file can name any node.
  return node?.type === 'ion-config' ? node : undefined;
}

/**
 * The ids of the copies of a config node in the subflows around an instance, inner ones first: a
 * subflow property that names a config node of an outer subflow holds the id of the original.
 */
function inSubflows(instance: string, config: string): string[] {
  const parts = String(instance).split('-').slice(0, MAX_SUBFLOW_DEPTH);
  return parts.map((_, index) => [...parts.slice(0, parts.length - index), config].join('-'));
}

/** Whether a node works in a dry run. */
export function isDryRun(RED: NodeAPI, config: UsesIonConfig): boolean {
  return findConfig(RED, config)?.isDryRun ?? false;
}

/** @throws IonError `ION_CONFIG` if there is no config node */
export function requireConfig(RED: NodeAPI, config: UsesIonConfig): IonConfigNode {
  const configNode = findConfig(RED, config);
  if (configNode) return configNode;
  throw new IonError(
    'ION_CONFIG',
    'This node has no ION config node, or it is disabled. Open this node, select or add a config node, and deploy.',
    { reason: { key: 'noConfig' } },
  );
}
