import type { Node, NodeAPI } from 'node-red';

/**
 * Whether a message of this output reaches a node. Node-RED drops messages without an error if the
 * output has no wire, or wires to disabled nodes only.
 * @param output from 0
 */
export function isOutputWired(RED: NodeAPI, node: Node, output: number): boolean {
  // Node-RED sets it for each node, although its types do not declare it.
  const { wires } = node as Node & { wires?: string[][] };
  return wires?.[output]?.some((id) => RED.nodes.getNode(id)) ?? false;
}
