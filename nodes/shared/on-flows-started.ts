import type { NodeAPI } from 'node-red';
import { onFlowEvent } from './on-flow-event.js';

/**
 * Calls back after each deploy, when all nodes exist: a message that a node sends earlier may not reach
 * the next node.
 * @returns a function that stops this
 */
export function onFlowsStarted(RED: NodeAPI, callback: () => void): () => void {
  return onFlowEvent(RED, 'flows:started', callback);
}
