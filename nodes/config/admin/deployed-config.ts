import type { NodeAPI } from 'node-red';
import { IonError } from '../../client/errors.js';
import type { IonConfigNode } from '../config-node.js';

export function deployedConfig(RED: NodeAPI, id: string): IonConfigNode | undefined {
  const node = RED.nodes.getNode(id) as IonConfigNode | null;
  return node?.type === 'ion-config' ? node : undefined;
}

/** @throws IonError `ION_NOT_FOUND` */
export function requireDeployedConfig(RED: NodeAPI, id: string): IonConfigNode {
  const deployed = deployedConfig(RED, id);
  if (deployed) return deployed;
  throw new IonError('ION_NOT_FOUND', 'This ION config node is not deployed yet, or is disabled.');
}
