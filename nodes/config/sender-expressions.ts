import type { Node, NodeAPI } from 'node-red';
import type { Evaluate } from '../outbox/graphql-writes.js';
import type { Deploys } from './deploys.js';
import { evaluateJsonata } from './evaluate-jsonata.js';

/** Functions that read the flow of the node. */
const FLOW_FUNCTIONS = /\$(flowContext|env)(?!\w)/;

/**
 * Evaluates the expressions of pending writes, in the context of the nodes that accepted them.
 * @param configNode takes the place of a node that was deleted
 * @returns a function that throws the error of the expression, or an Error if it reads the flow of a
 * node that was deleted
 */
export function senderExpressions(
  RED: NodeAPI,
  configNode: Node,
  deploys: Pick<Deploys, 'ended'>,
): Evaluate {
  return async (expression, input, sender) => {
    let node = RED.nodes.getNode(sender);
    // A deploy removes the node for a moment, in which its flow has no context and no environment.
    if (!node) await deploys.ended;
    node ??= RED.nodes.getNode(sender);
    if (!node && FLOW_FUNCTIONS.test(expression)) {
      throw new Error('it reads the flow of its node, which was deleted');
    }
    return evaluateJsonata(RED, node ?? configNode, expression, input);
  };
}
