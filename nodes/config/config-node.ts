import type { Node } from 'node-red';
import type { IonClient } from '../client/client.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import type { ApiKeyCredentials, ConfigValues } from './client-settings.js';
import type { ConfigOutbox } from './config-outbox.js';

/** The `ion-config` node, as the nodes that use it see it. */
export interface IonConfigNode extends Node<ApiKeyCredentials> {
  /** @throws IonError `ION_CONFIG` when the settings cannot work */
  readonly client: IonClient;
  /** @throws IonError `ION_CONFIG` when the settings cannot work */
  readonly steps: StepWriter;
  readonly outbox: ConfigOutbox;
  readonly values: ConfigValues;
}
