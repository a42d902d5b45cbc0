import type { NodeAPI, NodeDef } from 'node-red';
import { IonClient } from './client/client.js';
import { type IonError, toIonError } from './client/errors.js';
import { StepWriter } from './client/steps/step-writer.js';
import { registerAdminRoutes } from './config/admin/register-admin-routes.js';
import {
  type ApiKeyCredentials,
  type ConfigValues,
  clientSettings,
  outboxLimits,
  timeZoneOf,
} from './config/client-settings.js';
import type { IonConfigNode } from './config/config-node.js';
import { OutboxHolder } from './config/outbox-holder.js';
import { configMigrations } from './migrations/ion-config.js';
import { migratedConfig } from './shared/migrated-config.js';
import { removalCheck } from './shared/removal-check.js';
import { inBackground } from './shared/report-error.js';

type IonConfigDef = NodeDef & ConfigValues;

function warnOfBadLimits(node: IonConfigNode, config: IonConfigDef): void {
  try {
    outboxLimits(config);
  } catch (thrown) {
    node.warn(toIonError(thrown, 'ION_CONFIG').message);
  }
}

export = (RED: NodeAPI): void => {
  function IonConfig(this: IonConfigNode, saved: IonConfigDef) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, configMigrations, saved);
    const isRemoval = removalCheck(RED, saved);
    let client: IonClient | undefined;
    let steps: StepWriter | undefined;
    let failure: IonError | undefined;
    try {
      const timeZone = timeZoneOf(config);
      client = new IonClient(clientSettings(RED, config, this.credentials ?? {}));
      steps = new StepWriter(client, timeZone);
    } catch (thrown) {
      failure = toIonError(thrown, 'ION_CONFIG');
      this.warn(failure.message);
    }
    // Bad limits affect only nodes that use the outbox.
    warnOfBadLimits(this, config);
    const usable = <Value>(value: Value | undefined): Value => {
      if (value) return value;
      throw failure;
    };
    const outbox = new OutboxHolder(RED, this, {
      endpoint: () => usable(client).endpoint,
      writer: () => usable(steps),
      concurrency: () => usable(client).concurrency,
      queueLimit: () => usable(client).queueLimit,
      limits: () => outboxLimits(config),
    });
    Object.defineProperties(this, {
      values: { value: config },
      client: { get: () => usable(client) },
      steps: { get: () => usable(steps) },
      outbox: { value: outbox },
    });
    this.on('close', (removed: boolean, done: () => void) => {
      // The outbox closes first, because its requests need the client.
      inBackground(
        this,
        outbox
          .close(isRemoval(removed))
          .finally(() => client?.close())
          .finally(() => done()),
      );
    });
  }
  RED.nodes.registerType<IonConfigNode, IonConfigDef, unknown, ApiKeyCredentials>(
    'ion-config',
    IonConfig,
    { credentials: { clientId: { type: 'text' }, clientSecret: { type: 'password' } } },
  );
  registerAdminRoutes(RED);
};
