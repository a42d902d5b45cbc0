import type { Node } from 'node-red';
import { toIonError } from '../client/errors.js';
import { failureDetails } from '../shared/failure-details.js';
import { type Message, withoutUnknown } from '../shared/message.js';
import { reportError } from '../shared/report-error.js';

/** What `msg.ion` tells about an event. */
export interface EventDetails {
  resource: string;
  /** Missing where it could not be read. */
  action: string | undefined;
  id: unknown;
  /** Of the delivery. */
  eventId?: string | number | undefined;
  /** ISO 8601, by this machine's clock. */
  receivedAt: string;
  via: 'poll' | 'webhook';
  /** What the selected fields that changed held before, where that was seen. */
  previous?: Record<string, unknown> | undefined;
}

/** The message that tells of an event, of the same shape whichever way it came. */
export function eventMessage(payload: unknown, details: EventDetails): Message {
  const { resource, action } = details;
  const topic = action === undefined ? resource : `${resource}/${action}`;
  return { payload, topic, ion: withoutUnknown(details) } as unknown as Message;
}

/** Tells Catch nodes and the log of a failure, with what is known of it in `msg.ion`. */
export function reportFailure(node: Node, thrown: unknown, msg: Message, durationMs: number): void {
  const error = toIonError(thrown);
  msg.ion = { ...msg.ion, ...failureDetails(error, Math.round(durationMs)) };
  reportError(node, error, msg);
}
