import type { NodeAPI } from 'node-red';

const STARTED = 'flows:started';

/**
 * Calls back after each deploy, when all nodes exist: a message that a node sends earlier may not reach
 * the next node.
 * @returns a function that stops this
 */
export function onFlowsStarted(RED: NodeAPI, callback: () => void): () => void {
  RED.events.on(STARTED, callback);
  return () => RED.events.off(STARTED, callback);
}
