import type { Node } from 'node-red';
import type { IonClient } from '../client/client.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import type { Lookups } from '../lookup/lookups.js';
import type { ConfigMetrics } from '../monitoring/config-metrics.js';
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
  /** Mutations are not sent. False if the settings cannot work, because then nothing is sent. */
  readonly isDryRun: boolean;
  readonly outbox: OutboxHolder;
  /** @throws IonError `ION_CONFIG` if the settings cannot work */
  readonly lookups: Lookups;
  /** Whether messages without a valid `traceparent` get one. */
  readonly makesTraces: boolean;
  /** Counts of its requests and events since it started. */
  readonly metrics: ConfigMetrics;
  /** The properties, with environment variables replaced. */
  readonly values: ConfigValues;
  /** The running nodes that use this one. */
  readonly users: Set<ConfigUser>;
  readonly requests: RecentRequests;
  readonly events: RecentEvents;
  /** The owner of the API key, if a check or a test has asked ION for it. */
  owner: KeyOwner | undefined;
}
