import type { NodeAPI } from 'node-red';
import { IonError } from '../../client/errors.js';
import type { IonConfigNode } from '../config-node.js';

/** The config node of a request is not deployed: only one reason of many for `ION_NOT_FOUND`. */
export class NotDeployed extends IonError {
  constructor() {
    super('ION_NOT_FOUND', 'This ION config node is not deployed yet, or is disabled.');
  }
}

export function deployedConfig(RED: NodeAPI, id: string): IonConfigNode | undefined {
  const node = RED.nodes.getNode(id) as IonConfigNode | null;
  return node?.type === 'ion-config' ? node : undefined;
}

/** @throws NotDeployed */
export function requireDeployedConfig(RED: NodeAPI, id: string): IonConfigNode {
  const deployed = deployedConfig(RED, id);
  if (deployed) return deployed;
  throw new NotDeployed();
}
