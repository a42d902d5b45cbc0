import type { NodeAPI } from 'node-red';
import { toIonError } from '../client/errors.js';
import { failedStatus, type NodeStatus } from '../shared/node-status.js';
import { onFlowsStarted } from '../shared/on-flows-started.js';
import { eventMessage, reportFailure } from './event-message.js';
import type { EventSource, EventsNode, IonEventsConfig } from './events-config.js';

/** Replaces a source that could not start: the status and a Catch node show the reason. */
export function noEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
  thrown: unknown,
): EventSource {
  const error = toIonError(thrown);
  // Catch nodes receive no errors before the flows have started.
  const stopWaiting = onFlowsStarted(RED, () => {
    stopWaiting();
    status.idle(failedStatus(error));
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
