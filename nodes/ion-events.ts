import type { NodeAPI } from 'node-red';
import { statusWithConfig } from './config/find-config.js';
import { registerUser } from './config/register-user.js';
import {
  type EventSource,
  type EventsCredentials,
  type EventsNode,
  type IonEventsConfig,
  readEventsConfig,
} from './events/events-config.js';
import { eventsWork } from './events/events-work.js';
import { noEvents } from './events/no-events.js';
import { pollEvents } from './events/poll.js';
import { clearMemory } from './events/stored-memory.js';
import { webhookEvents } from './events/webhook.js';
import { eventsMigrations } from './migrations/ion-events.js';
import { migratedConfig } from './shared/migrated-config.js';
import type { NodeStatus } from './shared/node-status.js';
import { removalCheck } from './shared/removal-check.js';
import { inBackground } from './shared/report-error.js';

/** Starts polling or a webhook; with wrong properties, reports the error instead. */
function startEvents(
  RED: NodeAPI,
  node: EventsNode,
  config: IonEventsConfig,
  status: NodeStatus,
): EventSource {
  try {
    const settings = readEventsConfig(config, node.credentials);
    // A failing context store is no concern of a node without a memory.
    if (settings.changedFields.length === 0) clearMemory(node).catch(() => {});
    const start = settings.via === 'webhook' ? webhookEvents : pollEvents;
    return start(RED, node, settings, status);
  } catch (thrown) {
    return noEvents(RED, node, config, status, thrown);
  }
}

export default (RED: NodeAPI): void => {
  function IonEvents(this: EventsNode, saved: IonEventsConfig) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, eventsMigrations, saved);
    const isRemoval = removalCheck(RED, saved);
    const status = statusWithConfig(RED, this, config);
    registerUser(RED, this, config, () => eventsWork(config, this));
    const events = startEvents(RED, this, config, status);
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
