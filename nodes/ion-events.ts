import type { NodeAPI } from 'node-red';
import {
  type EventSource,
  type EventsCredentials,
  type EventsNode,
  type IonEventsConfig,
  readEventsConfig,
} from './runtime/events-config.js';
import { noEvents } from './runtime/no-events.js';
import { findConfig } from './runtime/on-message.js';
import { pollEvents } from './runtime/poll-events.js';
import { removal } from './runtime/removal.js';
import { inBackground } from './runtime/report-error.js';
import { NodeStatus } from './runtime/status.js';
import { webhookEvents } from './runtime/webhook-events.js';

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
    const status = new NodeStatus(RED, this);
    if (!findConfig(RED, config)) status.idle({ fill: 'red', key: 'noConfig' });
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
