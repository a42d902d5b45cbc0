import type { Node } from 'node-red';
import type { SentOperation } from '../client/graphql/operation.js';
import { changesQuery } from '../client/lists/change-feed.js';
import { sentRowsOperation } from '../client/lists/rows-operation.js';
import { REGISTRATION_OPERATIONS } from '../client/webhooks/receivers.js';
import type { NodeWork } from '../config/node-work.js';
import { unevaluated } from '../shared/read-filters.js';
import {
  eventsQuery,
  type IonEventsConfig,
  isWantedAction,
  readEventsConfig,
  requireResource,
  wantedActions,
  webhookPath,
} from './events-config.js';
import { POLL_PAGE_SIZE } from './poll.js';
import { addressOf } from './registration.js';

/** In place of the time of a checkpoint, and of the ID of an event. */
const ANY_TIME = '1970-01-01T00:00:00Z';
const ANY_ID = 0;

/**
 * The work of an `ion-events` node.
 * @throws IonError `ION_CONFIG` for properties that cannot work
 */
export function eventsWork(given: IonEventsConfig, node: Node): NodeWork {
  const config = readEventsConfig(given, node.credentials as object | undefined);
  const { via, resource, register, publicUrl } = config;
  if (via !== 'webhook') return { operations: [changes(config)], pageSize: POLL_PAGE_SIZE };
  const path = webhookPath({ id: node.id, path: config.path });
  return {
    operations: [...objectReads(config), ...(register ? REGISTRATION_OPERATIONS : [])],
    webhook: {
      ...{ path, resource, actions: wantedActions(config), isRegistered: register },
      // Without registration the dialog hides the URL, which may be an old one.
      ...(register && publicUrl && { uri: addressOf(config, { path }) }),
    },
  };
}

function changes(config: IonEventsConfig): SentOperation {
  const resource = requireResource(config);
  const query = eventsQuery(config, resource.fields, unevaluated(config.filters));
  const onlyCreated = !isWantedAction(config, 'UPDATE');
  return sentRowsOperation(resource, changesQuery(resource, query, ANY_TIME, onlyCreated));
}

/** The operation that reads the object of an event, if the node needs it. */
function objectReads(config: IonEventsConfig): SentOperation[] {
  const { fields = [], filters = [], changedFields } = config;
  if (fields.length + filters.length + changedFields.length === 0) return [];
  const resource = requireResource(config);
  const query = eventsQuery(config, ['id'], unevaluated(filters));
  const byId = { field: 'id', op: 'eq', value: ANY_ID } as const;
  return [sentRowsOperation(resource, { ...query, filters: [...query.filters, byId] })];
}
