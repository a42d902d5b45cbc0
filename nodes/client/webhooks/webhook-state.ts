import { withoutTrailingSlashes } from '../support/paths.js';
import { isSameResource } from './event.js';
import type { Receiver } from './receivers.js';
import { isSameUri } from './same-uri.js';

/** The webhook of a node, as ION should have it. */
export interface ExpectedWebhook {
  /** Path of Node-RED's HTTP server. */
  path: string;
  /** The whole address; `undefined` if the node does not know its public URL. */
  uri?: string;
  /** A value of ION's `ResourceEnum`. */
  resource: string;
  actions: readonly string[];
  /** Whether the node registers it. */
  isRegistered: boolean;
}

export type WebhookState =
  | { state: 'active' | 'inactive'; receiver: Receiver }
  /** The receiver lacks active subscriptions to these actions. */
  | { state: 'incomplete'; receiver: Receiver; actions: string[] }
  | { state: 'missing' };

/** The state of a webhook among ION's receivers. */
export function webhookState(
  receivers: readonly Receiver[],
  { path, uri, resource, actions }: ExpectedWebhook,
): WebhookState {
  const found = receivers.filter(({ webhookUri }) =>
    uri === undefined ? endsWithPath(webhookUri, path) : isSameUri(webhookUri, uri),
  );
  const receiver = found.find(({ active }) => active !== false) ?? found[0];
  if (!receiver) return { state: 'missing' };
  if (receiver.active === false) return { state: 'inactive', receiver };
  const missing = actions.filter(
    (action) =>
      !receiver.subscriptions.some(
        (each) =>
          each.active !== false &&
          isSameName(each.action, action) &&
          isSameResource(String(each.resource), resource),
      ),
  );
  if (missing.length > 0) return { state: 'incomplete', receiver, actions: missing };
  return { state: 'active', receiver };
}

function isSameName(one: unknown, other: string): boolean {
  return String(one).toUpperCase() === other.toUpperCase();
}

function endsWithPath(uri: string, path: string): boolean {
  return URL.canParse(uri) && withoutTrailingSlashes(new URL(uri).pathname).endsWith(path);
}
