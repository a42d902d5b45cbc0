import type { NodeAPI, NodeDef } from 'node-red';
import type { OperationsPerRequest } from './client/batching/batch-size.js';
import { RequestBatches } from './client/batching/request-batches.js';
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
  writesPerRequest,
} from './config/client-settings.js';
import type { IonConfigNode } from './config/config-node.js';
import { LookupHolder } from './config/lookup-holder.js';
import { LiveStatus } from './config/monitoring/live-status.js';
import { OutboxHolder } from './config/outbox-holder.js';
import { configMigrations } from './migrations/ion-config.js';
import { RecentEvents } from './monitoring/recent-events.js';
import { RecentRequests } from './monitoring/recent-requests.js';
import { migratedConfig } from './shared/migrated-config.js';
import { removalCheck } from './shared/removal-check.js';
import { inBackground } from './shared/report-error.js';

type IonConfigDef = NodeDef & ConfigValues;

interface Connection {
  client: IonClient;
  batches: RequestBatches;
  steps: StepWriter;
}

/** @returns the error if the settings cannot work; the log shows it as well */
function connect(RED: NodeAPI, node: IonConfigNode, config: IonConfigDef): Connection | IonError {
  try {
    const timeZone = timeZoneOf(config);
    const client = new IonClient(clientSettings(RED, config, node.credentials ?? {}));
    const batches = new RequestBatches(client, operationsPerRequest(config));
    return { client, batches, steps: new StepWriter(client, timeZone, batches) };
  } catch (thrown) {
    const error = toIonError(thrown, 'ION_CONFIG');
    node.warn(error.message);
    return error;
  }
}

/** A bad number affects only nodes that use the outbox, which does not open then. */
function operationsPerRequest(config: IonConfigDef): OperationsPerRequest {
  try {
    return writesPerRequest(config);
  } catch {
    return 1;
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

export default (RED: NodeAPI): void => {
  const live = new LiveStatus(RED);

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
      client: () => requireConnection().client,
      writer: () => requireConnection().steps,
      batches: () => requireConnection().batches,
      concurrency: () => requireConnection().client.concurrency,
      queueLimit: () => requireConnection().client.queueLimit,
      limits: () => outboxLimits(config),
    });
    const requests = new RecentRequests();
    const holder = new LookupHolder(RED, this, () => requireConnection().client);
    Object.defineProperties(this, {
      values: { value: config },
      client: { get: () => requireConnection().client },
      steps: { get: () => requireConnection().steps },
      outbox: { value: outbox },
      lookups: { get: () => holder.lookups },
      users: { value: new Set() },
      requests: { value: requests },
      events: { value: new RecentEvents() },
      owner: { value: undefined, writable: true },
    });
    if (!(connection instanceof IonError)) {
      connection.client.onOutcome(({ durationMs, code }) => requests.add(durationMs, code));
    }
    live.add(this);
    const close = async (isRemoved: boolean) => {
      // They close first, because their requests need the client.
      await Promise.all([outbox.close(isRemoved), holder.close(isRemoved)]).finally(async () => {
        if (!(connection instanceof IonError)) await connection.client.close();
      });
    };
    this.on('close', (removed: boolean, done: () => void) => {
      live.delete(this);
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
  registerAdminRoutes(RED, live);
};
