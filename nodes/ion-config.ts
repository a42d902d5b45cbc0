import type { NodeAPI, NodeDef } from 'node-red';
import { IonClient } from './client/client.js';
import { IonError, toIonError } from './client/errors.js';
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

interface Connection {
  client: IonClient;
  steps: StepWriter;
}

/** @returns the error if the settings cannot work; the log shows it as well */
function connect(RED: NodeAPI, node: IonConfigNode, config: IonConfigDef): Connection | IonError {
  try {
    const timeZone = timeZoneOf(config);
    const client = new IonClient(clientSettings(RED, config, node.credentials ?? {}));
    return { client, steps: new StepWriter(client, timeZone) };
  } catch (thrown) {
    const error = toIonError(thrown, 'ION_CONFIG');
    node.warn(error.message);
    return error;
  }
}

/** Bad limits of the outbox affect only nodes that use it. */
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
    const connection = connect(RED, this, config);
    warnOfBadLimits(this, config);
    const requireConnection = (): Connection => {
      if (connection instanceof IonError) throw connection;
      return connection;
    };
    const outbox = new OutboxHolder(RED, this, {
      endpoint: () => requireConnection().client.endpoint,
      writer: () => requireConnection().steps,
      concurrency: () => requireConnection().client.concurrency,
      queueLimit: () => requireConnection().client.queueLimit,
      limits: () => outboxLimits(config),
    });
    Object.defineProperties(this, {
      values: { value: config },
      client: { get: () => requireConnection().client },
      steps: { get: () => requireConnection().steps },
      outbox: { value: outbox },
      users: { value: new Set() },
    });
    const close = async (isRemoved: boolean) => {
      // The outbox closes first, because its requests need the client.
      await outbox.close(isRemoved).finally(async () => {
        if (!(connection instanceof IonError)) await connection.client.close();
      });
    };
    this.on('close', (removed: boolean, done: () => void) => {
      inBackground(
        this,
        close(isRemoval(removed)).finally(() => done()),
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
