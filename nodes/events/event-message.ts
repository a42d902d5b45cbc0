import type { Node } from 'node-red';
import { toIonError } from '../client/errors.js';
import { failureDetails } from '../shared/failure-details.js';
import { type Message, withoutUnknown } from '../shared/message.js';
import { reportError } from '../shared/report-error.js';

/** The content of `msg.ion` of an event. */
export interface EventDetails {
  resource: string;
  /** Missing if it could not be read. */
  action: string | undefined;
  id: unknown;
  /** The id of the delivery. */
  eventId?: string | number | undefined;
  /** ISO 8601, by this machine's clock. */
  receivedAt: string;
  via: 'poll' | 'webhook';
  /** The former values of the selected fields that changed, if the node knows them. */
  previous?: Record<string, unknown> | undefined;
  /** Only if the node watches fields: false if it does not know the former values. */
  previousKnown?: false | undefined;
}

/** The message for an event, which has the same shape for polling and webhooks. */
export function eventMessage(payload: unknown, details: EventDetails): Message {
  const { resource, action } = details;
  const topic = action === undefined ? resource : `${resource}/${action}`;
  return { payload, topic, ion: withoutUnknown(details) } as unknown as Message;
}

/** Reports a failure to Catch nodes and the log, with its details in `msg.ion`. */
export function reportFailure(node: Node, thrown: unknown, msg: Message, durationMs: number): void {
  const error = toIonError(thrown);
  msg.ion = { ...msg.ion, ...failureDetails(error, Math.round(durationMs)) };
  reportError(node, error, msg);
}
