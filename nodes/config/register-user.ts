import type { Node, NodeAPI } from 'node-red';
import { findConfig, type UsesIonConfig } from './find-config.js';
import type { ConfigUser, NodeWork } from './node-work.js';

/** Registers a node with its config node, until the node closes. */
export function registerUser(
  RED: NodeAPI,
  node: Node,
  config: UsesIonConfig,
  work: () => NodeWork,
): void {
  const users = findConfig(RED, config)?.users;
  if (!users) return;
  const { id, type, name = '' } = node;
  const user: ConfigUser = { id, type, name, work };
  users.add(user);
  node.on('close', () => {
    users.delete(user);
  });
}
