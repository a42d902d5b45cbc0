import type { NodeAPI } from 'node-red';

type Events = NodeAPI['events'];
type FlowEvent = 'flows:started' | 'flows:stopping';

interface Listeners {
  callbacks: Set<() => void>;
  callAll(): void;
}

const listeners = new WeakMap<Events, Map<FlowEvent, Listeners>>();

/**
 * Calls back at each such event of Node-RED. All callbacks share one listener, because Node.js warns of
 * more than ten: a plant has more config nodes than that.
 * @returns a function that stops this
 */
export function onFlowEvent(
  { events }: NodeAPI,
  event: FlowEvent,
  callback: () => void,
): () => void {
  const { callbacks } = listenersOf(events, event);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    const ofEvent = listeners.get(events)?.get(event);
    if (ofEvent?.callbacks !== callbacks) return;
    events.removeListener(event, ofEvent.callAll);
    listeners.get(events)?.delete(event);
  };
}

function listenersOf(events: Events, event: FlowEvent): Listeners {
  const byEvent = listeners.get(events) ?? new Map<FlowEvent, Listeners>();
  listeners.set(events, byEvent);
  const known = byEvent.get(event);
  if (known) return known;
  const callbacks = new Set<() => void>();
  const callAll = () => {
    for (const callback of [...callbacks]) callback();
  };
  const added = { callbacks, callAll };
  byEvent.set(event, added);
  events.on(event, callAll);
  return added;
}
