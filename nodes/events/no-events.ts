import type { NodeAPI } from 'node-red';
import { toIonError } from '../client/errors.js';
import { onFlowsStarted } from '../shared/flows-started.js';
import type { NodeStatus } from '../shared/node-status.js';
import type { EventSource, EventsNode, IonEventsConfig } from './config.js';
import { eventMessage, reportFailure } from './messages.js';

/** Stands in for a source that could not begin: the status and a Catch node say why. */
export function noEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
  thrown: unknown,
): EventSource {
  const error = toIonError(thrown);
  // No Catch node receives an error before the flows have started.
  const stopWaiting = onFlowsStarted(RED, () => {
    stopWaiting();
    status.idle({ fill: 'red', key: `error.${error.code}` });
    const receivedAt = new Date().toISOString();
    const via = config.via === 'webhook' ? 'webhook' : 'poll';
    const details = { resource: String(config.resource), action: undefined, id: undefined };
    reportFailure(node, error, eventMessage(undefined, { ...details, receivedAt, via }), 0);
  });
  return {
    async close() {
      stopWaiting();
    },
  };
}
