import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { WebhookAction, WebhookReceiverRow } from '../../data/model.js';
import { checkWebhookUri } from '../../webhooks/post.js';
import { newSecret } from './api-keys.js';
import {
  columns,
  current,
  existing,
  type Mutation,
  type Versioned,
  withArgs,
  withInput,
} from './common.js';

interface ReceiverInput {
  name?: string | null;
  webhookUri?: string | null;
  sharedSecret?: string | null;
  contentType?: 'JSON' | 'XML' | null;
  expectedResponseCode?: number | null;
  description?: string | null;
  active?: boolean | null;
}

interface SubscriptionInput {
  resource: string;
  action: WebhookAction;
  receiverId?: string | null;
  active?: boolean | null;
}

interface HeaderLink {
  etag: string;
  webhookReceiverId: number;
  webhookHeaderId: number;
}

/** The columns that an input sets; only a description may be taken away. */
function receiverColumns(input: ReceiverInput): Partial<WebhookReceiverRow> {
  if (input.webhookUri) checkWebhookUri(input.webhookUri);
  if (input.contentType === 'XML') {
    throw new Error('Deliveries in XML are not part of this sandbox.');
  }
  const given = Object.entries(columns(input)).filter(
    ([name, value]) => value !== null || name === 'description',
  );
  return Object.fromEntries(given);
}

export const webhookMutations: Record<string, Mutation> = {
  createWebhookReceiver: withInput<ReceiverInput & { name: string; webhookUri: string }>(
    (input, { store, user }) => {
      const webhookReceiver = store.webhookReceivers.insert(
        {
          name: input.name,
          description: null,
          webhookUri: input.webhookUri,
          sharedSecret: newSecret(),
          contentType: 'JSON',
          expectedResponseCode: 200,
          active: true,
          headerIds: [],
          ...receiverColumns(input),
        },
        user.id,
      );
      return { webhookReceiver };
    },
  ),

  updateWebhookReceiver: withInput<Versioned & ReceiverInput>((input, { store, user }) => {
    const receiver = current(store.webhookReceivers, input);
    return {
      webhookReceiver: store.webhookReceivers.update(receiver.id, receiverColumns(input), user.id),
    };
  }),

  deleteWebhookReceiver: withArgs<Versioned>((args, { store }) => {
    const receiver = current(store.webhookReceivers, args);
    for (const subscription of [...store.webhookSubscriptions.of(receiver.id)]) {
      store.webhookSubscriptions.delete(subscription.id);
    }
    store.webhookReceivers.delete(receiver.id);
    return { id: receiver.id };
  }),

  createWebhookSubscription: withInput<SubscriptionInput>((input, { store, user }) => {
    const receiver = input.receiverId ? existing(store.webhookReceivers, input.receiverId) : null;
    const webhookSubscription = store.webhookSubscriptions.insert(
      {
        resource: input.resource,
        action: input.action,
        receiverId: receiver?.id ?? null,
        active: input.active ?? true,
      },
      user.id,
    );
    return { webhookSubscription };
  }),

  createWebhookHeader: withInput<{ key: string; value: string }>(
    ({ key, value }, { store, user }) => {
      validateHeaderName(key);
      validateHeaderValue(key, value);
      return { webhookHeader: store.webhookHeaders.insert({ key, value }, user.id) };
    },
  ),

  addHeaderToWebhookReceiver: withInput<HeaderLink>((input, { store, user }) => {
    const receiver = current(store.webhookReceivers, {
      id: input.webhookReceiverId,
      etag: input.etag,
    });
    const header = existing(store.webhookHeaders, input.webhookHeaderId);
    const headerIds = [...new Set([...receiver.headerIds, header.id])];
    return { webhookReceiver: store.webhookReceivers.update(receiver.id, { headerIds }, user.id) };
  }),

  removeHeaderFromWebhookReceiver: withInput<HeaderLink>((input, { store, user }) => {
    const receiver = current(store.webhookReceivers, {
      id: input.webhookReceiverId,
      etag: input.etag,
    });
    const headerIds = receiver.headerIds.filter((id) => id !== input.webhookHeaderId);
    return { webhookReceiver: store.webhookReceivers.update(receiver.id, { headerIds }, user.id) };
  }),
};
