import type { NodeAPI } from 'node-red';
import type { EventsCredentials, EventsNode, IonEventsConfig } from './runtime/events-config.js';
import { pollEvents } from './runtime/poll-events.js';
import { inBackground } from './runtime/report-error.js';
import { NodeStatus } from './runtime/status.js';
import { webhookEvents } from './runtime/webhook-events.js';

export = (RED: NodeAPI): void => {
  function IonEvents(this: EventsNode, config: IonEventsConfig) {
    RED.nodes.createNode(this, config);
    const status = new NodeStatus(RED, this);
    if (!RED.nodes.getNode(config.config)) status.idle({ fill: 'red', key: 'noConfig' });
    const beginEvents = config.via === 'webhook' ? webhookEvents : pollEvents;
    const events = beginEvents(RED, this, config, status);
    this.on('close', (removed: boolean, done: () => void) => {
      status.close();
      inBackground(
        this,
        events.close(removed).finally(() => done()),
      );
    });
  }
  RED.nodes.registerType<EventsNode, IonEventsConfig, unknown, EventsCredentials>(
    'ion-events',
    IonEvents,
    { credentials: { secret: { type: 'password' } } },
  );
};
