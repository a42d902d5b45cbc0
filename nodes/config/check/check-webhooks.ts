import type { IonClient } from '../../client/client.js';
import { withoutQuery } from '../../client/webhooks/public-url.js';
import { MAX_RECEIVERS, type Receiver, Receivers } from '../../client/webhooks/receivers.js';
import { type ExpectedWebhook, webhookState } from '../../client/webhooks/webhook-state.js';
import type { ConfigUser } from '../node-work.js';
import { type CheckLine, failed, ok, unknown } from './check-line.js';
import type { DescribedUser } from './described-users.js';

/** Whether ION sends events to the webhooks of the deployed nodes; no line without webhooks. */
export async function checkWebhooks(
  client: IonClient,
  users: readonly DescribedUser[],
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const expected = users.flatMap(({ user, work }) =>
    work?.webhook ? { user, webhook: work.webhook } : [],
  );
  if (expected.length === 0) return [];
  const receivers = await new Receivers(client, signal).find({});
  return expected.map(({ user, webhook }) =>
    webhookLine(user, webhook, receivers, client.isDryRun),
  );
}

function webhookLine(
  user: ConfigUser,
  webhook: ExpectedWebhook,
  receivers: readonly Receiver[],
  isDryRun: boolean,
): CheckLine {
  const { path, uri, isRegistered } = webhook;
  const found = webhookState(receivers, webhook);
  const nodes = [user];
  if (found.state === 'missing') {
    const values = { uri: uri === undefined ? path : withoutQuery(uri) };
    if (isDryRun && isRegistered) return unknown('webhooks', 'webhooks.dryRun', { values, nodes });
    const advice = isRegistered ? 'webhooks.log' : 'webhooks.register';
    const details = { values, nodes, advice };
    return receivers.length < MAX_RECEIVERS
      ? failed('webhooks', 'webhooks.missing', details)
      : unknown('webhooks', 'webhooks.tooMany', details);
  }
  const values = { uri: withoutQuery(found.receiver.webhookUri) };
  switch (found.state) {
    case 'inactive':
      return failed('webhooks', 'webhooks.inactive', {
        ...{ values, nodes, advice: 'webhooks.activate' },
      });
    case 'incomplete': {
      const { resource } = webhook;
      return failed('webhooks', 'webhooks.incomplete', {
        values: { ...values, subscriptions: `${resource}: ${found.actions.join(', ')}` },
        ...{ nodes, advice: 'webhooks.subscribe' },
      });
    }
    default:
      return ok('webhooks', 'webhooks.active', { values, nodes });
  }
}
