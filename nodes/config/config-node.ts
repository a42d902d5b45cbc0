import type { Node } from 'node-red';
import type { IonClient } from '../client/client.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import type { Lookups } from '../lookup/lookups.js';
import type { RecentEvents } from '../monitoring/recent-events.js';
import type { RecentRequests } from '../monitoring/recent-requests.js';
import type { ApiKeyCredentials, ConfigValues } from './client-settings.js';
import type { ConfigUser } from './node-work.js';
import type { OutboxHolder } from './outbox-holder.js';

/** The owner of an API key. */
export interface KeyOwner {
  name: string;
  email: string;
  organization: string;
}

/** The `ion-config` node, as other nodes use it. */
export interface IonConfigNode extends Node<ApiKeyCredentials> {
  /** @throws IonError `ION_CONFIG` if the settings cannot work */
  readonly client: IonClient;
  /** @throws IonError `ION_CONFIG` if the settings cannot work */
  readonly steps: StepWriter;
  readonly outbox: OutboxHolder;
  /** @throws IonError `ION_CONFIG` if the settings cannot work */
  readonly lookups: Lookups;
  /** The properties, with environment variables replaced. */
  readonly values: ConfigValues;
  /** The running nodes that use this one. */
  readonly users: Set<ConfigUser>;
  readonly requests: RecentRequests;
  readonly events: RecentEvents;
  /** The owner of the API key, if a check or a test has asked ION for it. */
  owner: KeyOwner | undefined;
}
