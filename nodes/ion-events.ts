import type { NodeAPI } from 'node-red';
import { statusWithConfig } from './config/find-config.js';
import {
  type EventSource,
  type EventsCredentials,
  type EventsNode,
  type IonEventsConfig,
  readEventsConfig,
} from './events/config.js';
import { noEvents } from './events/no-events.js';
import { pollEvents } from './events/poll.js';
import { webhookEvents } from './events/webhook.js';
import type { NodeStatus } from './shared/node-status.js';
import { removal } from './shared/removal.js';
import { inBackground } from './shared/report-error.js';

/** Polls, or takes webhooks; a node with wrong properties does neither and reports the error. */
function beginEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
): EventSource {
  try {
    const settings = readEventsConfig(config, node.credentials);
    const begin = settings.via === 'webhook' ? webhookEvents : pollEvents;
    return begin(RED, node, settings, status);
  } catch (thrown) {
    return noEvents(RED, node, config, status, thrown);
  }
}

export = (RED: NodeAPI): void => {
  function IonEvents(this: EventsNode, config: IonEventsConfig) {
    RED.nodes.createNode(this, config);
    const isRemoval = removal(RED, config);
    const status = statusWithConfig(RED, this, config);
    const events = beginEvents(RED, this, config, status);
    this.on('close', (removed: boolean, done: () => void) => {
      status.close();
      inBackground(
        this,
        events.close(isRemoval(removed)).finally(() => done()),
      );
    });
  }
  RED.nodes.registerType<EventsNode, IonEventsConfig, unknown, EventsCredentials>(
    'ion-events',
    IonEvents,
    { credentials: { secret: { type: 'password' } } },
  );
};
