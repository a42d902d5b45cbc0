import type { NodeAPI } from 'node-red';

const STARTED = 'flows:started';

/**
 * Calls back each time that flows were deployed and all their nodes are there: before that, what a
 * node sends may not reach the next one.
 * @returns what ends the listening
 */
export function onFlowsStarted(RED: NodeAPI, callback: () => void): () => void {
  RED.events.on(STARTED, callback);
  return () => RED.events.off(STARTED, callback);
}
